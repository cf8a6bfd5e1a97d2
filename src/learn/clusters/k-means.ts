import { unexpected, wrongOption } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { abortSignal, callback, type Check, integer, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { type Matrix, shapeOf, takeRows, toDense } from '../matrix/matrix.js';
import { NativeRows } from '../matrix/native-rows.js';
import { readEstimator, rowsTensor, type SavedTensor, vectorTensor, writeEstimator } from '../saving/estimator-files.js';
import { NumpyRandom } from '../split/numpy-random.js';
import { seed as seedCheck } from '../split/train-test-split.js';

/** Options of `KMeans`. */
export interface KMeansOptions {
  readonly nClusters: number;
  /** First centres: drawn far from each other (`k-means++`, default), or given, [nClusters, columns]. */
  readonly init?: 'k-means++' | Matrix | undefined;
  /** Tries with other first centres; the one with the least inertia stays. Default 1. */
  readonly nInit?: number | undefined;
  /** Default 300. */
  readonly maxIter?: number | undefined;
  /** Ends when the centres' squared moves, in units of the columns' mean variance, add up to less. Default 1e-4. */
  readonly tol?: number | undefined;
  /** Of the draws. Default 0. */
  readonly seed?: number | undefined;
}

/** What `onProgress` of `KMeans.fit` hears after each iteration. */
export interface KMeansProgress {
  /** From 0, of `nInit`. */
  readonly init: number;
  readonly iteration: number;
  readonly maxIter: number;
}

/** Options of `KMeans.fit`. */
export interface KMeansFitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told after each iteration. */
  readonly onProgress?: ((progress: KMeansProgress) => void) | undefined;
}

interface Settings {
  readonly nClusters: number;
  readonly init: 'k-means++' | Matrix;
  readonly nInit: number;
  readonly maxIter: number;
  readonly tol: number;
  readonly seed: number;
}

interface Fitted {
  /** [nClusters, columns] */
  readonly centers: Float64Array;
  readonly labels: Int32Array;
  readonly inertia: number;
  readonly nIter: number;
}

const initCheck: Check<'k-means++' | Matrix> = (value, name) => {
  if (value !== 'k-means++' && (typeof value !== 'object' || value === null)) throw wrongOption(`"k-means++" or rows for ${name}`, value);
  return value as 'k-means++' | Matrix;
};
const tolerance: Check<number> = (value, name) => {
  if (typeof value !== 'number' || !(value >= 0)) throw wrongOption(`a number from 0 for ${name}`, value);
  return value;
};
const most = 2 ** 31 - 1;
const schema = {
  nClusters: integer(1, most),
  init: initCheck,
  nInit: integer(1, 10_000),
  maxIter: integer(1, most),
  tol: tolerance,
  seed: seedCheck,
};
const fitSchema = { signal: abortSignal, onProgress: callback };

/**
 * Clusters by Lloyd's iterations, as scikit-learn's KMeans: from the same first centres the same labels and centres. A cluster that
 * becomes empty takes the row that is farthest from its centre. Computed in float64 on the pool.
 *
 * @example
 * const clusters = await new KMeans({ nClusters: 8, nInit: 4 }).fit(await embedder.embed(texts));
 * clusters.labels; // Int32Array [texts]
 */
