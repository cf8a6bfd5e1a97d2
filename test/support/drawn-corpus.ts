import { Random } from './random.js';

/** Sentences of ten words over two sets of twenty that never stand together: words of a set have like neighbours. */
export function drawnCorpus(sentences: number, seed = 1): string[][] {
  const random = new Random(seed);
  return Array.from({ length: sentences }, (_, i) => Array.from({ length: 10 }, () => `${'ab'[i % 2]!}${random.integer(0, 19)}`));
}
