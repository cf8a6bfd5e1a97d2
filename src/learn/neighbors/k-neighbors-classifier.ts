import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { abortSignal, integer, oneOf, readOptions } from '../../options.js';
import type { Label } from '../../metrics/classification.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { classesOf, placesOf } from '../linear/labels.js';
import { type Matrix, shapeOf, takeRows, toDense } from '../matrix/matrix.js';
import { NativeRows } from '../matrix/native-rows.js';
import { readEstimator, vectorTensor, writeEstimator } from '../saving/estimator-files.js';

const kWeights = ['uniform', 'distance'] as const;
const kMetrics = ['cosine', 'euclidean'] as const;
/** Scores that are in memory at once. */
const kBlockScores = 1 << 21;

/** Options of `KNeighborsClassifier`. */
export interface KNeighborsOptions {
  /** Default 5. */
  readonly nNeighbors?: number | undefined;
  /** Each neighbour has one voice (`uniform`, default), or the inverse of its distance. */
  readonly weights?: (typeof kWeights)[number] | undefined;
  /** 1 - cosine (default), or the length of the difference. */
  readonly metric?: (typeof kMetrics)[number] | undefined;
}

/** The nearest rows of one row, by rising distance. */
export interface Neighbors {
  readonly indices: Int32Array;
  readonly distances: Float64Array;
}

interface Fitted {
  readonly rows: NativeRows;
  readonly squares: Float64Array;
  readonly classes: readonly Label[];
  readonly targets: Int32Array;
}

const schema = { nNeighbors: integer(1, 2 ** 31 - 1), weights: oneOf(kWeights), metric: oneOf(kMetrics) };

