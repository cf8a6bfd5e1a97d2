import { BerthaError } from '../errors.js';
import { received } from '../options.js';

/** A vector, or what `embed` returned for a text. */
export type VectorLike = Float32Array | Float64Array | { readonly vector: Float32Array | Float64Array };

/**
 * Cosine similarity, from -1 to 1. Two vectors give a number; two lists give one row [b.length] for each vector of `a`; a vector and a
 * list give one row. A vector of zeros is similar to nothing: 0. Sums are taken in float64.
 *
 * Errors: INVALID_ARG for something that is not a vector, or vectors of different lengths.
 */
export function similarity(a: VectorLike, b: VectorLike): number;
export function similarity(a: readonly VectorLike[], b: readonly VectorLike[]): Float32Array[];
export function similarity(a: VectorLike, b: readonly VectorLike[]): Float32Array;
export function similarity(
  a: VectorLike | readonly VectorLike[],
  b: VectorLike | readonly VectorLike[],
): number | Float32Array | Float32Array[] {
  if (!isList(b)) {
    if (isList(a))
      throw new BerthaError('INVALID_ARG', 'Expected a list of vectors for b of similarity, as a is one, but received a vector.');
    const right = measured(b, 'b');
    return cosine(measured(a, 'a'), right);
  }
  const rights = b.map((vector, j) => measured(vector, `b[${j}]`));
  const row = (left: Measured) => Float32Array.from(rights, (right) => cosine(left, right));
  return isList(a) ? a.map((vector, i) => row(measured(vector, `a[${i}]`))) : row(measured(a, 'a'));
}

/** Scales a vector to length 1, in place. A vector of zeros stays as it is. */
export function normalizeInPlace(vector: Float32Array): void {
  const scale = 1 / Math.max(Math.sqrt(dot(vector, vector)), 1e-12);
  for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
}

interface Measured {
  readonly values: Float32Array | Float64Array;
  readonly norm: number;
  readonly name: string;
}

function measured(vector: VectorLike, name: string): Measured {
  const values: unknown = ArrayBuffer.isView(vector) ? vector : (vector as { vector?: unknown } | null | undefined)?.vector;
  if (!isFloatArray(values))
    throw new BerthaError(
      'INVALID_ARG',
      `Expected a Float32Array or an embedding for ${name} of similarity but received ${received(vector)}.`,
    );
  return { values, norm: Math.sqrt(dot(values, values)), name };
}

function cosine(a: Measured, b: Measured): number {
  if (a.values.length !== b.values.length) {
    throw new BerthaError(
      'INVALID_ARG',
      `Expected vectors of one length for similarity but received ${a.values.length} for ${a.name} and ${b.values.length} for ${b.name}.`,
    );
  }
  const norms = a.norm * b.norm;
  return norms === 0 ? 0 : dot(a.values, b.values) / norms;
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function isList(value: VectorLike | readonly VectorLike[]): value is readonly VectorLike[] {
  return Array.isArray(value);
}

/** By its tag, so that arrays of another realm (a vm context, a test runner's sandbox) count. */
function isFloatArray(value: unknown): value is Float32Array | Float64Array {
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Float32Array]' || tag === '[object Float64Array]';
}
