import { types } from 'node:util';
import { BerthaError } from '../errors.js';
import { abortSignal, integer, oneOf, readOptions, received } from '../options.js';
import { isFloatArray } from '../realms.js';
import { loadAddon } from '../runtime/addon.js';
import { callNative } from '../runtime/native-error.js';
import type { VectorLike } from './similarity.js';
import { Turn } from '../runtime/turn.js';

/** Options of `semanticSearch`. */
export interface SearchOptions {
  /** Results for each query. Default 10. */
  readonly topK?: number | undefined;
  /** Cosine similarity (default) or dot product. */
  readonly score?: 'cosine' | 'dot' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A vector of the corpus and how near it is. */
export interface SearchResult {
  readonly index: number;
  readonly score: number;
}

/** Vectors as rows of one array. */
export interface VectorMatrix {
  /** [rows, dimensions] */
  readonly data: Float32Array;
  readonly dimensions: number;
}

/** Rows of the corpus that one native call takes: a few milliseconds. */
const kBlockRows = 4096;
/** Products that one native call computes at most: several queries share a call where vectors are short. */
const kBlockProducts = 1 << 25;
/** Candidates beyond `topK` that are scored again in float64, so that rounding in float32 cannot decide who is in. */
const kSpare = 16;

interface Rows {
  readonly count: number;
  readonly width: number;
  row(index: number): Float32Array | Float64Array;
}

/**
 * The vectors of a corpus nearest to each query, by exact search: products and top-k in native code, the scores of the best in float64.
 * Equal scores: lower index first.
 *
 * Errors: INVALID_ARG for what is not a vector or vectors of different lengths, INVALID_OPTION, ADDON_LOAD, the signal's reason.
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
    topK: integer(1, 1 << 20),
    score: oneOf(['cosine', 'dot']),
    signal: abortSignal,
  });
  const isCosine = settings.score !== 'dot';
  const wanted = toRows(isVectorList(queries) ? queries : [queries], 'queries');
  const rows = toRows(corpus, 'corpus');
  if (wanted.count > 0 && rows.count > 0 && wanted.width !== rows.width) {
    throw new BerthaError('INVALID_ARG', `Expected queries of ${rows.width} numbers, as the corpus has, but received ${wanted.width}.`);
  }
  settings.signal?.throwIfAborted();
  const topK = Math.min(settings.topK ?? 10, rows.count);
  const candidates: number[][] = Array.from({ length: wanted.count }, () => []);
  const turn = new Turn(settings.signal);
  const queriesOfCall = Math.max(1, Math.floor(kBlockProducts / (kBlockRows * rows.width)));
  const { ops } = loadAddon();
  for (let begin = 0; begin < rows.count; begin += kBlockRows) {
    const count = Math.min(kBlockRows, rows.count - begin);
    const k = Math.min(topK + kSpare, count);
    const right = toMatrix(rows, begin, count, isCosine);
    for (let first = 0; first < wanted.count; first += queriesOfCall) {
      const some = Math.min(queriesOfCall, wanted.count - first);
      const scores = callNative(() =>
        ops.linear(toMatrix(wanted, first, some, isCosine), right, null, null, 'none', some, count, rows.width),
      );
      const best = callNative(() => ops.topK(scores, some, count, k));
      for (let q = 0; q < some; q++) {
        for (let i = 0; i < k; i++) candidates[first + q]!.push(begin + best[q * (1 + 2 * k) + 1 + k + i]!);
      }
      if (turn.isOver) await turn.next();
    }
  }
  const results = candidates.map((list, q) => {
    const score = (index: number) => exactScore(wanted.row(q), rows.row(index), isCosine);
    const scored = list.map((index) => ({ index, score: score(index) }));
    return scored.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topK);
  });
  return isVectorList(queries) ? results : results[0]!;
}

function toRows(vectors: readonly VectorLike[] | VectorMatrix, name: string): Rows {
  if (!isVectorList(vectors)) {
    const { data, dimensions } = (vectors ?? {}) as Partial<VectorMatrix>;
    if (!types.isFloat32Array(data) || !Number.isInteger(dimensions) || dimensions! < 1 || data.length % dimensions! !== 0) {
      throw new BerthaError(
        'INVALID_ARG',
        `Expected vectors, or data and dimensions, for the ${name} of semanticSearch but received ${received(vectors)}.`,
      );
    }
    const width = dimensions!;
    return { count: data.length / width, width, row: (i) => data.subarray(i * width, (i + 1) * width) };
  }
  const list = vectors.map((vector, i) => {
    const values: unknown = ArrayBuffer.isView(vector) ? vector : (vector as { vector?: unknown } | null | undefined)?.vector;
    const isVector = isFloatArray(values);
    if (isVector && values.length > 0 && values.length === lengthOf(vectors[0]!)) return values;
    const got = isVector ? `one of ${values.length} numbers` : received(vector);
    throw new BerthaError(
      'INVALID_ARG',
      `Expected vectors of one length for the ${name} of semanticSearch but received ${got} at index ${i}.`,
    );
  });
  return { count: list.length, width: list[0]?.length ?? 1, row: (i) => list[i]! };
}

const lengthOf = (vector: VectorLike): number => (ArrayBuffer.isView(vector) ? vector : vector.vector).length;

/** [count, width], each row of length 1 if `unit`; a row of zeros stays. */
function toMatrix(rows: Rows, begin: number, count: number, unit: boolean): Float32Array {
  const matrix = new Float32Array(count * rows.width);
  for (let i = 0; i < count; i++) {
    const row = rows.row(begin + i);
    const scale = unit ? 1 / (Math.sqrt(dot(row, row)) || 1) : 1;
    for (let j = 0; j < row.length; j++) matrix[i * rows.width + j] = row[j]! * scale;
  }
  return matrix;
}

function exactScore(a: Float32Array | Float64Array, b: Float32Array | Float64Array, isCosine: boolean): number {
  return isCosine ? dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1) : dot(a, b);
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function isVectorList(value: unknown): value is readonly VectorLike[] {
  return Array.isArray(value);
}