/** Classes by the votes of the nearest rows, as scikit-learn's KNeighborsClassifier with `algorithm="brute"`. Compares all rows, in float64 on the pool. */
export class KNeighborsClassifier {
  readonly #options: Required<{ readonly [Key in keyof KNeighborsOptions]: NonNullable<KNeighborsOptions[Key]> }>;
  #fitted: Fitted | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: KNeighborsOptions) {
    const { nNeighbors = 5, weights = 'uniform', metric = 'cosine' } = readOptions('KNeighborsClassifier', options, schema);
    this.#options = { nNeighbors, weights, metric };
  }

  /** What `save` wrote. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, OUT_OF_MEMORY, INVALID_ARG. */
  static load(directory: FilePath): Promise<KNeighborsClassifier> {
    return readEstimator(directory, 'classifier', ['KNeighborsClassifier'], async (reader) => {
      const model = reader.make((options) => new KNeighborsClassifier(options));
      const classes = reader.labels('classes');
      const rows = await reader.rows('rows');
      const targets = await reader.places('targets', classes.length, rows.length);
      if (rows.length < model.#options.nNeighbors) {
        throw reader.fields.error('params', `as many neighbours as rows (${rows.length}) at most`, model.#options.nNeighbors);
      }
      return model.fit(
        rows,
        Array.from(targets, (target) => classes[target]!),
      );
    });
  }

  /** Writes the rows and their classes into a folder: classifier.json and classifier.safetensors. Errors: INVALID_ARG, also before fit, IO. */
  async save(directory: FilePath): Promise<void> {
    const { rows, classes, targets } = this.#result();
    const { nNeighbors, weights, metric } = this.#options;
    await writeEstimator(directory, 'classifier', {
      type: 'KNeighborsClassifier',
      params: { n_neighbors: nNeighbors, weights, metric },
      state: { classes },
      tensors: { rows: { data: await rows.values(), shape: [rows.count, rows.width] }, targets: vectorTensor(targets) },
    });
  }

  /** The classes, sorted. Errors: INVALID_ARG before fit. */
  get classes(): readonly Label[] {
    return this.#result().classes;
  }

  /** Keeps a copy of the rows. Errors: INVALID_ARG for different lengths, no rows, mixed labels and fewer rows than neighbours; OUT_OF_MEMORY. */
  async fit(x: Matrix, y: readonly Label[], options?: { readonly signal?: AbortSignal | undefined }): Promise<this> {
    const { signal } = readOptions('fit', options, { signal: abortSignal });
    const { rows: count } = shapeOf(x, 'x of fit');
    if (!Array.isArray(y) || y.length !== count) {
      throw unexpected('INVALID_ARG', `a label for each of ${count} rows for y of fit`, Array.isArray(y) ? y.length : 'no list');
    }
    if (count < this.#options.nNeighbors) throw unexpected('INVALID_ARG', `${this.#options.nNeighbors} rows or more for x of fit`, count);
    const classes = classesOf(y, 'y of fit');
    const rows = await NativeRows.copy(x, 'x of fit', signal);
    const squares = await rows.distances(new Float64Array(rows.width), new Int32Array(count));
    this.#fitted = { rows, squares, classes, targets: placesOf(y, classes, 'y of fit') };
    return this;
  }

  /** The nearest rows of each row of `x`; of equally near ones the first. Errors: INVALID_ARG, also before fit and for another width; the signal's reason. */
  async kneighbors(
    x: Matrix,
    nNeighbors: number = this.#options.nNeighbors,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Neighbors[]> {
    const { signal } = readOptions('kneighbors', options, { signal: abortSignal });
    const { rows, squares } = this.#result();
    const { rows: count, columns } = shapeOf(x, 'x of kneighbors');
    if (count === 0) return [];
    if (columns !== rows.width) throw unexpected('INVALID_ARG', `rows of ${rows.width} numbers, as at fit, for x of kneighbors`, columns);
    if (!(Number.isInteger(nNeighbors) && nNeighbors >= 1 && nNeighbors <= rows.count)) {
      throw unexpected('INVALID_ARG', `a whole number from 1 to ${rows.count} for nNeighbors of kneighbors`, nNeighbors);
    }
    const budget = new Budget(signal);
    const each = Math.max(1, Math.min(256, Math.floor(kBlockScores / rows.count)));
    const found: Neighbors[] = [];
    for (let begin = 0; begin < count; begin += each) {
      const block = Array.from({ length: Math.min(each, count - begin) }, (_, i) => begin + i);
      const { data } = toDense(takeRows(x, block), 'x of kneighbors');
      const weights = new Float64Array(block.length * (columns + 1));
      weights.set(data);
      const scores = await rows.scores(weights, block.length);
      for (let i = 0; i < block.length; i++) {
        let square = 0;
        for (let j = 0; j < columns; j++) square += weights[i * columns + j]! ** 2;
        found.push(nearest(nNeighbors, rows.count, (row) => this.#distance(scores[row * block.length + i]!, squares[row]!, square)));
        if (budget.isSpent) await budget.yield();
      }
    }
    return found;
  }

  /** The shares of the votes, [rows][classes]. Errors: as `kneighbors`. */
  async predictProba(x: Matrix): Promise<Float64Array[]> {
    const { classes, targets } = this.#result();
    const isUniform = this.#options.weights === 'uniform';
    return (await this.kneighbors(x)).map(({ indices, distances }) => {
      const votes = new Float64Array(classes.length);
      const isSame = distances[0] === 0;
      indices.forEach((row, i) => {
        votes[targets[row]!]! += isUniform ? 1 : isSame ? Number(distances[i] === 0) : 1 / distances[i]!;
      });
      const all = votes.reduce((sum, vote) => sum + vote, 0);
      return votes.map((vote) => vote / all);
    });
  }

  /** The class with most votes; of equal ones the first. Errors: as `kneighbors`. */
  async predict(x: Matrix): Promise<Label[]> {
    const { classes } = this.#result();
    return (await this.predictProba(x)).map((shares) => classes[shares.indexOf(Math.max(...shares))]!);
  }

  /** The share of rows whose class is predicted right. Errors: as `kneighbors`. */
  async score(x: Matrix, y: readonly Label[]): Promise<number> {
    const predicted = await this.predict(x);
    if (y.length !== predicted.length) throw unexpected('INVALID_ARG', `${predicted.length} labels for y of score`, y.length);
    return predicted.filter((label, i) => label === y[i]).length / predicted.length;
  }

  #distance(product: number, square: number, other: number): number {
    if (this.#options.metric === 'cosine') {
      const norms = Math.sqrt(square) * Math.sqrt(other);
      const distance = norms === 0 ? 1 : 1 - product / norms;
      return Math.abs(distance) <= kSame ? 0 : distance;
    }
    const difference = square - 2 * product + other;
    return difference <= kSame * (square + other) ? 0 : Math.sqrt(difference);
  }

  #result(): Fitted {
    if (this.#fitted === undefined)
      throw unexpected('INVALID_ARG', 'a KNeighborsClassifier that was fitted', 'one that was not', { hint: 'Call fit first.' });
    return this.#fitted;
  }
}

/** Below this share of the squares a difference is rounding. */
const kSame = 4 * Number.EPSILON;

/** The rows with the smallest distances, in order. */
function nearest(count: number, rows: number, distanceOf: (row: number) => number): Neighbors {
  const indices = new Int32Array(count);
  const distances = new Float64Array(count).fill(Infinity);
  let found = 0;
  for (let row = 0; row < rows; row++) {
    const distance = distanceOf(row);
    if (found === count && distance >= distances[count - 1]!) continue;
    let place = Math.min(found, count - 1);
    for (; place > 0 && distances[place - 1]! > distance; place--) {
      distances[place] = distances[place - 1]!;
      indices[place] = indices[place - 1]!;
    }
    distances[place] = distance;
    indices[place] = row;
    if (found < count) found++;
  }
  return { indices, distances };
}
