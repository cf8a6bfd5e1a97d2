import { unexpected } from '../expected.js';
import { componentsOf, dot, type FloatArray, isVectorList, norm, type VectorLike } from './vector-like.js';

/**
 * Cosine similarity, from -1 to 1. Two vectors give a number; two lists give one row [b.length] for each vector of `a`; a vector and a
 * list give one row. A vector of zeros is similar to nothing: 0. Sums are taken in float64.
 *
 * Computes on the calling thread: for what is small, some thousands of products. `similarityMatrix` does the same on the pool.
 *
 * Errors: INVALID_ARG for something that is not a vector, or vectors of different lengths.
 *
 * @example
 * const [first, second] = await embedder.embed(['A cat.', 'A kitten.']);
 * const score = similarity(first, second); // 0.8 or so: near 1 for the same meaning
 */
export function similarity(a: VectorLike, b: VectorLike): number;
export function similarity(a: readonly VectorLike[], b: readonly VectorLike[]): Float32Array[];
export function similarity(a: VectorLike, b: readonly VectorLike[]): Float32Array;
export function similarity(
  a: VectorLike | readonly VectorLike[],
  b: VectorLike | readonly VectorLike[],
): number | Float32Array | Float32Array[] {
  if (!isVectorList(b)) {
    if (isVectorList(a)) throw unexpected('INVALID_ARG', 'a list of vectors for b of similarity, as a is one,', 'a vector');
    const right = measured(b, 'b of similarity');
    return cosine(measured(a, 'a of similarity'), right);
  }
  const rights = b.map((vector, j) => measured(vector, `b[${j}] of similarity`));
  const row = (left: Measured) => Float32Array.from(rights, (right) => cosine(left, right));
  return isVectorList(a) ? a.map((vector, i) => row(measured(vector, `a[${i}] of similarity`))) : row(measured(a, 'a of similarity'));
}

/**
 * Cosine similarity of each vector of `a` with the one at the same place of `b`, [a.length].
 *
 * Errors: INVALID_ARG for lists of different lengths, something that is not a vector, or vectors of different lengths.
 */
export function pairwiseSimilarity(a: readonly VectorLike[], b: readonly VectorLike[]): Float32Array {
  if (!isVectorList(a) || !isVectorList(b) || a.length !== b.length) {
    const got = [a, b].map((list) => (isVectorList(list) ? `a list of ${list.length}` : 'something else'));
    throw unexpected('INVALID_ARG', 'two lists of as many vectors for pairwiseSimilarity', got.join(' and '));
  }
  return Float32Array.from(a, (left, i) =>
    cosine(measured(left, `a[${i}] of pairwiseSimilarity`), measured(b[i], `b[${i}] of pairwiseSimilarity`)),
  );
}

/** Scales a vector to length 1, in place. A vector of zeros stays as it is. */
export function normalizeInPlace(vector: Float32Array): void {
  const scale = 1 / Math.max(norm(vector), 1e-12);
  for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
}

interface Measured {
  readonly values: FloatArray;
  readonly norm: number;
  readonly name: string;
}

function measured(vector: unknown, name: string): Measured {
  const values = componentsOf(vector, name);
  return { values, norm: norm(values), name };
}

function cosine(a: Measured, b: Measured): number {
  if (a.values.length !== b.values.length) {
    throw unexpected('INVALID_ARG', 'vectors of one length', `${a.values.length} for ${a.name} and ${b.values.length} for ${b.name}`);
  }
  const norms = a.norm * b.norm;
  return norms === 0 ? 0 : dot(a.values, b.values) / norms;
}