export class KMeans {
  readonly #options: Settings;
  #fitted: Fitted | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options: KMeansOptions) {
    const { nClusters, ...read } = readOptions('KMeans', options, schema);
    if (nClusters === undefined) throw wrongOption('a number of clusters for nClusters of KMeans', nClusters);
    this.#options = { init: 'k-means++', nInit: 1, maxIter: 300, tol: 1e-4, seed: 0, ...read, nClusters };
  }

  /** What `save` wrote. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG. */
  static load(directory: FilePath): Promise<KMeans> {
    return readEstimator(directory, 'clusters', ['KMeans'], async (reader) => {
      const init = reader.has('init') ? await reader.rows('init') : undefined;
      const model = reader.make(({ randomState, ...options }) => {
        return new KMeans({ ...options, init, seed: randomState } as KMeansOptions);
      });
      const { nClusters } = model.#options;
      const { data: centers } = rowsTensor(await reader.rows('cluster_centers', nClusters, init?.[0]?.length));
      const inertia = reader.fields.get('inertia');
      if (typeof inertia !== 'number' || !(inertia >= 0)) throw reader.fields.error('inertia', 'a number from 0', inertia);
      const labels = await reader.places('labels', nClusters);
      model.#fitted = { centers: Float64Array.from(centers), labels, inertia, nIter: reader.count('n_iter') };
      return model;
    });
  }

  /**
   * Writes the clusters into a folder: clusters.json and clusters.safetensors (cluster_centers, labels, and a given init).
   *
   * Errors: INVALID_ARG, also before fit, IO.
   */
  async save(directory: FilePath): Promise<void> {
    const { labels, inertia, nIter } = this.#result();
    const { nClusters, init, nInit, maxIter, tol, seed } = this.#options;
    const tensors: Record<string, SavedTensor> = { cluster_centers: rowsTensor(this.clusterCenters), labels: vectorTensor(labels) };
    if (init !== 'k-means++') {
      const { data, rows, columns } = toDense(init, 'init of KMeans');
      tensors['init'] = { data, shape: [rows, columns] };
    }
    await writeEstimator(directory, 'clusters', {
      type: 'KMeans',
      params: { n_clusters: nClusters, n_init: nInit, max_iter: maxIter, tol, random_state: seed },
      state: { inertia, n_iter: nIter },
      tensors,
    });
  }

  /** The centres, [nClusters][columns]. Errors: INVALID_ARG before fit, as the other results. */
  get clusterCenters(): readonly Float64Array[] {
    const { centers } = this.#result();
    const width = centers.length / this.#options.nClusters;
    return Array.from({ length: this.#options.nClusters }, (_, i) => centers.slice(i * width, (i + 1) * width));
  }

  /** The cluster of each row that was fitted. */
  get labels(): Int32Array {
    return this.#result().labels;
  }

  /** The sum of the rows' squared distances to their centres. */
  get inertia(): number {
    return this.#result().inertia;
  }

  /** Iterations of the try that stayed. */
  get nIter(): number {
    return this.#result().nIter;
  }

  /**
   * Finds centres. Fewer distinct rows than clusters are a process warning.
   *
   * Errors: INVALID_ARG for fewer rows than clusters, an `init` of another shape and numbers that are not finite; OUT_OF_MEMORY, the
   * signal's reason (the object stays as it was).
   */
  async fit(x: Matrix, options?: KMeansFitOptions): Promise<this> {
    const { signal, onProgress } = readOptions('fit', options, fitSchema);
    const { nClusters, init, nInit, maxIter, tol, seed } = this.#options;
    const { rows: count } = shapeOf(x, 'x of fit');
    if (count < nClusters) throw unexpected('INVALID_ARG', `at least ${nClusters} rows, as many as clusters, for x of fit`, count);
    const rows = await NativeRows.copy(x, 'x of fit', signal);
    const mean = await rows.means();
    const spread = sum(await rows.distances(mean, new Int32Array(count))) / (count * rows.width);
    const random = new NumpyRandom(seed);
    let best: Fitted | undefined;
    for (let i = 0; i < (init === 'k-means++' ? nInit : 1); i++) {
      const first = init === 'k-means++' ? await plusPlus(x, rows, nClusters, random, signal) : this.#given(init, rows.width);
      const tell = (iteration: number): void => onProgress?.({ init: i, iteration, maxIter });
      const found = await lloyd(x, rows, mean, first, { maxIter, tolerance: tol * spread, signal, tell });
      if (best === undefined || found.inertia < best.inertia) best = found;
    }
    this.#fitted = best!;
    const distinct = new Set(best!.labels).size;
    if (distinct < nClusters)
      process.emitWarning(`KMeans found ${distinct} distinct clusters, fewer than the ${nClusters} of nClusters.`, {
        code: 'BERTHA_LEARN',
      });
    return this;
  }

  /** The nearest centre of each row, [rows]. Errors: INVALID_ARG, also for rows of another width. */
  async predict(x: Matrix): Promise<Int32Array> {
    const { centers } = this.#result();
    const width = centers.length / this.#options.nClusters;
    const { rows, columns } = shapeOf(x, 'x of predict');
    if (rows === 0) return new Int32Array(0);
    if (columns !== width) throw unexpected('INVALID_ARG', `rows of ${width} numbers, as at fit, for x of predict`, columns);
    return (await (await NativeRows.copy(x, 'x of predict')).nearest(new Float64Array(width), centers)).labels;
  }

  /** `fit`, and the labels of the same rows. Errors: as `fit`. */
  async fitPredict(x: Matrix, options?: KMeansFitOptions): Promise<Int32Array> {
    return (await this.fit(x, options)).labels;
  }

  #result(): Fitted {
    if (this.#fitted === undefined)
      throw unexpected('INVALID_ARG', 'clusters that were fitted', 'ones that were not', { hint: 'Call fit first.' });
    return this.#fitted;
  }

  #given(init: Matrix, width: number): Float64Array {
    const { data, rows, columns } = toDense(init, 'init of KMeans');
    const { nClusters } = this.#options;
    if (rows !== nClusters || columns !== width) {
      throw unexpected('INVALID_ARG', `${nClusters} rows of ${width} numbers for init of KMeans`, `${rows} rows of ${columns}`);
    }
    return Float64Array.from(data);
  }
}

