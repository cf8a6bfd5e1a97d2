import { unexpected, wrongArgument } from '../../expected.js';
import { abortSignal, type Check, flag, finite, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { VectorMatrix } from '../../vectors/vector-like.js';
import type { WordMatrix } from './word-matrix.js';

/**
 * How a text's words are weighed: all alike, by a / (a + share of the corpus) as SIF does (Arora, Liang and Ma 2017; it needs counts), or
 * by a map, such as one of inverse document frequencies; a word that it lacks is left out.
 */
export type WordWeights = 'mean' | 'sif' | ReadonlyMap<string, number>;

/** Options of `documentVector`. */
export interface DocumentOptions {
  /** Default `mean`. */
  readonly weights?: WordWeights | undefined;
  /** SIF's a. Default 1e-3. */
  readonly a?: number | undefined;
}

/** Options of `documentVectors`. */
export interface DocumentsOptions extends DocumentOptions {
  /** Take the first principal direction of all texts out of each. Default: with `sif`. */
  readonly removePrincipal?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const weightsCheck: Check<WordWeights> = (value, name) => {
  const isMap = typeof value === 'object' && value !== null && typeof (value as { get?: unknown }).get === 'function';
  if (value === 'mean' || value === 'sif' || isMap) return value as WordWeights;
  throw unexpected('INVALID_OPTION', `"mean", "sif" or a Map of weights for ${name}`, String(value));
};
const schema = { weights: weightsCheck, a: finite };
const listSchema = { ...schema, removePrincipal: flag, signal: abortSignal };

/** The weighted mean of the known words of one text. Errors: INVALID_OPTION, INVALID_ARG, UNKNOWN_WORD where none is known. */
export function documentVector(matrix: WordMatrix, words: readonly string[], options?: DocumentOptions): Float32Array {
  const { weights = 'mean', a = 1e-3 } = readOptions('documentVector', options, schema);
  checkWords(words, 'documentVector');
  const { sum, known } = weigher(matrix, weights, a)(words);
  if (known === 0) throw matrix.noneKnown(words);
  return Float32Array.from(sum);
}

/**
 * The same of many texts, zeros for one without a known word. [texts, dimensions]
 *
 * Errors: INVALID_OPTION, INVALID_ARG, the signal's reason.
 */
export async function documentVectors(
  matrix: WordMatrix,
  documents: readonly (readonly string[])[],
  options?: DocumentsOptions,
): Promise<VectorMatrix> {
  const { weights = 'mean', a = 1e-3, removePrincipal = weights === 'sif', signal } = readOptions('documentVectors', options, listSchema);
  if (!Array.isArray(documents)) throw wrongArgument('a list of lists of words for documentVectors', documents);
  const budget = new Budget(signal);
  const weigh = weigher(matrix, weights, a);
  const rows = new Float64Array(documents.length * matrix.dimensions);
  for (let i = 0; i < documents.length; i++) {
    checkWords(documents[i]!, `documentVectors, text ${i}`);
    rows.set(weigh(documents[i]!).sum, i * matrix.dimensions);
    if (budget.isSpent) await budget.yield();
  }
  if (removePrincipal) await removeDirection(rows, matrix.dimensions, budget);
  return { data: Float32Array.from(rows), dimensions: matrix.dimensions };
}

function checkWords(words: unknown, name: string): asserts words is readonly string[] {
  if (!Array.isArray(words)) throw wrongArgument(`a list of words for ${name}`, words);
  const wrong = words.findIndex((word) => typeof word !== 'string');
  if (wrong >= 0) throw wrongArgument(`a string for word ${wrong} of ${name}`, words[wrong]);
}

/** Sums the weighted vectors of known words; of `sif` by their number, as its paper does, else by the weights. */
function weigher(
  matrix: WordMatrix,
  weights: WordWeights,
  a: number,
): (words: readonly string[]) => { readonly sum: Float64Array; readonly known: number } {
  const total = weights === 'sif' ? totalCount(matrix) : 0;
  const weightOf = (word: string): number | undefined => {
    if (weights === 'mean') return 1;
    if (weights !== 'sif') return weights.get(word);
    const row = matrix.indexOf(word);
    return a / (a + (row < 0 ? 0 : matrix.count(row) / total));
  };
  return (words) => {
    const sum = new Float64Array(matrix.dimensions);
    let [known, scale] = [0, 0];
    for (const word of words) {
      const vector = matrix.vector(word);
      const weight = weightOf(word);
      if (vector === undefined || weight === undefined) continue;
      known++;
      scale += weights === 'sif' ? 1 : weight;
      for (let z = 0; z < sum.length; z++) sum[z]! += weight * vector[z]!;
    }
    if (scale !== 0) for (let z = 0; z < sum.length; z++) sum[z]! /= scale;
    return { sum, known };
  };
}

function totalCount(matrix: WordMatrix): number {
  let total = 0;
  for (let row = 0; row < matrix.size; row++) total += matrix.count(row);
  if (total > 0) return total;
  throw unexpected('INVALID_OPTION', 'vectors with counts for weights "sif"', 'none', {
    hint: 'Load them with the option vocabulary, or give a Map of weights.',
  });
}

const kMostRounds = 5000;

/** Takes the first right singular vector of rows [n, d] out of them, found by power iteration on their products. */
async function removeDirection(rows: Float64Array, dimensions: number, budget: Budget): Promise<void> {
  const products = await gram(rows, dimensions, budget);
  let direction = Float64Array.from({ length: dimensions }, (_, z) => products[z * dimensions + z]! + 1e-3 * (z + 1));
  for (let round = 0; round < kMostRounds; round++) {
    const next = new Float64Array(dimensions);
    for (let y = 0; y < dimensions; y++) {
      let sum = 0;
      for (let z = 0; z < dimensions; z++) sum += products[y * dimensions + z]! * direction[z]!;
      next[y] = sum;
    }
    const length = Math.hypot(...next);
    if (length === 0) return;
    let change = 0;
    for (let z = 0; z < dimensions; z++) change = Math.max(change, Math.abs((next[z]! /= length) - direction[z]!));
    direction = next;
    if (change < 1e-15) break;
    if (budget.isSpent) await budget.yield();
  }
  for (let begin = 0; begin < rows.length; begin += dimensions) {
    let along = 0;
    for (let z = 0; z < dimensions; z++) along += rows[begin + z]! * direction[z]!;
    for (let z = 0; z < dimensions; z++) rows[begin + z]! -= along * direction[z]!;
    if (budget.isSpent) await budget.yield();
  }
}

/** Σ rowᵀ row, [d, d]. */
async function gram(rows: Float64Array, dimensions: number, budget: Budget): Promise<Float64Array> {
  const products = new Float64Array(dimensions * dimensions);
  for (let begin = 0; begin < rows.length; begin += dimensions) {
    for (let y = 0; y < dimensions; y++) {
      const value = rows[begin + y]!;
      if (value === 0) continue;
      for (let z = 0; z < dimensions; z++) products[y * dimensions + z]! += value * rows[begin + z]!;
    }
    if (budget.isSpent) await budget.yield();
  }
  return products;
}
