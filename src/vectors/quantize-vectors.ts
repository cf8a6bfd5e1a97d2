import { BerthaError } from '../errors.js';
import { received } from '../options.js';
import type { VectorLike } from './similarity.js';

/** How vectors are stored: `int8` (a quarter of the bytes, one scale each) or `binary` (the signs, a bit each). */
export type VectorFormat = 'int8' | 'binary';

/** Vectors as 8-bit numbers: component j of vector i is codes[i * dimensions + j] * scales[i]. */
export interface Int8Vectors {
  readonly format: 'int8';
  readonly count: number;
  readonly dimensions: number;
  /** [count, dimensions], -127 to 127 */
  readonly codes: Int8Array;
  /** [count] */
  readonly scales: Float32Array;
}

/** The signs of vectors: bit j & 7 of byte j >> 3 is set where component j is not negative; bits past the end are 0. */
export interface BinaryVectors {
  readonly format: 'binary';
  readonly count: number;
  readonly dimensions: number;
  /** [count, ceil(dimensions / 8)] */
  readonly codes: Uint8Array;
}

/** Vectors in few bytes, end to end, ready to be written to a file or a database. */
export type QuantizedVectors = Int8Vectors | BinaryVectors;

/**
 * Stores vectors in few bytes. `int8` keeps 99.5 % of the ten nearest neighbours, `binary` needs `rescore`; docs/precision.md has the
 * measured losses. Dimensions that are 0 everywhere (all-MiniLM-L6-v2 has three) are harmless in both.
 *
 * Errors: INVALID_ARG for what is not a list of vectors of one length, or for a component that is not a finite number.
 */
export function quantizeVectors(vectors: readonly VectorLike[], format: 'int8'): Int8Vectors;
export function quantizeVectors(vectors: readonly VectorLike[], format: 'binary'): BinaryVectors;
export function quantizeVectors(vectors: readonly VectorLike[], format: VectorFormat): QuantizedVectors;
export function quantizeVectors(vectors: readonly VectorLike[], format: VectorFormat): QuantizedVectors {
  if (!Array.isArray(vectors)) {
    throw new BerthaError('INVALID_ARG', `Expected a list of vectors for quantizeVectors but received ${received(vectors)}.`);
  }
  if (format !== 'int8' && format !== 'binary') {
    throw new BerthaError('INVALID_ARG', `Expected int8 or binary for the format of quantizeVectors but received ${received(format)}.`);
  }
  const rows = vectors.map((vector: VectorLike, i) => componentsOf(vector, `vector ${i} of quantizeVectors`));
  const dimensions = rows[0]?.length ?? 0;
  rows.forEach((row, i) => {
    if (row.length !== dimensions) throw lengthError(`vector ${i} of quantizeVectors`, dimensions, row.length);
  });
  return format === 'int8' ? toInt8(rows, dimensions) : toBinary(rows, dimensions);
}

/** The vectors back, as far as they were kept: of `binary` the signs, scaled to length 1. [dimensions] each. */
export function dequantizeVectors(vectors: QuantizedVectors): Float32Array[] {
  const { count, dimensions } = checkVectors(vectors, 'dequantizeVectors');
  if (vectors.format === 'int8') {
    const { codes, scales } = vectors;
    return Array.from({ length: count }, (_, i) =>
      Float32Array.from({ length: dimensions }, (_, j) => codes[i * dimensions + j]! * scales[i]!),
    );
  }
  const magnitude = 1 / Math.sqrt(dimensions);
  return Array.from({ length: count }, (_, i) => {
    const first = i * bytesOf(dimensions);
    return Float32Array.from({ length: dimensions }, (_, j) => (isSet(vectors.codes, first, j) ? magnitude : -magnitude));
  });
}

/** A query's components as float32 or float64. Errors: INVALID_ARG. */
export function componentsOf(vector: unknown, name: string): Float32Array | Float64Array {
  const values: unknown = ArrayBuffer.isView(vector) ? vector : (vector as { vector?: unknown } | null | undefined)?.vector;
  const tag = Object.prototype.toString.call(values);
  if (tag !== '[object Float32Array]' && tag !== '[object Float64Array]') {
    throw new BerthaError('INVALID_ARG', `Expected a Float32Array or an embedding for ${name} but received ${received(vector)}.`);
  }
  const components = values as Float32Array | Float64Array;
  const bad = components.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new BerthaError('INVALID_ARG', `Expected finite numbers for ${name} but received ${bad}.`);
  return components;
}

/** Requires that the sizes of quantised vectors, which may come from anywhere, go together. Errors: INVALID_ARG. */
export function checkVectors(vectors: QuantizedVectors, name: string): QuantizedVectors {
  const { format, count, dimensions, codes } = vectors ?? {};
  const isKnown = format === 'int8' || format === 'binary';
  if (!isKnown || !Number.isInteger(count) || !Number.isInteger(dimensions) || count < 0 || dimensions < 0) {
    throw new BerthaError('INVALID_ARG', `Expected what quantizeVectors returns for ${name} but received ${received(vectors)}.`);
  }
  const expected = count * (format === 'int8' ? dimensions : bytesOf(dimensions));
  const isComplete = codes?.length === expected && (vectors.format === 'binary' || vectors.scales?.length === count);
  if (!isComplete) {
    throw new BerthaError(
      'INVALID_ARG',
      `Expected ${expected} codes${format === 'int8' ? ` and ${count} scales` : ''} for the ${count} vectors of ${name} but received ${codes?.length} codes.`,
    );
  }
  return vectors;
}

/** The error for a vector of another length. */
export function lengthError(name: string, expected: number, got: number): BerthaError {
  return new BerthaError('INVALID_ARG', `Expected ${expected} numbers, as the others have, for ${name} but received ${got}.`);
}

/** Bytes of one binary vector. */
export function bytesOf(dimensions: number): number {
  return (dimensions + 7) >> 3;
}

function toInt8(rows: readonly (Float32Array | Float64Array)[], dimensions: number): Int8Vectors {
  const codes = new Int8Array(rows.length * dimensions);
  const scales = new Float32Array(rows.length);
  rows.forEach((row, i) => {
    let largest = 0;
    for (const value of row) largest = Math.max(largest, Math.abs(value));
    const scale = Math.fround(largest / 127);
    scales[i] = scale;
    // Rounding the scale can leave the largest component a hair above 127.
    if (scale > 0) row.forEach((value, j) => (codes[i * dimensions + j] = Math.max(-127, Math.min(127, Math.round(value / scale)))));
  });
  return { format: 'int8', count: rows.length, dimensions, codes, scales };
}

function toBinary(rows: readonly (Float32Array | Float64Array)[], dimensions: number): BinaryVectors {
  const stride = bytesOf(dimensions);
  const codes = new Uint8Array(rows.length * stride);
  rows.forEach((row, i) => row.forEach((value, j) => value >= 0 && (codes[i * stride + (j >> 3)]! |= 1 << (j & 7))));
  return { format: 'binary', count: rows.length, dimensions, codes };
}

function isSet(codes: Uint8Array, first: number, j: number): boolean {
  return ((codes[first + (j >> 3)]! >> (j & 7)) & 1) === 1;
}
