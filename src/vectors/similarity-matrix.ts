import { abortSignal, oneOf, readOptions } from '../options.js';
import { requireSameWidth, scoreRows } from './pool.js';
import { toRows } from './rows.js';
import type { VectorLike, VectorMatrix } from './vector-like.js';

/** Options of `similarityMatrix`. */
export interface SimilarityMatrixOptions {
  /** Cosine similarity (default) or dot product. */
  readonly score?: 'cosine' | 'dot' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Similarity of each vector of `a` with each of `b`, as `similarity(a, b)`, computed on the pool: one row [b.length] for each vector of
 * `a`. The values are float64 sums rounded to float32, the same on every processor. Vectors are copied in slices while the call runs:
 * leave them as they are until then. An array that is transferred meanwhile makes the call fail.
 *
 * Errors: INVALID_ARG for something that is not a vector, or vectors of different lengths; INVALID_OPTION, ADDON_LOAD, OUT_OF_MEMORY,
 * the signal's reason.
 */
export async function similarityMatrix(
  a: readonly VectorLike[] | VectorMatrix,
  b: readonly VectorLike[] | VectorMatrix,
  options?: SimilarityMatrixOptions,
): Promise<Float32Array[]> {
  const { score, signal } = readOptions('similarityMatrix', options, { score: oneOf(['cosine', 'dot']), signal: abortSignal });
  const [left, right] = [toRows(a, 'a of similarityMatrix'), toRows(b, 'b of similarityMatrix')];
  requireSameWidth(right, left.width, 'b of similarityMatrix');
  return scoreRows(left, right, { isCosine: score !== 'dot', signal });
}
