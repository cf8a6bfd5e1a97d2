import { unexpected, wrongOption } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { abortSignal, type Check, flag, readOptions } from '../../options.js';
import { dot, type VectorMatrix } from '../../vectors/vector-like.js';
import { type Matrix, shapeOf, toDense } from '../matrix/matrix.js';
import { NativeRows, symmetricEigen } from '../matrix/native-rows.js';
import { readEstimator, rowsTensor, vectorTensor, writeEstimator } from '../saving/estimator-files.js';

/** Options of `PCA`. */
export interface PcaOptions {
  /** A number of components, or below 1 the share of the variance that they keep. Default: all. */
  readonly nComponents?: number | undefined;
  /** Divide what `transform` gives by the components' deviations. Default false. */
  readonly whiten?: boolean | undefined;
}

interface Fitted {
  readonly mean: Float64Array;
  readonly components: readonly Float64Array[];
  readonly explainedVariance: Float64Array;
  readonly explainedVarianceRatio: Float64Array;
  readonly singularValues: Float64Array;
  readonly noiseVariance: number;
}

/** Columns at most: the covariance has their square. */
const kMostColumns = 8192;

const componentsCheck: Check<number> = (value, name) => {
  if (typeof value === 'number' && ((value > 0 && value < 1) || (Number.isInteger(value) && value >= 1))) return value;
  throw wrongOption(`a whole number from 1, or a share between 0 and 1, for ${name}`, value);
};
const schema = { nComponents: componentsCheck, whiten: flag };

/**
 * Principal components, as scikit-learn's PCA: the eigenvectors of the columns' covariance, in float64 on the pool. In each the entry of
 * largest absolute value is positive.
 *
 * @example
 * const pca = await new PCA({ nComponents: 2 }).fit(vectors);
 * const points = await pca.transform(vectors); // { data [texts, 2], dimensions: 2 }
 */
export class PCA {
  readonly #nComponents: number | undefined;
  readonly #whiten: boolean;
  #fitted: Fitted | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: PcaOptions) {
    const { nComponents, whiten = false } = readOptions('PCA', options, schema);
    [this.#nComponents, this.#whiten] = [nComponents, whiten];
  }

