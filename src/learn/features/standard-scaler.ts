import { inSlices } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { abortSignal, flag, readOptions } from '../../options.js';
import type { FilePath } from '../../file-path.js';
import { readEstimator, vectorTensor, writeEstimator } from '../saving/estimator-files.js';
import type { FloatArray, VectorMatrix } from '../../vectors/vector-like.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { Rows } from '../../vectors/rows.js';
import { type DenseMatrix, type Matrix, rowBlocks } from '../matrix/matrix.js';

/** What a call over many rows takes. */
export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

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

  /**
   * Measures the columns of `x`, in slices of the event loop.
   *
   * Errors: INVALID_ARG, the signal's reason (the scaler stays as it was).
   */
  async fit(x: Matrix, options?: SignalOption): Promise<this> {
    const { signal } = readOptions('fit', options, { signal: abortSignal });
    const found = await inSlices(this.#measure(x), new Budget(signal));
    [this.mean, this.variance, this.scale, this.#columns] = [found.mean, found.variance, found.scale, found.columns];
    return this;
  }

  /** The rows scaled, in float64. Errors: INVALID_ARG before fit and for another width, the signal's reason. */
  transform(x: Matrix, options?: SignalOption): Promise<VectorMatrix> {
    const { signal } = readOptions('transform', options, { signal: abortSignal });
    return inSlices(this.#scaled(x), new Budget(signal));
  }

  /** `fit` and `transform` of the same rows. Errors: as both. */
  async fitTransform(x: Matrix, options?: SignalOption): Promise<VectorMatrix> {
    return (await this.fit(x, options)).transform(x, options);
  }

  *#measure(x: Matrix): Generator<void, Measured> {
    const rows = rowBlocks(x, 'x of fit');
    if (rows.count === 0) throw unexpected('INVALID_ARG', 'rows for x of fit', 'none');
    const { width: columns } = rows;
    if (!this.#withMean && !this.#withStd) return { columns };
    const [mean, variance, counts] = [new Float64Array(columns), new Float64Array(columns), new Float64Array(columns)];
    yield* eachRow(rows, (data, at) => {
      for (let j = 0; j < columns; j++) {
        if (Number.isNaN(data[at + j])) continue;
        mean[j]! += data[at + j]!;
        counts[j]!++;
      }
    });
    for (let j = 0; j < columns; j++) mean[j]! /= counts[j]!;
    if (!this.#withStd) return { columns, mean };
    // The sum of the deviations is what rounding left in the mean: Chan, Golub and LeVeque's correction.
    const rests = new Float64Array(columns);
    yield* eachRow(rows, (data, at) => {
      for (let j = 0; j < columns; j++) {
        if (Number.isNaN(data[at + j])) continue;
        const deviation = data[at + j]! - mean[j]!;
        rests[j]! += deviation;
        variance[j]! += deviation * deviation;
      }
    });
    for (let j = 0; j < columns; j++) variance[j] = (variance[j]! - rests[j]! ** 2 / counts[j]!) / counts[j]!;
    const scale = variance.map((value, j) => {
      const least = counts[j]! * Number.EPSILON * value + (counts[j]! * mean[j]! * Number.EPSILON) ** 2;
      return value <= least ? 1 : Math.sqrt(value);
    });
    return { columns, mean, variance, scale };
  }

  *#scaled(x: Matrix): Generator<void, VectorMatrix> {
    const rows = rowBlocks(x, 'x of transform');
    requireColumns({ columns: rows.width }, this.#columns);
    const { width } = rows;
    const mean = this.#withMean ? this.mean : undefined;
    const { scale } = this;
    const out = new Float64Array(rows.count * width);
    let row = 0;
    yield* eachRow(rows, (data, at) => {
      const first = row++ * width;
      for (let j = 0; j < width; j++) out[first + j] = (data[at + j]! - (mean?.[j] ?? 0)) / (scale?.[j] ?? 1);
    });
    return { data: out, dimensions: width };
  }
}

/** What `fit` measures. */
interface Measured {
  readonly columns: number;
  readonly mean?: Float64Array;
  readonly variance?: Float64Array;
  readonly scale?: Float64Array;
}

/** Numbers that are looked at between two looks at the clock. */
const kSliceNumbers = 1 << 14;

/** Calls `take` for each row, with the numbers of which it is a part and where it begins, in slices. */
function* eachRow({ count, width, block }: Rows, take: (data: FloatArray, at: number) => void): Generator<void, void> {
  const each = Math.max(1, Math.floor(kSliceNumbers / width));
  for (let begin = 0; begin < count; begin += each) {
    const end = Math.min(count, begin + each);
    const data = block(begin, end);
    for (let row = begin; row < end; row++) take(data, (row - begin) * width);
    yield;
  }
}

/** Requires rows of the width that fit had. Errors: INVALID_ARG, also before fit. */
export function requireColumns({ columns }: Pick<DenseMatrix, 'columns'>, fitted: number | undefined): asserts fitted is number {
  if (fitted === undefined) throw unexpected('INVALID_ARG', 'transform after fit', 'a transform before', { hint: 'Call fit first.' });
  if (columns !== fitted) throw unexpected('INVALID_ARG', `rows of ${fitted} numbers, as at fit, for x`, columns);
}
