import { Random } from '../../../src/training/datasets/random.js';
import type { Row } from '../../../src/training/index.js';
import { shuffled } from './split.js';
import type { Article } from './wikipedia.js';

/** Two sentences; label 0 where the second follows the first, 1 where it is of another article. */
export interface SentencePair extends Row {
  readonly text: string;
  readonly textPair: string;
  readonly label: 0 | 1;
}

/** `count` of all pairs of the sentences of articles, in a random order: all places in an article count alike. */
export function drawnPairs(articles: readonly Article[], count: number, seed: number): SentencePair[] {
  return shuffled(sentencePairs(articles, Infinity, seed), new Random(seed, 1, 0)).slice(0, count);
}

/** Pairs of the sentences of articles, from all articles in turn; every second one is of two articles. A function of the articles, the count and the seed. */
export function sentencePairs(articles: readonly Article[], count: number, seed: number): SentencePair[] {
  const random = new Random(seed, 0, 0);
  const pairs: SentencePair[] = [];
  const longest = Math.max(...articles.map(({ length }) => length));
  for (let sentence = 0; sentence + 1 < longest; sentence++) {
    for (const [i, article] of articles.entries()) {
      if (pairs.length === count) return pairs;
      const [text, next] = [article[sentence], article[sentence + 1]];
      if (text === undefined || next === undefined) continue;
      const isNext = pairs.length % 2 === 0;
      const other = articles[(i + 1 + random.below(articles.length - 1)) % articles.length]!;
      pairs.push({ text, textPair: isNext ? next : other[random.below(other.length)]!, label: isNext ? 0 : 1 });
    }
  }
  return pairs;
}
