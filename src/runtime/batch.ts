/** Sequences end to end, never padded: sequence i is rows cuSeqlens[i] .. cuSeqlens[i + 1]. */
export interface PackedBatch {
  /** [tokens] */
  readonly inputIds: Int32Array;
  /** [tokens] */
  readonly tokenTypeIds: Int32Array;
  /** [batchSize + 1] */
  readonly cuSeqlens: Int32Array;
  /** `[batchSize]`: tokens at the start of each sequence that pooling leaves out. */
  readonly poolSkip?: Int32Array;
  /** `[batchSize]`: the first tokens of each sequence that others see; 0: all. */
  readonly keyCounts?: Int32Array;
  /** Token positions, each within its own sequence, whose rows `selected` values hold. */
  readonly selected?: Int32Array;
  /** `[batchSize + 1]`: which of `selected` belong to which sequence. */
  readonly cuSelected?: Int32Array;
  /** [target tokens] of a decoder. */
  readonly targetIds?: Int32Array;
  /** `[batchSize + 1]`: which of them belong to which sequence. */
  readonly cuTarget?: Int32Array;
  /** `[selected, 16]`: words whose logits a `pick_targets` value holds, for each of `selected`. */
  readonly targets?: Int32Array;
}

/** What a session takes: type ids may be left out where all of them are 0. */
export type BatchInputs = Omit<PackedBatch, 'tokenTypeIds'> & Partial<Pick<PackedBatch, 'tokenTypeIds'>>;

/** Token ids with the types that some of them have. */
export interface TypedIds {
  readonly ids: Int32Array;
  readonly typeIds?: ArrayLike<number>;
}

/** Lays token ids end to end. Without type ids they are 0. */
export function packBatch(sequences: readonly TypedIds[]): PackedBatch {
  const { cuSeqlens, inputIds } = packIds(sequences);
  return { cuSeqlens, inputIds: sequences.length === 1 ? inputIds.slice() : inputIds, tokenTypeIds: packTypes(sequences, cuSeqlens) };
}

/** The same for a session, which copies what it takes: one sequence's ids are not copied here, and where no text has types there are none. */
export function packInputs(sequences: readonly TypedIds[], hasTypes: boolean): BatchInputs {
  const ids = packIds(sequences);
  if (!hasTypes || sequences.every(({ typeIds }) => typeIds === undefined)) return ids;
  return { ...ids, tokenTypeIds: packTypes(sequences, ids.cuSeqlens) };
}

/** Numbers end to end; `make` gives an array of a length. */
export function joined<T extends Int32Array | Float32Array>(lists: readonly T[], make: (length: number) => T): T {
  const all = make(lists.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const list of lists) {
    all.set(list, end);
    end += list.length;
  }
  return all;
}

function packIds(sequences: readonly TypedIds[]): Pick<PackedBatch, 'inputIds' | 'cuSeqlens'> {
  const cuSeqlens = new Int32Array(sequences.length + 1);
  sequences.forEach(({ ids }, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + ids.length));
  if (sequences.length === 1) return { inputIds: sequences[0]!.ids, cuSeqlens };
  const inputIds = new Int32Array(cuSeqlens[sequences.length]!);
  sequences.forEach(({ ids }, i) => inputIds.set(ids, cuSeqlens[i]!));
  return { inputIds, cuSeqlens };
}

function packTypes(sequences: readonly TypedIds[], cuSeqlens: Int32Array): Int32Array {
  const tokenTypeIds = new Int32Array(cuSeqlens[sequences.length]!);
  sequences.forEach(({ typeIds }, i) => typeIds !== undefined && tokenTypeIds.set(typeIds, cuSeqlens[i]!));
  return tokenTypeIds;
}
