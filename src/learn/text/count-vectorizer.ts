import { inSlices } from '../../calls/text-reader.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { abortSignal, callback, type Check, flag, integer, oneOf, readOptions, type Options } from '../../options.js';
import { byCodePoint } from '../../metrics/lists.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { SignalOption } from '../features/standard-scaler.js';
import { SparseBuilder, type SparseMatrix } from '../matrix/sparse-matrix.js';
import { readEstimator, type SavedEstimator, writeEstimator } from '../saving/estimator-files.js';
import { kSlicePieces, sortedSlices } from './sorted-slices.js';
import { type LoadVectorizerOptions, readVectorizer, vectorizerParams } from './saved-vectorizer.js';
import { type AnalyzerOptions, makeAnalyzer, regExp } from './tokenize.js';

/** Options of `CountVectorizer`. */
export interface CountVectorizerOptions extends AnalyzerOptions {
  /** Pieces in fewer texts are left out: how many, or a share (below 1, or 1.0 as `maxDf`). Default 1. */
  readonly minDf?: number | undefined;
  /** Pieces in more texts are left out: how many (above 1), or a share up to 1. Default 1, all texts. */
  readonly maxDf?: number | undefined;
  /** Only the most frequent pieces. */
  readonly maxFeatures?: number | undefined;
  /** The pieces to count, in the order of the columns, instead of those of the texts. */
  readonly vocabulary?: readonly string[] | undefined;
  /** Ones instead of counts. Default false. */
  readonly binary?: boolean | undefined;
}

const strings: Check<readonly string[]> = (value, name) => {
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string')) throw wrongOption(`a list of strings for ${name}`, value);
  return value as readonly string[];
};
const frequency: Check<number> = (value, name) => {
  const isShare = typeof value === 'number' && value >= 0 && value <= 1;
  if (!isShare && !(Number.isInteger(value) && (value as number) > 0))
    throw wrongOption(`a share up to 1 or a whole number for ${name}`, value);
  return value as number;
};
/** The checks of the options. */
export const countSchema = {
  lowercase: flag,
  stripAccents: oneOf(['ascii', 'unicode']),
  stopWords: ((value, name) => (value === 'english' ? value : strings(value, name))) as Check<'english' | readonly string[]>,
  tokenPattern: regExp,
  tokenizer: callback as unknown as Check<(text: string) => readonly string[]>,
  analyzer: oneOf(['word', 'char', 'char_wb']),
  ngramRange: ((value, name) => {
    if (!Array.isArray(value) || value.length !== 2) throw wrongOption(`two numbers for ${name}`, value);
    return value as [number, number];
  }) as Check<readonly [number, number]>,
  minDf: frequency,
  maxDf: frequency,
  maxFeatures: integer(1, 2 ** 31 - 1),
  vocabulary: strings,
  binary: flag,
};

/** How often each piece (a word, a run of words or of characters) occurs in each text, as scikit-learn's. */
export class CountVectorizer {
  readonly #options: Options<typeof countSchema>;
  readonly #analyze: (text: string) => string[];
  #features: readonly string[] | undefined;
  #columns = new Map<string, number>();

