import { unexpected } from '../../expected.js';
import { flag, readOptions } from '../../options.js';
import type { FilePath } from '../../file-path.js';
import { readEstimator, vectorTensor, writeEstimator } from '../saving/estimator-files.js';
import type { VectorMatrix } from '../../vectors/vector-like.js';
import { type DenseMatrix, type Matrix, toDense } from '../matrix/matrix.js';

/** Options of `StandardScaler`. */
export interface ScalerOptions {
  /** Subtract the columns' means. Default true. */
  readonly withMean?: boolean | undefined;
  /** Divide by the columns' standard deviations. Default true. */
  readonly withStd?: boolean | undefined;
}

/** Scales columns to mean 0 and deviation 1, as scikit-learn's. NaN counts nowhere and stays; a column of one value is not divided. */
export class StandardScaler {
  readonly #withMean: boolean;
  readonly #withStd: boolean;
  /** The columns' means; undefined before fit, or without both options. */
  mean: Float64Array | undefined;
  /** The columns' variances; undefined without `withStd`. */
  variance: Float64Array | undefined;
  /** What columns are divided by. */
  scale: Float64Array | undefined;
  #columns: number | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: ScalerOptions) {
    const { withMean = true, withStd = true } = readOptions('StandardScaler', options, { withMean: flag, withStd: flag });
    [this.#withMean, this.#withStd] = [withMean, withStd];
  }

  /** What `save` wrote. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG. */
  static load(directory: FilePath): Promise<StandardScaler> {
    return readEstimator(directory, 'scaler', ['StandardScaler'], async (reader) => {
      const scaler = reader.make((options) => new StandardScaler(options));
      const columns = reader.count('n_features_in');
      if (columns === 0) throw reader.fields.error('n_features_in', 'a whole number from 1', columns);
      const read = (name: string, isThere: boolean) => (isThere ? reader.vector(name, columns, true) : undefined);
      scaler.mean = await read('mean', scaler.#withMean || scaler.#withStd);
      scaler.variance = await read('var', scaler.#withStd);
      scaler.scale = await read('scale', scaler.#withStd);
      scaler.#columns = columns;
      return scaler;
    });
  }

  /** Writes the scaler into a folder: scaler.json and scaler.safetensors (mean, var, scale). Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    if (this.#columns === undefined)
      throw unexpected('INVALID_ARG', 'a StandardScaler after fit', 'one before', { hint: 'Call fit first.' });
    const all = { mean: this.mean, var: this.variance, scale: this.scale };
    await writeEstimator(directory, 'scaler', {
      type: 'StandardScaler',
      params: { with_mean: this.#withMean, with_std: this.#withStd },
      state: { n_features_in: this.#columns },
      tensors: Object.fromEntries(Object.entries(all).flatMap(([name, data]) => (data === undefined ? [] : [[name, vectorTensor(data)]]))),
    });
  }

  /** Measures the columns of `x`. Errors: INVALID_ARG. */
  fit(x: Matrix): this {
    const { data, rows, columns } = toDense(x, 'x of fit', { allowNaN: true });
    if (rows === 0) throw unexpected('INVALID_ARG', 'rows for x of fit', 'none');
    this.#columns = columns;
    [this.mean, this.variance, this.scale] = [undefined, undefined, undefined];
    if (!this.#withMean && !this.#withStd) return this;
    const [mean, variance, counts] = [new Float64Array(columns), new Float64Array(columns), new Float64Array(columns)];
    for (let i = 0; i < data.length; i++) {
      if (Number.isNaN(data[i])) continue;
      mean[i % columns]! += data[i]!;
      counts[i % columns]!++;
    }
    for (let j = 0; j < columns; j++) mean[j]! /= counts[j]!;
    // The sum of the deviations is what rounding left in the mean: Chan, Golub and LeVeque's correction.
    const rests = new Float64Array(columns);
    for (let i = 0; i < data.length; i++) {
      if (Number.isNaN(data[i])) continue;
      const deviation = data[i]! - mean[i % columns]!;
      rests[i % columns]! += deviation;
      variance[i % columns]! += deviation * deviation;
    }
    for (let j = 0; j < columns; j++) variance[j] = (variance[j]! - rests[j]! ** 2 / counts[j]!) / counts[j]!;
    this.mean = mean;
    if (!this.#withStd) return this;
    this.variance = variance;
    this.scale = variance.map((value, j) => {
      const least = counts[j]! * Number.EPSILON * value + (counts[j]! * mean[j]! * Number.EPSILON) ** 2;
      return value <= least ? 1 : Math.sqrt(value);
    });
    return this;
  }

  /** The rows scaled, in float64. Errors: INVALID_ARG before fit and for another width. */
  transform(x: Matrix): VectorMatrix {
    const dense = toDense(x, 'x of transform', { allowNaN: true });
    requireColumns(dense, this.#columns);
    const { data, columns } = dense;
    const mean = this.#withMean ? this.mean : undefined;
    return {
      data: Float64Array.from(data, (value, i) => (value - (mean?.[i % columns] ?? 0)) / (this.scale?.[i % columns] ?? 1)),
      dimensions: columns,
    };
  }

  /** `fit` and `transform` of the same rows. Errors: INVALID_ARG. */
  fitTransform(x: Matrix): VectorMatrix {
    return this.fit(x).transform(x);
  }
}

/** Requires rows of the width that fit had. Errors: INVALID_ARG, also before fit. */
export function requireColumns({ columns }: Pick<DenseMatrix, 'columns'>, fitted: number | undefined): asserts fitted is number {
  if (fitted === undefined) throw unexpected('INVALID_ARG', 'transform after fit', 'a transform before', { hint: 'Call fit first.' });
  if (columns !== fitted) throw unexpected('INVALID_ARG', `rows of ${fitted} numbers, as at fit, for x`, columns);
}
