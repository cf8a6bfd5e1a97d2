import { abortSignal, finite, integer, oneOf, readOptions } from '../options.js';
import { searchRows } from './pool.js';
import { toRows } from './rows.js';
import type { VectorLike, VectorMatrix } from './vector-like.js';

/** Options of `paraphraseMining`. */
export interface ParaphraseOptions {
  /** Partners of each vector at most. Default 100. */
  readonly topK?: number | undefined;
  /** Pairs at most, the best ones. Default 500,000. */
  readonly maxPairs?: number | undefined;
  /** Least score of a pair. Default: none. */
  readonly threshold?: number | undefined;
  /** Cosine similarity (default) or dot product. */
  readonly score?: 'cosine' | 'dot' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Two vectors of a list, `i` before `j`, and how alike they are. */
export interface VectorPair {
  readonly i: number;
  readonly j: number;
  readonly score: number;
}

/**
 * The pairs of vectors that are most alike, as `sentence_transformers.util.paraphrase_mining_embeddings` finds them: of each vector its
 * `topK` nearest others, each pair once, best first; equal scores in the order of `i`, then `j`. Computed on the pool, in float64.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, ADDON_LOAD, OUT_OF_MEMORY, the signal's reason.
 */
export async function paraphraseMining(vectors: readonly VectorLike[] | VectorMatrix, options?: ParaphraseOptions): Promise<VectorPair[]> {
  const settings = readOptions('paraphraseMining', options, {
    topK: integer(1, 2 ** 31),
    maxPairs: integer(1, 2 ** 31),
    threshold: finite,
    score: oneOf(['cosine', 'dot']),
    signal: abortSignal,
  });
  const { topK = 100, maxPairs = 500_000, threshold = -Infinity, score = 'cosine', signal } = settings;
  const [rows, corpus] = [0, 1].map(() => toRows(vectors, 'the vectors of paraphraseMining'));
  const { count } = rows!;
  let pairs: VectorPair[] = [];
  // Pairs by their two indices: the same one is found from either side.
  let known = new Set<number>();
  const keepBest = (most: number): void => {
    pairs = pairs.sort((a, b) => b.score - a.score || a.i - b.i || a.j - b.j).slice(0, most);
    known = new Set(pairs.map(({ i, j }) => i * count + j));
  };
  const wanted = { name: 'paraphraseMining', topK: Math.min(topK + 1, count), threshold, isCosine: score === 'cosine', signal };
  let [query, left] = [-1, 0];
  await searchRows(rows!, corpus!, wanted, (first, indices, scores) => {
    if (first !== query) [query, left] = [first, topK];
    for (let at = 0; at < indices.length && left > 0; at++) {
      const second = indices[at]!;
      if (second === first) continue;
      left--;
      const [i, j] = first < second ? [first, second] : [second, first];
      if (known.has(i * count + j)) continue;
      known.add(i * count + j);
      pairs.push({ i, j, score: scores[at]! });
    }
    if (pairs.length >= 2 * maxPairs + 1024) keepBest(maxPairs);
  });
  keepBest(maxPairs);
  return pairs;
}
