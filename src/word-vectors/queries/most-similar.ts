import { unexpected, wrongArgument } from '../../expected.js';
import { abortSignal, type Check, integer, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { type Components, componentsOf, lengthError } from '../../vectors/vector-like.js';
import { nativeWords, untilAborted } from '../native-words.js';
import { unitOf, weightedSum, type WordMatrix } from './word-matrix.js';

/** A word, a vector, or either with its weight. */
export type QueryTerm = string | Components | readonly [term: string | Components, weight: number];

/** What is looked for: words near the `positive` and far from the `negative` ones. */
export interface MostSimilarQuery {
  readonly positive?: QueryTerm | readonly QueryTerm[] | undefined;
  readonly negative?: QueryTerm | readonly QueryTerm[] | undefined;
  /** Words to find. Default 10. */
  readonly topN?: number | undefined;
  /** Look among so many words from the front, which in most files are the most frequent ones. Default: all. */
  readonly restrictVocab?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A word that was found. */
export interface SimilarWord {
  readonly word: string;
  /** Cosine; of `mostSimilarCosMul` its quotient. */
  readonly similarity: number;
}

const anything: Check<unknown> = (value) => value;
const schema = {
  positive: anything,
  negative: anything,
  topN: integer(1, Number.MAX_SAFE_INTEGER),
  restrictVocab: integer(1, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
};

interface Term {
  readonly vector: ArrayLike<number>;
  readonly weight: number;
  /** Of a word, its row: no query finds its own words. */
  readonly row: number;
}

/**
 * The words whose vectors are nearest to the query's, best first; never the query's own words. The matrix is read where it lies, on the
 * pool. With `isProduct` scores are 3CosMul's (Levy and Goldberg 2014).
 *
 * Errors: INVALID_OPTION, INVALID_ARG, UNKNOWN_WORD, the signal's reason.
 */
export async function mostSimilar(matrix: WordMatrix, query: MostSimilarQuery, isProduct: boolean): Promise<SimilarWord[]> {
  const name = isProduct ? 'mostSimilarCosMul' : 'mostSimilar';
  const { positive, negative, topN = 10, restrictVocab = matrix.size, signal } = readOptions(name, query, schema);
  const [above, below] = [termsOf(matrix, positive, 'positive', name), termsOf(matrix, negative, 'negative', name)];
  const terms = [...above, ...below.map((term) => ({ ...term, weight: -term.weight }))];
  if (terms.length === 0 || (isProduct && above.length === 0)) {
    throw unexpected('INVALID_ARG', `at least one ${isProduct ? 'positive ' : ''}word or vector for ${name}`, 'none');
  }
  const units = terms.map(({ vector }) => unitOf(vector));
  const queries = isProduct
    ? Float64Array.from(units.flatMap((unit) => Array.from(unit)))
    : weightedSum(
        units,
        terms.map(({ weight }) => weight),
        matrix.dimensions,
      );
  const excluded = terms.map(({ row }) => row).filter((row) => row >= 0);
  const options = { topN, rows: Math.min(matrix.size, restrictVocab), excluded, positives: isProduct ? above.length : -1, signal };
  const [found] = await searchRows(matrix, queries, options);
  const { scores } = found!;
  return (await wordsOf(matrix, found!, signal)).map((word, i) => ({ word, similarity: scores[i]! }));
}

/** How `searchRows` looks. */
export interface RowSearch {
  readonly topN: number;
  /** Rows from the front. */
  readonly rows: number;
  readonly excluded: readonly number[];
  /** Queries that multiply, of 3CosMul; -1, the default: each query for itself. */
  readonly positives?: number;
  /** All rows with a higher cosine, instead of the best `topN`. */
  readonly above?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that were found for a query, best first, and their scores. */
export interface FoundRows {
  readonly rows: Int32Array;
  readonly scores: Float64Array;
}

/** The best rows for each of queries [count, dimensions]. Errors: the signal's reason. */
export async function searchRows(
  matrix: WordMatrix,
  queries: Float64Array,
  { topN, rows, excluded, positives = -1, above = NaN, signal }: RowSearch,
): Promise<FoundRows[]> {
  const native = nativeWords();
  const search = native.newWordSearch(matrix.handle, queries, topN, rows, Int32Array.from(excluded), positives, above);
  const stop = (): void => native.cancelWordSearch(search);
  const { indices, scores, counts } = await untilAborted(signal, stop, () => native.searchWords(search));
  let next = 0;
  return Array.from(counts, (count) => {
    const begin = next;
    next += count;
    return { rows: indices.subarray(begin, next), scores: scores.subarray(begin, next) };
  });
}

/** Words that are made into strings between two looks at the clock. */
const kWordsAtOnce = 256;

/** The words of rows that were found, in short turns of the event loop. Errors: the signal's reason. */
export async function wordsOf(matrix: WordMatrix, { rows }: FoundRows, signal?: AbortSignal): Promise<string[]> {
  const budget = new Budget(signal);
  const words: string[] = [];
  for (const row of rows) {
    words.push(matrix.words(row, row + 1)[0]!);
    if (words.length % kWordsAtOnce === 0 && budget.isSpent) await budget.yield();
  }
  return words;
}

function termsOf(matrix: WordMatrix, given: unknown, side: string, name: string): Term[] {
  if (given === undefined) return [];
  // A vector may be a plain list of numbers, and a term a pair: a list of terms is what holds something else.
  const isOne = typeof given === 'string' || ArrayBuffer.isView(given) || (Array.isArray(given) && isPairOrVector(given));
  const list: readonly unknown[] = isOne ? [given] : Array.isArray(given) ? given : [given];
  return list.map((term, i) => termOf(matrix, term, `${side}[${i}] of ${name}`));
}

function isPairOrVector(list: readonly unknown[]): boolean {
  return typeof list[0] === 'number' || (list.length === 2 && typeof list[1] === 'number');
}

function termOf(matrix: WordMatrix, term: unknown, name: string): Term {
  const isPair = Array.isArray(term) && term.length === 2 && typeof term[0] !== 'number' && typeof term[1] === 'number';
  const [value, weight] = isPair ? (term as [unknown, number]) : [term, 1];
  if (!Number.isFinite(weight)) throw unexpected('INVALID_ARG', `a finite weight for ${name}`, weight);
  if (typeof value === 'string') return { vector: matrix.known(value), weight, row: matrix.indexOf(value) };
  if (typeof value !== 'object' || value === null)
    throw wrongArgument(`a word, a vector, or one of them with a weight, for ${name}`, value);
  const vector = componentsOf(value, name);
  if (vector.length !== matrix.dimensions) throw lengthError(name, matrix.dimensions, vector.length);
  return { vector, weight, row: -1 };
}
