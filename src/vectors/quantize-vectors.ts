import { received, unexpected, wrongArgument } from '../expected.js';
import { finiteComponentsOf, type FloatArray, lengthError, type VectorLike } from './vector-like.js';

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

/** Version of the binary format that `quantizeVectors` writes. Version 1, of Bertha 0.1.0, had the bits of a byte in the other order. */
export const kBinaryVersion = 2;

/**
 * The signs of vectors: component j is bit 7 - (j & 7) of byte j >> 3, set where it is above 0; bits past the end are 0. These are the
 * bytes of `numpy.packbits(vectors > 0, axis=-1)` and of sentence-transformers' `quantize_embeddings(vectors, "ubinary")`; its `binary`
 * is the same with 128 taken from each byte.
 */
export interface BinaryVectors {
  readonly format: 'binary';
  readonly count: number;
  readonly dimensions: number;
  /** Of the format: 2. May be left out of what other programs made. */
  readonly version?: typeof kBinaryVersion;
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
    throw wrongArgument('a list of vectors for quantizeVectors', vectors);
  }
  if (format !== 'int8' && format !== 'binary') {
    throw wrongArgument('int8 or binary for the format of quantizeVectors', format);
  }
  const rows = vectors.map((vector: VectorLike, i) => finiteComponentsOf(vector, `vector ${i} of quantizeVectors`));
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

/** Requires that the sizes of quantised vectors, which may come from anywhere, go together. Errors: INVALID_ARG. */
export function checkVectors(vectors: QuantizedVectors, name: string): QuantizedVectors {
  const { format, count, dimensions, codes } = vectors ?? {};
  const isKnown = format === 'int8' || format === 'binary';
  if (!isKnown || !Number.isInteger(count) || !Number.isInteger(dimensions) || count < 0 || dimensions < 0) {
    throw wrongArgument(`what quantizeVectors returns for ${name}`, vectors);
  }
  const version = vectors.format === 'binary' ? (vectors.version ?? kBinaryVersion) : kBinaryVersion;
  if (version !== kBinaryVersion) {
    throw unexpected(
      'INVALID_ARG',
      `binary vectors of version ${kBinaryVersion} for ${name}`,
      `version ${received(version)}: quantise the vectors anew`,
    );
  }
  const expected = count * (format === 'int8' ? dimensions : bytesOf(dimensions));
  const isComplete = codes?.length === expected && (vectors.format === 'binary' || vectors.scales?.length === count);
  if (!isComplete) {
    throw unexpected(
      'INVALID_ARG',
      `${expected} codes${format === 'int8' ? ` and ${count} scales` : ''} for the ${count} vectors of ${name}`,
      `${codes?.length} codes`,
    );
  }
  return vectors;
}

/** Bytes of one binary vector. */
export function bytesOf(dimensions: number): number {
  return (dimensions + 7) >> 3;
}

function toInt8(rows: readonly FloatArray[], dimensions: number): Int8Vectors {
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

function toBinary(rows: readonly FloatArray[], dimensions: number): BinaryVectors {
  const stride = bytesOf(dimensions);
  const codes = new Uint8Array(rows.length * stride);
  rows.forEach((row, i) => packBits(row, codes.subarray(i * stride, (i + 1) * stride)));
  return { format: 'binary', version: kBinaryVersion, count: rows.length, dimensions, codes };
}

/** Sets the bits of the components above 0 in `bytes` [ceil(row.length / 8)], the first component in the highest bit. */
export function packBits(row: FloatArray, bytes: Uint8Array): void {
  row.forEach((value, j) => value > 0 && (bytes[j >> 3]! |= bitOf(j)));
}

/** The bit of component j in its byte. */
export function bitOf(j: number): number {
  return 0x80 >> (j & 7);
}

function isSet(codes: Uint8Array, first: number, j: number): boolean {
  return (codes[first + (j >> 3)]! & bitOf(j)) !== 0;
}
