import { unexpected } from '../expected.js';
import { integer, oneOf, readOptions } from '../options.js';
import { type BinaryVectors, bitOf, bytesOf, checkVectors, type Int8Vectors, packBits, type QuantizedVectors } from './quantize-vectors.js';
import { similarity } from './similarity.js';
import { finiteComponentsOf, type FloatArray, lengthError, norm, type VectorLike } from './vector-like.js';

/** How `rescore` searches. */
export interface RescoreOptions {
  /** Results. Default 10. */
  readonly top?: number | undefined;
  /** Vectors that the first pass hands to the second. Default: ten for each result, at least 100. */
  readonly candidates?: number | undefined;
  /** What the bits are compared with: the query itself (default), or its bits too, which is faster and finds less (Hamming distance). */
  readonly compare?: 'query' | 'hamming' | undefined;
}

/** A stored vector that was found. */
export interface ScoredVector {
  readonly index: number;
  /** Cosine similarity to the query, by the vectors of the second pass. */
  readonly score: number;
}

const schema = { top: integer(1, 2 ** 31 - 1), candidates: integer(1, 2 ** 31 - 1), compare: oneOf(['query', 'hamming']) };

/** Set bits of a byte. */
const kSetBits = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/**
 * Cosine similarity of a query to each stored vector, [count]. Against `binary` vectors it is the cosine to their signs, or, with a
 * binary query (`quantizeVectors([query], 'binary')`), 1 - 2 * differing bits / dimensions.
 *
 * Errors: INVALID_ARG for something that is not a vector, or lengths that differ.
 */
export function quantizedSimilarity(query: VectorLike | BinaryVectors, stored: QuantizedVectors): Float32Array {
  checkVectors(stored, 'quantizedSimilarity');
  if (isBinaryQuery(query)) {
    checkVectors(query, 'the query of quantizedSimilarity');
    if (stored.format !== 'binary' || query.count !== 1) {
      throw unexpected('INVALID_ARG', 'binary vectors, and one binary query, for quantizedSimilarity', 'others');
    }
    if (query.dimensions !== stored.dimensions) throw lengthError('the query of quantizedSimilarity', stored.dimensions, query.dimensions);
    return hammingSimilarity(query.codes, stored);
  }
  const components = finiteComponentsOf(query, 'the query of quantizedSimilarity');
  if (components.length !== stored.dimensions) throw lengthError('the query of quantizedSimilarity', stored.dimensions, components.length);
  return stored.format === 'int8' ? int8Similarity(components, stored) : signSimilarity(components, stored);
}

/**
 * Finds the stored vectors nearest to a query in two passes: all of them by their bits, the best of these by int8 or float32 vectors of
 * the same texts. docs/precision.md says how many of the true neighbours that finds.
 *
 * Errors: INVALID_ARG, INVALID_OPTION.
 */
export function rescore(
  query: VectorLike,
  binary: BinaryVectors,
  precise: Int8Vectors | readonly VectorLike[],
  options?: RescoreOptions,
): ScoredVector[] {
  const { top = 10, candidates = Math.max(100, 10 * top), compare = 'query' } = readOptions('rescore', options, schema);
  checkVectors(binary, 'the binary vectors of rescore');
  const count = isList(precise) ? precise.length : checkVectors(precise, 'the precise vectors of rescore').count;
  if (binary.format !== 'binary' || count !== binary.count) {
    throw unexpected('INVALID_ARG', 'binary vectors, and as many precise ones, for rescore', `${binary.count} and ${count}`);
  }
  const components = finiteComponentsOf(query, 'the query of rescore');
  if (components.length !== binary.dimensions) throw lengthError('the query of rescore', binary.dimensions, components.length);
  const first = compare === 'query' ? signSimilarity(components, binary) : hammingSimilarity(bitsOf(components), binary);
  const best = largest(first, candidates);
  const scores = isList(precise)
    ? similarity(
        query,
        best.map((index) => precise[index]!),
      )
    : int8Similarity(components, select(precise, best));
  return largest(scores, top).map((place) => ({ index: best[place]!, score: scores[place]! }));
}

function int8Similarity(query: FloatArray, { count, dimensions, codes }: Int8Vectors): Float32Array {
  const length = norm(query);
  const scores = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < dimensions; j++, at++) {
      const code = codes[at]!;
      dot += query[j]! * code;
      squares += code * code;
    }
    // The scale of a vector is the same above and below the line.
    const norms = length * Math.sqrt(squares);
    scores[i] = norms === 0 ? 0 : dot / norms;
  }
  return scores;
}

/** Sums of the query's components under set bits, a byte at a time: a table [bytes, 256] holds the sum for each value of each byte. */
function signSimilarity(query: FloatArray, { count, dimensions, codes }: BinaryVectors): Float32Array {
  const stride = bytesOf(dimensions);
  const table = new Float64Array(stride * 256);
  let total = 0;
  query.forEach((value, j) => {
    total += value;
    const bit = bitOf(j);
    for (let byte = bit; byte < 256; byte = (byte + 1) | bit) table[(j >> 3) * 256 + byte]! += value;
  });
  const norms = norm(query) * Math.sqrt(dimensions);
  const scores = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let positive = 0;
    for (let j = 0; j < stride; j++, at++) positive += table[j * 256 + codes[at]!]!;
    scores[i] = norms === 0 ? 0 : (2 * positive - total) / norms;
  }
  return scores;
}

function hammingSimilarity(query: Uint8Array, { count, dimensions, codes }: BinaryVectors): Float32Array {
  const scores = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let differing = 0;
    for (let j = 0; j < query.length; j++, at++) differing += kSetBits[query[j]! ^ codes[at]!]!;
    scores[i] = 1 - (2 * differing) / dimensions;
  }
  return scores;
}

function bitsOf(vector: FloatArray): Uint8Array {
  const bits = new Uint8Array(bytesOf(vector.length));
  packBits(vector, bits);
  return bits;
}

function select({ dimensions, codes, scales }: Int8Vectors, indices: readonly number[]): Int8Vectors {
  const chosen = new Int8Array(indices.length * dimensions);
  indices.forEach((index, i) => chosen.set(codes.subarray(index * dimensions, (index + 1) * dimensions), i * dimensions));
  return {
    format: 'int8',
    count: indices.length,
    dimensions,
    codes: chosen,
    scales: Float32Array.from(indices, (index) => scales[index]!),
  };
}

/** Places of the largest scores in falling order; of equal ones the first. */
function largest(scores: Float32Array, count: number): number[] {
  const places = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return Array.from(places.subarray(0, count));
}

function isBinaryQuery(query: VectorLike | BinaryVectors): query is BinaryVectors {
  return (query as { format?: unknown } | null | undefined)?.format === 'binary';
}

function isList(vectors: Int8Vectors | readonly VectorLike[]): vectors is readonly VectorLike[] {
  return Array.isArray(vectors);
}
