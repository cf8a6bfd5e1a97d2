import { Budget } from '../../runtime/event-loop-budget.js';
import { bytesOf, quantizeVectors, type QuantizedVectors, type VectorFormat } from '../../vectors/quantize-vectors.js';
import type { VectorMatrix } from '../../vectors/vector-like.js';
import type { WordMatrix } from './word-matrix.js';

/** Numbers that are copied in one go: below a millisecond. */
const kNumbersAtOnce = 1 << 16;

/** Calls `take` with blocks of rows [end - begin, dimensions], in short turns of the event loop. Errors: the signal's reason. */
async function inBlocks(
  matrix: WordMatrix,
  numbersAtOnce: number,
  signal: AbortSignal | undefined,
  take: (rows: Float32Array, begin: number, end: number) => void,
): Promise<void> {
  const budget = new Budget(signal);
  const atOnce = Math.max(1, Math.floor(numbersAtOnce / matrix.dimensions));
  for (let begin = 0; begin < matrix.size; begin += atOnce) {
    const end = Math.min(matrix.size, begin + atOnce);
    take(matrix.rows(begin, end), begin, end);
    if (budget.isSpent) await budget.yield();
  }
}

/** All rows as one array. */
export async function copyRows(matrix: WordMatrix): Promise<VectorMatrix> {
  const { size, dimensions } = matrix;
  const data = new Float32Array(size * dimensions);
  await inBlocks(matrix, kNumbersAtOnce, undefined, (rows, begin) => data.set(rows, begin * dimensions));
  return { data, dimensions };
}

/** All rows in few bytes. Errors: INVALID_ARG for another format, the signal's reason. */
export async function quantizeRows(matrix: WordMatrix, format: VectorFormat, signal?: AbortSignal): Promise<QuantizedVectors> {
  const { size: count, dimensions } = matrix;
  // Requires the format too.
  const empty = quantizeVectors([], format);
  const stride = format === 'int8' ? dimensions : bytesOf(dimensions);
  const codes = format === 'int8' ? new Int8Array(count * stride) : new Uint8Array(count * stride);
  const scales = new Float32Array(format === 'int8' ? count : 0);
  await inBlocks(matrix, kNumbersAtOnce / 4, signal, (rows, begin, end) => {
    const vectors = Array.from({ length: end - begin }, (_, i) => rows.subarray(i * dimensions, (i + 1) * dimensions));
    const block = quantizeVectors(vectors, format);
    codes.set(block.codes, begin * stride);
    if (block.format === 'int8') scales.set(block.scales, begin);
  });
  return { ...empty, count, dimensions, codes, ...(format === 'int8' ? { scales } : {}) } as QuantizedVectors;
}