  /** Errors: INVALID_OPTION. */
  constructor(options?: CountVectorizerOptions) {
    this.#options = readOptions('CountVectorizer', options, countSchema);
    this.#analyze = makeAnalyzer(this.#options);
    if (this.#options.vocabulary !== undefined) this.#setFeatures(this.#options.vocabulary);
  }

  /** A vectorizer with the pieces that fit chose before. @internal */
  static restore(options: CountVectorizerOptions, features: readonly string[]): CountVectorizer {
    const vectorizer = new CountVectorizer(options);
    vectorizer.#setFeatures(features);
    return vectorizer;
  }

  /**
   * What `save` wrote. Options: `tokenizer` and `tokenPattern`, where functions or patterns of Python were used.
   *
   * Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG, INVALID_OPTION.
   */
  static load(directory: FilePath, options?: LoadVectorizerOptions): Promise<CountVectorizer> {
    return readEstimator(directory, 'vectorizer', ['CountVectorizer'], (reader) =>
      readVectorizer(reader, options, (read, features) => CountVectorizer.restore(read, features)),
    );
  }

  /** Writes the vectorizer into a folder: vectorizer.json. Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    await writeEstimator(directory, 'vectorizer', this.saved());
  }

  /** What is saved. Errors: INVALID_ARG before fit. @internal */
  saved(): SavedEstimator {
    const { params, state } = vectorizerParams(this.#options);
    return { type: 'CountVectorizer', params, state: { ...state, vocabulary: this.getFeatureNamesOut() } };
  }

  /**
   * Chooses the pieces, in slices of the event loop.
   *
   * Errors: INVALID_ARG; INVALID_OPTION for minDf above maxDf; EMPTY_INPUT where no piece is left; the signal's reason.
   */
  async fit(texts: readonly string[], options?: SignalOption): Promise<this> {
    await this.fitTransform(texts, options);
    return this;
  }

  /** Chooses the pieces and counts them, [texts, pieces]. Errors: as `fit`. */
  async fitTransform(texts: readonly string[], options?: SignalOption): Promise<SparseMatrix> {
    requireTexts(texts, 'fit');
    if (this.#options.vocabulary !== undefined) return this.transform(texts, options);
    const budget = budgetOf('fit', options);
    const counted = await inSlices(this.#counted(texts), budget);
    this.#setFeatures(await inSlices(this.#choose(counted), budget));
    return inSlices(this.#matrix(counted), budget);
  }

  /** Counts the pieces of texts, [texts, pieces]; unknown ones are nothing. Errors: INVALID_ARG, the signal's reason. */
  async transform(texts: readonly string[], options?: SignalOption): Promise<SparseMatrix> {
    requireTexts(texts, 'transform');
    this.getFeatureNamesOut();
    const budget = budgetOf('transform', options);
    return inSlices(this.#matrix(await inSlices(this.#counted(texts), budget)), budget);
  }

  /** The pieces, in the order of the columns. Errors: INVALID_ARG before fit. */
  getFeatureNamesOut(): readonly string[] {
    if (this.#features === undefined) throw unexpected('INVALID_ARG', 'a vectorizer after fit', 'one before', { hint: 'Call fit first.' });
    return this.#features;
  }

  #setFeatures(features: readonly string[]): void {
    this.#columns = new Map(features.map((feature, i) => [feature, i]));
    if (this.#columns.size !== features.length)
      throw unexpected('INVALID_OPTION', 'different pieces for option vocabulary', 'one of them twice');
    if (features.length === 0)
      throw unexpected('EMPTY_INPUT', 'pieces to count', 'none', {
        hint: 'Do the texts consist of stop words, or is tokenPattern or minDf too narrow?',
      });
    this.#features = features;
  }

  /** How often each piece occurs in each text, in slices. */
  *#counted(texts: readonly string[]): Generator<void, Map<string, number>[]> {
    const counted: Map<string, number>[] = [];
    for (const text of texts) {
      const counts = new Map<string, number>();
      for (const piece of this.#analyze(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
      counted.push(counts);
      yield;
    }
    return counted;
  }

  *#choose(counted: readonly ReadonlyMap<string, number>[]): Generator<void, readonly string[]> {
    const [texts, all] = [new Map<string, number>(), new Map<string, number>()];
    for (const counts of counted) {
      for (const [piece, count] of counts) {
        texts.set(piece, (texts.get(piece) ?? 0) + 1);
        all.set(piece, (all.get(piece) ?? 0) + (this.#options.binary === true ? 1 : count));
      }
      yield;
    }
    const { minDf = 1, maxDf = 1, maxFeatures = Infinity } = this.#options;
    const least = minDf >= 1 ? minDf : minDf * counted.length;
    const most = maxDf > 1 ? maxDf : maxDf * counted.length;
    if (texts.size === 0) return [];
    if (most < least) throw unexpected('INVALID_OPTION', 'minDf that is not above maxDf', `${least} and ${most} texts`);
    const kept: string[] = [];
    for (const [piece, count] of texts) {
      if (count >= least && count <= most) kept.push(piece);
      if (kept.length % kSlicePieces === 0) yield;
    }
    const sorted = yield* sortedSlices(kept, byCodePoint);
    if (sorted.length <= maxFeatures) return sorted;
    const frequent = new Set((yield* sortedSlices(sorted, (a, b) => all.get(b)! - all.get(a)!)).slice(0, maxFeatures));
    return sorted.filter((piece) => frequent.has(piece));
  }

  *#matrix(counted: readonly ReadonlyMap<string, number>[]): Generator<void, SparseMatrix> {
    const builder = new SparseBuilder(this.#columns.size);
    for (const counts of counted) {
      const row: [number, number][] = [];
      for (const [piece, count] of counts) {
        const column = this.#columns.get(piece);
        if (column !== undefined) row.push([column, this.#options.binary === true ? 1 : count]);
      }
      for (const [column, count] of row.sort(([a], [b]) => a - b)) builder.push(column, count);
      builder.endRow();
      yield;
    }
    return builder.matrix();
  }
}

/** The budget of a call by its options. Errors: INVALID_OPTION. */
export function budgetOf(call: string, options: SignalOption | undefined): Budget {
  const { signal } = readOptions(call, options, { signal: abortSignal });
  signal?.throwIfAborted();
  return new Budget(signal);
}

function requireTexts(texts: readonly string[], call: string): void {
  if (!Array.isArray(texts)) throw unexpected('INVALID_ARG', `a list of texts for ${call}`, typeof texts);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw unexpected('INVALID_ARG', `a string for text ${wrong} of ${call}`, typeof texts[wrong]);
}
