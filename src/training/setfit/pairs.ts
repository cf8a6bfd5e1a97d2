import { Random } from '../datasets/random.js';

/** Two texts, and 1 where they have one label, else 0. */
export interface ContrastivePair {
  readonly [column: string]: unknown;
  readonly anchor: string;
  readonly positive: string;
  readonly label: 0 | 1;
}

/** A text and its label. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
}

/** 'oversampling' repeats pairs of the rarer kind, 'undersampling' leaves out of the more frequent one, 'unique' takes each pair once. */
export const pairSamplings = ['oversampling', 'undersampling', 'unique'] as const;

/** One of them. */
export type PairSampling = (typeof pairSamplings)[number];

/** How pairs are drawn. */
export interface PairOptions {
  readonly sampling: PairSampling;
  /** So many pairs of each kind for each text, in place of what `sampling` says. */
  readonly iterations?: number | undefined;
  /** Pairs of a kind at most, before sampling. */
  readonly maxPairs: number;
  readonly seed: number;
}

/** All pairs of different texts, in an order that is a function of the seed, as many of both kinds as `options` say: setfit's ContrastiveDataset without pairs of a text with itself. */
export function contrastivePairs(texts: readonly LabelledText[], { sampling, iterations, maxPairs, seed }: PairOptions): ContrastivePair[] {
  const random = new Random(seed);
  // All pairs by their numbers: thousands of texts have millions.
  const all = shuffled(
    Uint32Array.from({ length: (texts.length * (texts.length - 1)) / 2 }, (_, number) => number),
    random,
  );
  const kinds = [true, false].map((isSame) => {
    const kept: (readonly [number, number])[] = [];
    for (let n = 0; n < all.length && kept.length < maxPairs; n++) {
      const pair = pairOf(all[n]!);
      if ((texts[pair[0]]!.label === texts[pair[1]]!.label) === isSame) kept.push(pair);
    }
    return kept;
  });
  const counts = kinds.map(({ length }) => length);
  const wanted =
    iterations === undefined
      ? { oversampling: Math.max(...counts), undersampling: Math.min(...counts), unique: Infinity }[sampling]
      : iterations * texts.length;
  const drawn = kinds.flatMap((pairs, kind) => {
    const count = pairs.length === 0 ? 0 : Number.isFinite(wanted) ? wanted : pairs.length;
    return Array.from({ length: count }, (_, n): ContrastivePair => {
      const [i, j] = pairs[n % pairs.length]!;
      return { anchor: texts[i]!.text, positive: texts[j]!.text, label: kind === 0 ? 1 : 0 };
    });
  });
  return shuffled(drawn, random);
}

/** Pair number i · (i - 1) / 2 + j is (j, i). */
function pairOf(number: number): readonly [number, number] {
  const i = Math.floor((1 + Math.sqrt(1 + 8 * number)) / 2);
  return [number - (i * (i - 1)) / 2, i];
}

/** In place. */
function shuffled<T extends { readonly length: number; [place: number]: ContrastivePair | number }>(order: T, random: Random): T {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
