// What positions change in attention, in float64.

/** Fields of the op by the engine's names, all optional. */
export interface AttentionTerms {
  readonly inverseFrequencies?: readonly number[];
  readonly window?: number;
  readonly causal?: boolean;
  readonly slopes?: readonly number[];
  readonly buckets?: readonly number[];
  /** Tables of disentangled scores, [rows, width]; as many rows as the buckets name. */
  readonly contentToPosition?: Float32Array;
  readonly positionToContent?: Float32Array;
}

/** The op's fields, and its tables, as the test addon takes them. */
export function termArguments({ contentToPosition, positionToContent, ...fields }: AttentionTerms) {
  return [
    { op: 'attention' as const, ...fields },
    { contentToPosition, positionToContent },
  ] as const;
}

/** Rows of packed queries, keys and values [tokens, 3, heads, headDim], and where their sequences begin. */
export interface PackedHeads {
  readonly qkv: ArrayLike<number>;
  readonly cuSeqlens: ArrayLike<number>;
  readonly heads: number;
  readonly headDim: number;
}

/** Queries and keys turned by their positions, by angles rounded to float32; direction -1 turns back. */
export function turned(
  { qkv, cuSeqlens, heads, headDim }: PackedHeads,
  { inverseFrequencies = [] }: AttentionTerms,
  direction = 1,
): Float64Array {
  const result = Float64Array.from(qkv);
  const half = inverseFrequencies.length;
  for (let sequence = 1; sequence < cuSeqlens.length; sequence++)
    for (let token = cuSeqlens[sequence - 1]!; token < cuSeqlens[sequence]!; token++)
      for (let part = 0; part < 2 * heads; part++)
        inverseFrequencies.forEach((frequency, i) => {
          const angle = Math.fround(Math.fround(frequency) * (token - cuSeqlens[sequence - 1]!));
          const at = (token * 3 * heads + part) * headDim + i;
          const [a, b, cosine, sine] = [qkv[at]!, qkv[at + half]!, Math.cos(angle), direction * Math.sin(angle)];
          result[at] = a * cosine - b * sine;
          result[at + half] = b * cosine + a * sine;
        });
  return result;
}

/** Whether a query sees a key at this distance. */
export const isSeen = ({ window = 0, causal = false }: AttentionTerms, distance: number): boolean =>
  (window === 0 || Math.abs(distance) <= window) && (!causal || distance <= 0);

/** What a head adds to the scaled score of a query and a key at this distance. */
export const slopeTerm = ({ slopes }: AttentionTerms, head: number, distance: number): number =>
  slopes === undefined ? 0 : -Math.fround(slopes[head]!) * Math.abs(distance);

/** Where a query and a key lie, and where their row lies in a table of disentangled scores. */
export interface ScorePlace {
  readonly query: number;
  readonly key: number;
  /** Position of the query less that of the key. */
  readonly distance: number;
  readonly head: number;
  readonly headDim: number;
}

/** Where the row of a distance begins in a table [rows, heads * headDim], or [rows, headDim]. */
export function tableRow({ buckets = [] }: AttentionTerms, table: ArrayLike<number>, { distance, head, headDim }: ScorePlace): number {
  const width = table.length / (buckets.at(-1)! + 1);
  return buckets[(buckets.length >> 1) + distance]! * width + (width === headDim ? 0 : head * headDim);
}

/** Both products of disentangled scores, each with where its row of `x` and of the table begin. */
export function disentangledProducts(terms: AttentionTerms, place: ScorePlace) {
  const { contentToPosition, positionToContent } = terms;
  return [
    { name: 'contentToPosition', table: contentToPosition, x: place.query } as const,
    { name: 'positionToContent', table: positionToContent, x: place.key } as const,
  ].flatMap(({ name, table, x }) => (table === undefined ? [] : [{ name, table, x, row: tableRow(terms, table, place) }]));
}
