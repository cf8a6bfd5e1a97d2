import type { FilePath } from '../../file-path.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { callNative } from '../../runtime/native-error.js';
import type { NativeWordVectors } from '../../runtime/words/native-words.js';
import type { QuantizedVectors, VectorFormat } from '../../vectors/quantize-vectors.js';
import { toRows } from '../../vectors/rows.js';
import { similarity } from '../../vectors/similarity.js';
import type { VectorLike, VectorMatrix } from '../../vectors/vector-like.js';
import { saveVectors, type SaveOptions } from '../files/save-vectors.js';
import { nativeWords } from '../native-words.js';
import { copyRows, quantizeRows } from './copy-rows.js';
import { type PlotOptions, plotWords, type WordPlot } from '../plot/plot-words.js';
import { type DocumentOptions, type DocumentsOptions, documentVector, documentVectors } from './documents.js';
import {
  type AnalogyScores,
  evaluateWordAnalogies,
  evaluateWordPairs,
  type EvaluationOptions,
  type WordPairOptions,
  type WordPairScores,
} from './evaluate.js';
import { type FoundRows, mostSimilar, type MostSimilarQuery, searchRows, type SimilarWord, wordsOf } from './most-similar.js';
import { unitOf, weightedSum, WordMatrix } from './word-matrix.js';

/** Options of the short forms of queries. */
export type SearchOptions = Omit<MostSimilarQuery, 'positive' | 'negative'>;

/**
 * Words and their vectors, in native memory, as gensim's KeyedVectors. Queries that look through all words run on the library's pool;
 * what concerns single words is answered at once.
 *
 * A word that is not there: `get` gives undefined, queries throw UNKNOWN_WORD, which names words that are spelled like it; what takes
 * lists of words leaves unknown ones out. A vector of zeros is similar to nothing: 0.
 *
 * @example
 * const kv = await loadWordVectors('words.vec');
 * await kv.mostSimilar('king'); // [{ word: 'queen', similarity: 0.8 }, …]
 * await kv.analogy('man', 'king', 'woman'); // what is to woman as king is to man
 */
export class KeyedVectors {
  readonly #matrix: WordMatrix;

  /** @internal */
  constructor(handle: NativeWordVectors) {
    this.#matrix = new WordMatrix(handle);
  }

  /**
   * Vectors that are there already. Of words that stand twice the first stays; `counts` are how often each was seen.
   *
   * Errors: INVALID_ARG for lists that do not go together.
   */
  static fromVectors(words: readonly string[], vectors: readonly VectorLike[] | VectorMatrix, counts?: readonly number[]): KeyedVectors {
    return new KeyedVectors(newHandle(words, vectors, counts));
  }

  /** Native memory, for training that goes on. @internal */
  get handle(): NativeWordVectors {
    return this.#matrix.handle;
  }

  /** Words. */
  get size(): number {
    return this.#matrix.size;
  }

  /** Whether words that were never seen have vectors too, from their n-grams, as in models of fastText. */
  get hasSubwords(): boolean {
    return this.#matrix.isFastText;
  }

  /** Numbers of a vector. */
  get dimensions(): number {
    return this.#matrix.dimensions;
  }

  /** Bytes of native memory. */
  get bytes(): number {
    return this.#matrix.bytes;
  }

  /** The words in order, which in most files is that of falling frequency; or a part of them. */
  words(begin = 0, end = this.size): string[] {
    return this.#matrix.words(Math.max(0, begin), Math.min(this.size, Math.max(begin, end)));
  }

  has(word: string): boolean {
    return this.#matrix.indexOf(word) >= 0;
  }

  /** The number of a word, -1 for one that is not there. */
  indexOf(word: string): number {
    return this.#matrix.indexOf(word);
  }

  /** A copy of a word's vector, [dimensions]; undefined for a word that has none. */
  get(word: string): Float32Array | undefined {
    return this.#matrix.vector(word);
  }

