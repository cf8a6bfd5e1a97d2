/** One thing that both sides do in turns. */
export interface AbCase {
  readonly name: string;
  /** `first`: load a model and embed one text. */
  readonly method: 'embed' | 'embedSync' | 'encode' | 'first';
  /** Tokens of each text. */
  readonly lengths: readonly number[];
}

const mixed = (count: number): number[] => Array.from({ length: count }, (_, i) => 3 + ((i * 37) % 89));

/** What is measured for every precision and number of threads. */
export const embeddingCases: readonly AbCase[] = [
  ...[8, 16, 32, 128, 512].map((tokens): AbCase => ({ name: `embedSync 1x${tokens}`, method: 'embedSync', lengths: [tokens] })),
  ...[16, 128].map((tokens): AbCase => ({ name: `embed 1x${tokens}`, method: 'embed', lengths: [tokens] })),
  { name: 'embed 32x128', method: 'embed', lengths: new Array<number>(32).fill(128) },
  { name: 'embed 128 mixed', method: 'embed', lengths: mixed(128) },
  { name: 'load and first vector', method: 'first', lengths: [] },
];

/** What does not depend on precision or threads. */
export const tokenizerCase: AbCase = { name: 'encode 1000 mixed', method: 'encode', lengths: mixed(1000) };
