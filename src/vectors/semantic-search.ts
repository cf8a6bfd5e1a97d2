import { abortSignal, finite, integer, oneOf, readOptions } from '../options.js';
import { requireSameWidth, searchRows } from './pool.js';
import { toRows } from './rows.js';
import { isVectorList, type VectorLike, type VectorMatrix } from './vector-like.js';

/** Options of `semanticSearch`. */
export interface SearchOptions {
  /** Results for each query at most. Default 10. */
  readonly topK?: number | undefined;
  /** Least score of a result. Default: none, so that each query has `topK` results where there are as many vectors. */
  readonly threshold?: number | undefined;
  /** Cosine similarity (default) or dot product. */
  readonly score?: 'cosine' | 'dot' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A vector of the corpus and how near it is. */
export interface SearchResult {
  readonly index: number;
  readonly score: number;
}

/**
 * The vectors of a corpus nearest to each query, by exact search on the pool, after everything interactive. Scores are float64 sums, the
 * same on every processor; equal scores: lower index first. A vector of zeros scores 0.
 *
 * The event loop copies vectors in slices while the call runs: leave them as they are until then. A change that is made meanwhile may or
 * may not be seen, and an array that is transferred makes the call fail.
 *
 * Errors: INVALID_ARG for what is not a vector, vectors of different lengths or numbers that are not finite; INVALID_OPTION, ADDON_LOAD,
 * OUT_OF_MEMORY, the signal's reason.
 *
 * @example
 * const [best] = await semanticSearch(query, corpus, { topK: 5, threshold: 0.3 });
 * console.log(documents[best.index], best.score);
 */
export function semanticSearch(
  query: VectorLike,
  corpus: readonly VectorLike[] | VectorMatrix,
  options?: SearchOptions,
): Promise<SearchResult[]>;
export function semanticSearch(
  queries: readonly VectorLike[],
  corpus: readonly VectorLike[] | VectorMatrix,
  options?: SearchOptions,
): Promise<SearchResult[][]>;
export async function semanticSearch(
  queries: VectorLike | readonly VectorLike[],
  corpus: readonly VectorLike[] | VectorMatrix,
  options?: SearchOptions,
): Promise<SearchResult[] | SearchResult[][]> {
  const settings = readOptions('semanticSearch', options, {
    topK: integer(1, Number.MAX_SAFE_INTEGER),
    threshold: finite,
    score: oneOf(['cosine', 'dot']),
    signal: abortSignal,
  });
  const wanted = toRows(isVectorList(queries) ? queries : [queries], 'the queries of semanticSearch');
  const rows = toRows(corpus, 'the corpus of semanticSearch');
  requireSameWidth(wanted, rows.width, 'the queries of semanticSearch');
  settings.signal?.throwIfAborted();
  const results: SearchResult[][] = Array.from({ length: wanted.count }, () => []);
  const search = {
    name: 'semanticSearch',
    topK: Math.min(settings.topK ?? 10, rows.count),
    threshold: settings.threshold ?? -Infinity,
    isCosine: settings.score !== 'dot',
    signal: settings.signal,
  };
  await searchRows(wanted, rows, search, (query, indices, scores) => {
    for (let i = 0; i < indices.length; i++) results[query]!.push({ index: indices[i]!, score: scores[i]! });
  });
  return isVectorList(queries) ? results : results[0]!;
}