  /** How often a word was seen, 0 where that is not known. */
  count(word: string): number {
    const row = this.#matrix.indexOf(word);
    return row < 0 ? 0 : this.#matrix.count(row);
  }

  /** All vectors as one array, [size, dimensions]: a copy, made in short turns of the event loop. */
  async toMatrix(): Promise<VectorMatrix> {
    return copyRows(this.#matrix);
  }

  /** The nearest words, best first. Errors: INVALID_ARG, INVALID_OPTION, UNKNOWN_WORD, the signal's reason. */
  async mostSimilar(query: string | MostSimilarQuery, options: SearchOptions = {}): Promise<SimilarWord[]> {
    return mostSimilar(this.#matrix, typeof query === 'string' ? { ...options, positive: query } : query, false);
  }

  /** The same with the scores of Levy and Goldberg's 3CosMul. */
  async mostSimilarCosMul(query: MostSimilarQuery): Promise<SimilarWord[]> {
    return mostSimilar(this.#matrix, query, true);
  }

  /** What is to `c` as `b` is to `a`: king is to man as … is to woman. */
  async analogy(a: string, b: string, c: string, options: SearchOptions = {}): Promise<SimilarWord[]> {
    return this.mostSimilar({ ...options, positive: [b, c], negative: [a] });
  }

  /** Cosine of two words' vectors. Errors: UNKNOWN_WORD. */
  similarity(a: string, b: string): number {
    return similarity(this.#matrix.known(a), this.#matrix.known(b));
  }

  /** 1 - similarity. Errors: UNKNOWN_WORD. */
  distance(a: string, b: string): number {
    return 1 - this.similarity(a, b);
  }

  /** Distances of a word to others. Errors: UNKNOWN_WORD. */
  distances(word: string, others: readonly string[]): number[] {
    return others.map((other) => this.distance(word, other));
  }

  /** Words nearer to `a` than `b` is, the nearest first. Errors: UNKNOWN_WORD. */
  async closerThan(a: string, b: string): Promise<string[]> {
    return wordsOf(this.#matrix, await this.#nearer(a, b));
  }

  /** The place of `b` among the words by their distance to `a`, from 1. Errors: UNKNOWN_WORD. */
  async rank(a: string, b: string): Promise<number> {
    return (await this.#nearer(a, b)).rows.length + 1;
  }

  async #nearer(a: string, b: string): Promise<FoundRows> {
    const above = this.similarity(a, b);
    const excluded = [a, b].map((word) => this.indexOf(word)).filter((row) => row >= 0);
    const search = { topN: this.size, rows: this.size, excluded, above };
    const [found] = await searchRows(this.#matrix, unitOf(this.#matrix.known(a)), search);
    return found!;
  }

  /** The word that is least similar to the mean of all. Errors: INVALID_ARG, UNKNOWN_WORD where none is known. */
  doesntMatch(words: readonly string[]): string {
    const known = this.#known(words, 'doesntMatch');
    const units = known.map((word) => unitOf(this.#matrix.known(word)));
    const mean = weightedSum(
      units,
      units.map(() => 1),
      this.dimensions,
    );
    let [least, odd] = [Infinity, known[0]!];
    units.forEach((unit, i) => {
      const score = unit.reduce((sum, value, z) => sum + value * mean[z]!, 0);
      if (score < least) [least, odd] = [score, known[i]!];
    });
    return odd;
  }

  /** Cosine of the means of two lists of words. Errors: INVALID_ARG, UNKNOWN_WORD where none of a list is known. */
  nSimilarity(a: readonly string[], b: readonly string[]): number {
    const [first, second] = [a, b].map((words) => {
      const vectors = this.#known(words, 'nSimilarity').map((word) => this.#matrix.known(word));
      return weightedSum(
        vectors,
        vectors.map(() => 1 / vectors.length),
        this.dimensions,
      );
    });
    return similarity(first!, second!);
  }

  /** A text's vector from its words. Errors: INVALID_OPTION, INVALID_ARG, UNKNOWN_WORD where none is known. */
  documentVector(words: readonly string[], options?: DocumentOptions): Float32Array {
    return documentVector(this.#matrix, words, options);
  }

  /** Vectors of many texts, zeros for one without known words. Errors: INVALID_OPTION, INVALID_ARG, the signal's reason. */
  async documentVectors(documents: readonly (readonly string[])[], options?: DocumentsOptions): Promise<VectorMatrix> {
    return documentVectors(this.#matrix, documents, options);
  }

  /** Compares similarities with people's, as WordSim-353 and SimLex-999. Errors: IO, INVALID_OPTION, EMPTY_INPUT, the signal's reason. */
  async evaluateWordPairs(file: FilePath, options?: WordPairOptions): Promise<WordPairScores> {
    return evaluateWordPairs(this.#matrix, file, options);
  }

  /** Answers a file of analogies, as questions-words.txt. Errors: IO, DATASET, INVALID_OPTION, the signal's reason. */
  async evaluateWordAnalogies(file: FilePath, options?: EvaluationOptions): Promise<AnalogyScores> {
    return evaluateWordAnalogies(this.#matrix, file, options);
  }

  /** All vectors in few bytes, with the losses that docs/precision.md says. Errors: INVALID_ARG for another format. */
  async quantize(format: VectorFormat): Promise<QuantizedVectors> {
    return quantizeRows(this.#matrix, format);
  }

  /** A picture of chosen words: their first two principal components. Errors: INVALID_ARG, INVALID_OPTION, UNKNOWN_WORD. */
  async plot(words: readonly string[], options?: PlotOptions): Promise<WordPlot> {
    return plotWords(this.#matrix, this.#known(words, 'plot'), options);
  }

  /**
   * Writes the vectors: beside the path first, and over it when all is written.
   *
   * Errors: IO, INVALID_OPTION, INVALID_ARG where the format cannot hold them, the signal's reason.
   */
  async save(path: FilePath, options?: SaveOptions): Promise<void> {
    return saveVectors(this.#matrix, path, options);
  }

  /** The words of a list that have vectors; at least one. */
  #known(words: readonly string[], name: string): string[] {
    if (!Array.isArray(words)) throw wrongArgument(`a list of words for ${name}`, words);
    const known = (words as readonly string[]).filter((word) => this.#matrix.vector(word) !== undefined);
    if (known.length === 0) throw this.#matrix.noneKnown(words);
    return known;
  }
}

function newHandle(words: readonly string[], vectors: readonly VectorLike[] | VectorMatrix, counts?: readonly number[]): NativeWordVectors {
  if (!Array.isArray(words)) throw wrongArgument('a list of words for KeyedVectors.fromVectors', words);
  const rows = toRows(vectors, 'vectors of KeyedVectors.fromVectors');
  if (rows.count !== words.length || words.length === 0) {
    throw unexpected(
      'INVALID_ARG',
      'as many vectors as words, and at least one, for KeyedVectors.fromVectors',
      `${words.length} and ${rows.count}`,
    );
  }
  if (counts !== undefined && counts.length !== words.length) {
    throw unexpected('INVALID_ARG', `${words.length} counts for KeyedVectors.fromVectors`, counts.length);
  }
  const texts = (words as readonly unknown[]).map((word, i) => {
    if (typeof word === 'string' && word !== '') return Buffer.from(word);
    throw wrongArgument(`a word for word ${i} of KeyedVectors.fromVectors`, word);
  });
  const lengths = Int32Array.from(texts, (text) => text.length);
  const values = Float32Array.from(rows.block(0, rows.count));
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw unexpected('INVALID_ARG', `finite numbers for the word ${String(words[Math.floor(bad / rows.width)])}`, values[bad]!);
  const native = nativeWords();
  const bytes = Buffer.concat(texts);
  return callNative(() => {
    const handle = native.newVectors(rows.count, rows.width, bytes.length);
    native.addVectors(handle, bytes, lengths, values, counts === undefined ? null : Float64Array.from(counts));
    return handle;
  });
}
