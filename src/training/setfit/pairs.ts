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

/** All pairs of different texts, in an order that is a function of the seed, as many of both kinds as `options` say: setfit's ContrastiveDataset. */
export function contrastivePairs(texts: readonly LabelledText[], { sampling, iterations, maxPairs, seed }: PairOptions): ContrastivePair[] {
  const random = new Random(seed);
  const all = shuffled(
    texts.flatMap((_, i) => texts.slice(0, i).map((__, j) => [j, i] as const)),
    random,
  );
  const kinds = [1, 0].map((label) => all.filter(([i, j]) => (texts[i]!.label === texts[j]!.label ? 1 : 0) === label).slice(0, maxPairs));
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

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