  /** What `save` wrote. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG. */
  static load(directory: FilePath): Promise<PCA> {
    return readEstimator(directory, 'pca', ['PCA'], async (reader) => {
      const pca = reader.make((options) => new PCA(options));
      const components = await reader.rows('components');
      const numbers = (name: string): Promise<Float64Array> => reader.vector(name, components.length);
      const noiseVariance = reader.fields.get('noise_variance');
      if (typeof noiseVariance !== 'number') throw reader.fields.error('noise_variance', 'a number', noiseVariance);
      pca.#fitted = {
        mean: await reader.vector('mean', components[0]!.length),
        components,
        explainedVariance: await numbers('explained_variance'),
        explainedVarianceRatio: await reader.vector('explained_variance_ratio', components.length, true),
        singularValues: await numbers('singular_values'),
        noiseVariance,
      };
      return pca;
    });
  }

  /** Writes the components into a folder: pca.json and pca.safetensors. Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    const fitted = this.#result();
    await writeEstimator(directory, 'pca', {
      type: 'PCA',
      params: { n_components: this.#nComponents, whiten: this.#whiten },
      state: { noise_variance: fitted.noiseVariance },
      tensors: {
        components: rowsTensor(fitted.components),
        mean: vectorTensor(fitted.mean),
        explained_variance: vectorTensor(fitted.explainedVariance),
        explained_variance_ratio: vectorTensor(fitted.explainedVarianceRatio),
        singular_values: vectorTensor(fitted.singularValues),
      },
    });
  }

  /** Vectors of length 1, [components][columns]. Errors: INVALID_ARG before fit, as the other results. */
  get components(): readonly Float64Array[] {
    return this.#result().components;
  }

  /** The columns' means. */
  get mean(): Float64Array {
    return this.#result().mean;
  }

  /** The variance along each component. */
  get explainedVariance(): Float64Array {
    return this.#result().explainedVariance;
  }

  /** The share of the whole variance along each component. */
  get explainedVarianceRatio(): Float64Array {
    return this.#result().explainedVarianceRatio;
  }

  /** The singular values of the rows less their mean. */
  get singularValues(): Float64Array {
    return this.#result().singularValues;
  }

  /** The mean variance of what was left out. */
  get noiseVariance(): number {
    return this.#result().noiseVariance;
  }

  /** How many components are kept. */
  get nComponents(): number {
    return this.#result().components.length;
  }

  /**
   * Finds the components.
   *
   * Errors: INVALID_ARG for fewer than 2 rows, more components than rows or columns, more than 8192 columns and numbers that are not
   * finite; OUT_OF_MEMORY, the signal's reason (the object stays as it was).
   */
  async fit(x: Matrix, options?: { readonly signal?: AbortSignal | undefined }): Promise<this> {
    const { signal } = readOptions('fit', options, { signal: abortSignal });
    const { rows: count, columns } = shapeOf(x, 'x of fit');
    if (count < 2) throw unexpected('INVALID_ARG', 'two rows or more for x of fit', count);
    if (columns > kMostColumns) throw unexpected('INVALID_ARG', `at most ${kMostColumns} columns for x of fit`, columns);
    const rank = Math.min(count, columns);
    const wanted = this.#nComponents ?? rank;
    if (wanted > rank) throw unexpected('INVALID_ARG', `at most ${rank} components of ${count} rows of ${columns} numbers`, wanted);
    const rows = await NativeRows.copy(x, 'x of fit', signal);
    const mean = await rows.means();
    signal?.throwIfAborted();
    const products = await rows.products(mean);
    signal?.throwIfAborted();
    const { values, vectors } = await symmetricEigen(products, columns);
    signal?.throwIfAborted();
    const variances = values.subarray(0, rank).map((value) => Math.max(0, value) / (count - 1));
    const total = variances.reduce((sum, value) => sum + value, 0);
    const kept = wanted < 1 ? sharedBy(variances, total, wanted) : wanted;
    const rest = variances.subarray(kept);
    this.#fitted = {
      mean,
      components: Array.from({ length: kept }, (_, i) => positive(vectors.slice(i * columns, (i + 1) * columns))),
      explainedVariance: variances.slice(0, kept),
      explainedVarianceRatio: variances.slice(0, kept).map((value) => value / total),
      singularValues: values.slice(0, kept).map((value) => Math.sqrt(Math.max(0, value))),
      noiseVariance: rest.length === 0 ? 0 : rest.reduce((sum, value) => sum + value, 0) / rest.length,
    };
    return this;
  }

  /** Rows by their components, { data [rows, components], dimensions }. Errors: INVALID_ARG, also before fit and for another width. */
  async transform(x: Matrix): Promise<VectorMatrix> {
    const { mean, components } = this.#result();
    const { rows: count, columns } = shapeOf(x, 'x of transform');
    const dimensions = components.length;
    if (count === 0) return { data: new Float64Array(0), dimensions };
    if (columns !== mean.length) throw unexpected('INVALID_ARG', `rows of ${mean.length} numbers, as at fit, for x of transform`, columns);
    const rows = await NativeRows.copy(x, 'x of transform');
    const weights = new Float64Array(dimensions * (columns + 1));
    components.forEach((component, i) => {
      const scale = this.#scale(i);
      weights.set(
        component.map((value) => value / scale),
        i * columns,
      );
      weights[dimensions * columns + i] = -dot(component, mean) / scale;
    });
    return { data: await rows.scores(weights, dimensions), dimensions };
  }

  /** `fit` and `transform` of the same rows. Errors: as both. */
  async fitTransform(x: Matrix, options?: { readonly signal?: AbortSignal | undefined }): Promise<VectorMatrix> {
    return (await this.fit(x, options)).transform(x);
  }

  /** Rows of components as rows of columns again. Errors: INVALID_ARG. */
  inverseTransform(x: Matrix): VectorMatrix {
    const { mean, components } = this.#result();
    const { data, rows, columns } = toDense(x, 'x of inverseTransform');
    if (columns !== components.length)
      throw unexpected('INVALID_ARG', `rows of ${components.length} numbers for x of inverseTransform`, columns);
    const out = new Float64Array(rows * mean.length);
    for (let row = 0; row < rows; row++) {
      out.set(mean, row * mean.length);
      components.forEach((component, i) => {
        const factor = data[row * columns + i]! * this.#scale(i);
        for (let j = 0; j < mean.length; j++) out[row * mean.length + j]! += factor * component[j]!;
      });
    }
    return { data: out, dimensions: mean.length };
  }

  #scale(component: number): number {
    return this.#whiten ? Math.max(Number.EPSILON, Math.sqrt(this.explainedVariance[component]!)) : 1;
  }

  #result(): Fitted {
    if (this.#fitted === undefined)
      throw unexpected('INVALID_ARG', 'a PCA that was fitted', 'one that was not', { hint: 'Call fit first.' });
    return this.#fitted;
  }
}

/** How many components keep more than the share of the variance. */
function sharedBy(variances: Float64Array, total: number, share: number): number {
  let sum = 0;
  const place = variances.findIndex((value) => (sum += value / total) > share);
  return place < 0 ? variances.length : place + 1;
}

/** The vector or its opposite, so that its entry of largest absolute value is positive. */
function positive(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? vector.map((value) => -value) : vector;
}
