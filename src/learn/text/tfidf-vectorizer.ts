import { inSlices } from '../../calls/text-reader.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { type Check, flag, readOptions } from '../../options.js';
import { type SparseMatrix, trustedSparse } from '../matrix/sparse-matrix.js';
import type { SignalOption } from '../features/standard-scaler.js';
import { readEstimator, vectorTensor, writeEstimator } from '../saving/estimator-files.js';
import { budgetOf, countSchema, CountVectorizer, type CountVectorizerOptions } from './count-vectorizer.js';
import { type LoadVectorizerOptions, readVectorizer } from './saved-vectorizer.js';

/** Options of `TfidfVectorizer`. */
export interface TfidfVectorizerOptions extends CountVectorizerOptions {
  /** Rows of length 1: by squares (default), by sums, or as they are. */
  readonly norm?: 'l1' | 'l2' | null | undefined;
  /** Weigh pieces by how few texts have them. Default true. */
  readonly useIdf?: boolean | undefined;
  /** As if one more text had every piece. Default true. */
  readonly smoothIdf?: boolean | undefined;
  /** 1 + log of the count instead of the count. Default false. */
  readonly sublinearTf?: boolean | undefined;
}

const norm: Check<'l1' | 'l2' | null> = (value, name) => {
  if (value !== 'l1' && value !== 'l2' && value !== null) throw wrongOption(`"l1", "l2" or null for ${name}`, value);
  return value;
};
const ownSchema = { norm, useIdf: flag, smoothIdf: flag, sublinearTf: flag };

/** Counts of pieces, weighed by how rare they are: scikit-learn's TfidfVectorizer. */
export class TfidfVectorizer {
  #counts: CountVectorizer;
  readonly #norm: 'l1' | 'l2' | null;
  readonly #useIdf: boolean;
  readonly #smoothIdf: boolean;
  readonly #sublinearTf: boolean;
  #idf: Float64Array | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: TfidfVectorizerOptions) {
    const all = readOptions('TfidfVectorizer', options, { ...countSchema, ...ownSchema });
    const { norm: length, useIdf, smoothIdf, sublinearTf, ...counting } = all;
    this.#norm = length === undefined ? 'l2' : length;
    this.#useIdf = useIdf ?? true;
    this.#smoothIdf = smoothIdf ?? true;
    this.#sublinearTf = sublinearTf ?? false;
    this.#counts = new CountVectorizer(counting as CountVectorizerOptions);
  }

  /** A vectorizer with given pieces and weights, of which one was fitted. Errors: INVALID_OPTION, INVALID_ARG. */
  static from(features: readonly string[], idf: Float64Array, options?: TfidfVectorizerOptions): TfidfVectorizer {
    const vectorizer = new TfidfVectorizer({ ...options, vocabulary: features });
    if (idf.length !== features.length) throw unexpected('INVALID_ARG', `${features.length} weights for TfidfVectorizer.from`, idf.length);
    vectorizer.#idf = idf;
    return vectorizer;
  }

  /**
   * What `save` wrote. Options: `tokenizer` and `tokenPattern`, where functions or patterns of Python were used.
   *
   * Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG, INVALID_OPTION.
   */
  static load(directory: FilePath, options?: LoadVectorizerOptions): Promise<TfidfVectorizer> {
    return readEstimator(directory, 'vectorizer', ['TfidfVectorizer'], async (reader) => {
      const vectorizer = readVectorizer(reader, options, (read, features) => {
        const made = new TfidfVectorizer(read);
        const {
          norm: _norm,
          useIdf: _useIdf,
          smoothIdf: _smoothIdf,
          sublinearTf: _sublinearTf,
          ...counting
        } = read as TfidfVectorizerOptions;
        made.#counts = CountVectorizer.restore(counting, features);
        return made;
      });
      if (vectorizer.#useIdf) vectorizer.#idf = await reader.vector('idf', vectorizer.getFeatureNamesOut().length);
      return vectorizer;
    });
  }

  /** Writes the vectorizer into a folder: vectorizer.json and vectorizer.safetensors (idf). Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    const { params, state } = this.#counts.saved();
    if (this.#useIdf && this.#idf === undefined) throw unexpected('INVALID_ARG', 'a vectorizer after fit', 'one before');
    await writeEstimator(directory, 'vectorizer', {
      type: 'TfidfVectorizer',
      params: { ...params, norm: this.#norm, use_idf: this.#useIdf, smooth_idf: this.#smoothIdf, sublinear_tf: this.#sublinearTf },
      ...(state === undefined ? {} : { state }),
      ...(this.#idf === undefined ? {} : { tensors: { idf: vectorTensor(this.#idf) } }),
    });
  }

  /** The pieces' weights, in the order of the columns; undefined before fit and without `useIdf`. */
  get idf(): Float64Array | undefined {
    return this.#idf;
  }

  /** Chooses the pieces and weighs them. Errors: as `CountVectorizer.fit`. */
  async fit(texts: readonly string[], options?: SignalOption): Promise<this> {
    await this.fitTransform(texts, options);
    return this;
  }

  /** Chooses and weighs the pieces, and gives the rows of the same texts. Errors: as `CountVectorizer.fit`. */
  async fitTransform(texts: readonly string[], options?: SignalOption): Promise<SparseMatrix> {
    const budget = budgetOf('fit', options);
    const counts = await this.#counts.fitTransform(texts, options);
    this.#idf = this.#useIdf ? await inSlices(this.#weights(counts), budget) : undefined;
    return inSlices(this.#weigh(counts), budget);
  }

  /** The rows of texts, [texts, pieces]. Errors: INVALID_ARG, the signal's reason. */
  async transform(texts: readonly string[], options?: SignalOption): Promise<SparseMatrix> {
    return inSlices(this.#weigh(await this.#counts.transform(texts, options)), budgetOf('transform', options));
  }

  /** The pieces, in the order of the columns. Errors: INVALID_ARG before fit. */
  getFeatureNamesOut(): readonly string[] {
    return this.#counts.getFeatureNamesOut();
  }

  *#weights(counts: SparseMatrix): Generator<void, Float64Array> {
    const present = new Float64Array(counts.columns);
    for (let row = 0; row < counts.rows; row++) {
      counts.each(row, (column) => present[column]!++);
      yield;
    }
    const extra = this.#smoothIdf ? 1 : 0;
    return present.map((count) => Math.log((counts.rows + extra) / (count + extra)) + 1);
  }

  *#weigh(counts: SparseMatrix): Generator<void, SparseMatrix> {
    const { indptr, indices, columns } = counts;
    const values = new Float64Array(counts.values.length);
    for (let row = 0; row < counts.rows; row++) {
      let sum = 0;
      for (let i = indptr[row]!; i < indptr[row + 1]!; i++) {
        const count = counts.values[i]!;
        const value = (this.#sublinearTf ? 1 + Math.log(count) : count) * (this.#idf?.[indices[i]!] ?? 1);
        values[i] = value;
        sum += this.#norm === 'l1' ? Math.abs(value) : value * value;
      }
      const length = this.#norm === 'l1' ? sum : Math.sqrt(sum);
      if (this.#norm !== null && length > 0) for (let i = indptr[row]!; i < indptr[row + 1]!; i++) values[i]! /= length;
      yield;
    }
    return trustedSparse({ indptr, indices, values, columns });
  }
}