interface LloydOptions {
  readonly maxIter: number;
  readonly tolerance: number;
  readonly signal: AbortSignal | undefined;
  readonly tell: (iteration: number) => void;
}

/** Moves centres [count, width] to the means of their rows until labels or centres stay. Rows are seen from their mean, where rounding is least. */
async function lloyd(x: Matrix, rows: NativeRows, mean: Float64Array, first: Float64Array, options: LloydOptions): Promise<Fitted> {
  const { width } = rows;
  const count = first.length / width;
  let centers = first.map((value, i) => value - mean[i % width]!);
  const absolute = (): Float64Array => centers.map((value, i) => value + mean[i % width]!);
  let labels: Int32Array = new Int32Array(0);
  let [iterations, isSettled] = [0, false];
  while (iterations < options.maxIter && !isSettled) {
    options.signal?.throwIfAborted();
    const found = await rows.nearest(mean, centers);
    const { sums } = found;
    const sizes = sums.subarray(count * width);
    if (sizes.includes(0)) fillEmpty(x, mean, sums, found.labels, await rows.distances(absolute(), found.labels));
    const next = centers.map((value, i) => (sizes[Math.floor(i / width)] === 0 ? value : sums[i]! / sizes[Math.floor(i / width)]!));
    const moved = next.reduce((all, value, i) => all + (value - centers[i]!) ** 2, 0);
    isSettled = labels.length > 0 && found.labels.every((label, i) => label === labels[i]);
    [centers, labels] = [next, found.labels];
    iterations++;
    options.tell(iterations);
    if (!isSettled && moved <= options.tolerance) break;
  }
  if (!isSettled) ({ labels } = await rows.nearest(mean, centers));
  return { centers: absolute(), labels, inertia: sum(await rows.distances(absolute(), labels)), nIter: iterations };
}

/** Gives the rows that are farthest from their centres to the clusters that have none. `sums`: as of `NativeRows.nearest`. */
function fillEmpty(x: Matrix, mean: Float64Array, sums: Float64Array, labels: Int32Array, distances: Float64Array): void {
  const width = mean.length;
  const count = sums.length / (width + 1);
  const sizes = sums.subarray(count * width);
  const far = farthest(distances, sizes.filter((size) => size === 0).length);
  if (distances[far[0]!] === 0) return;
  let next = 0;
  for (let cluster = 0; cluster < count; cluster++) {
    if (sizes[cluster] !== 0) continue;
    const row = far[next++]!;
    const before = labels[row]!;
    const { data } = toDense(takeRows(x, [row]), 'x of fit');
    for (let i = 0; i < width; i++) {
      const value = data[i]! - mean[i]!;
      sums[cluster * width + i] = value;
      sums[before * width + i]! -= value;
    }
    sizes[cluster] = 1;
    sizes[before]!--;
  }
}

/** The `count` places of the largest numbers, by falling number. */
function farthest(distances: Float64Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < distances.length; i++) {
    if (best.length === count && distances[i]! <= distances[best[count - 1]!]!) continue;
    let place = best.length;
    while (place > 0 && distances[best[place - 1]!]! < distances[i]!) place--;
    best.splice(place, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/** First centres by k-means++ (Arthur & Vassilvitskii, 2007), each the best of 2 + log(count) draws. */
async function plusPlus(
  x: Matrix,
  rows: NativeRows,
  count: number,
  random: NumpyRandom,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const budget = new Budget(signal);
  const { width } = rows;
  const centers = new Float64Array(count * width);
  const own = new Int32Array(rows.count);
  const rowAt = (row: number): Float64Array => Float64Array.from(toDense(takeRows(x, [row]), 'x of fit').data);
  const first = rowAt(random.integer(rows.count - 1));
  centers.set(first);
  let nearest = await rows.distances(first, own);
  const tries = 2 + Math.floor(Math.log(count));
  for (let cluster = 1; cluster < count; cluster++) {
    signal?.throwIfAborted();
    let best: { readonly potential: number; readonly distances: Float64Array; readonly center: Float64Array } | undefined;
    const all = sum(nearest);
    for (let i = 0; i < tries; i++) {
      const center = rowAt(drawn(nearest, random.uniform() * all));
      const distances = (await rows.distances(center, own)).map((distance, row) => Math.min(distance, nearest[row]!));
      const potential = sum(distances);
      if (best === undefined || potential < best.potential) best = { potential, distances, center };
      if (budget.isSpent) await budget.yield();
    }
    nearest = best!.distances;
    centers.set(best!.center, cluster * width);
  }
  return centers;
}

/** The place at which the sum of the weights before it and its own reaches `target`. */
function drawn(weights: Float64Array, target: number): number {
  let reached = 0;
  for (let i = 0; i < weights.length; i++) {
    reached += weights[i]!;
    if (reached > target) return i;
  }
  return weights.length - 1;
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}
