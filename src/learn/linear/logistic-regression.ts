import { unexpected, wrongOption } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { abortSignal, callback, type Check, flag, integer, readOptions } from '../../options.js';
import type { Label } from '../../metrics/classification.js';
import { componentsOf, dot, type VectorLike } from '../../vectors/vector-like.js';
import { type Matrix, shapeOf } from '../matrix/matrix.js';
import { NativeRows } from '../matrix/native-rows.js';
import { readEstimator, rowsTensor, type SavedEstimator, vectorTensor, writeEstimator } from '../saving/estimator-files.js';
import type { EstimatorReader } from '../saving/estimator-reader.js';
import { classesOf, placesOf } from './labels.js';
import { minimize } from './lbfgs.js';

/** Options of `LogisticRegression`. */
export interface LogisticRegressionOptions {
  /** How little large coefficients are punished: the penalty is |coef|² / (2 C). Infinity: none. Default 1. */
  readonly C?: number | undefined;
  /** Default true. */
  readonly fitIntercept?: boolean | undefined;
  /** Weights of classes; `balanced`: rows / (classes · rows of the class). Default: 1 each. */
  readonly classWeight?: 'balanced' | ReadonlyMap<Label, number> | undefined;
  /** Ends when no component of the gradient is larger. Default 1e-4. */
  readonly tol?: number | undefined;
  /** Default 100. */
  readonly maxIter?: number | undefined;
  /** Begin where the last fit ended. Default false. */
  readonly warmStart?: boolean | undefined;
}

/** What `onProgress` of `fit` hears after each iteration. */
export interface FitProgress {
  readonly iteration: number;
  readonly maxIter: number;
  readonly objective: number;
  readonly largestGradient: number;
}

/** Options of `fit`. */
export interface FitOptions {
  /** A weight for each row, from 0. */
  readonly sampleWeight?: ArrayLike<number> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told after each iteration. */
  readonly onProgress?: ((progress: FitProgress) => void) | undefined;
}

/** What a fitted model consists of. */
export interface FittedLogistic {
  readonly classes: readonly Label[];
  /** [classes, or 1 for two of them; columns] */
  readonly coef: readonly Float64Array[];
  readonly intercept: Float64Array;
  readonly nIter: number;
  readonly converged: boolean;
}

interface Settings {
  readonly C: number;
  readonly fitIntercept: boolean;
  readonly classWeight?: 'balanced' | ReadonlyMap<Label, number>;
  readonly tol: number;
  readonly maxIter: number;
  readonly warmStart: boolean;
}

const fromZero: Check<number> = (value, name) => {
  if (typeof value !== 'number' || !(value > 0)) throw wrongOption(`a number above 0 for ${name}`, value);
  return value;
};
const weights: Check<'balanced' | ReadonlyMap<Label, number>> = (value, name) => {
  const isMap = typeof value === 'object' && value !== null && typeof (value as { get?: unknown }).get === 'function';
  if (value !== 'balanced' && !isMap) throw wrongOption(`"balanced" or a Map for ${name}`, value);
  return value as 'balanced' | ReadonlyMap<Label, number>;
};
const schema = {
  C: fromZero,
  fitIntercept: flag,
  classWeight: weights,
  tol: fromZero,
  maxIter: integer(1, 1_000_000),
  warmStart: flag,
};
const numbers: Check<ArrayLike<number>> = (value, name) => {
  if (typeof (value as { length?: unknown } | null)?.length !== 'number') throw wrongOption(`a list of numbers for ${name}`, value);
  return value as ArrayLike<number>;
};
const fitSchema = { sampleWeight: numbers, signal: abortSignal, onProgress: callback };

/**
 * Logistic regression with an L2 penalty, as scikit-learn's with lbfgs: the same objective, solver and stops, so the same coefficients.
 * Two classes have one row of coefficients and a sigmoid, more of them a softmax. Computed in float64 on the pool.
 *
 * @example
 * const model = await new LogisticRegression({ C: 10 }).fit(await embedder.embed(texts), labels);
 * const predicted = await model.predict(await embedder.embed(['What a film.']));
 */
export class LogisticRegression {
  /** The options, as given or by default. */
  readonly options: Settings;
  #fitted: FittedLogistic | undefined;

  /** Errors: INVALID_OPTION. */
  constructor(options?: LogisticRegressionOptions) {
    const read = readOptions('LogisticRegression', options, schema);
    this.options = { C: 1, fitIntercept: true, tol: 1e-4, maxIter: 100, warmStart: false, ...read };
  }

  /** A model that was fitted before. Errors: INVALID_OPTION. */
  static from(fitted: FittedLogistic, options?: LogisticRegressionOptions): LogisticRegression {
    const model = new LogisticRegression(options);
    model.#fitted = fitted;
    return model;
  }

  /** What `save` wrote, or Python in its place. Errors: ESTIMATOR, MODEL_NOT_FOUND, UNSAFE_FORMAT for pickles, IO, INVALID_ARG. */
  static load(directory: FilePath): Promise<LogisticRegression> {
    return readEstimator(directory, 'classifier', ['LogisticRegression'], (reader) => LogisticRegression.read(reader));
  }

  /** The model in a saved estimator. Errors: ESTIMATOR. @internal */
  static async read(reader: EstimatorReader): Promise<LogisticRegression> {
    const classes = reader.labels('classes');
    const outputs = classes.length === 2 ? 1 : classes.length;
    if (classes.length < 2) throw reader.fields.error('classes', 'two classes or more', classes);
    const model = reader.make((options) => new LogisticRegression(options), {
      C: (value) => (value === 'inf' ? Infinity : value),
      classWeight: (value) =>
        Array.isArray(value) && value.every(Array.isArray) ? new Map(value as [Label, number][]) : (value ?? undefined),
    });
    model.#fitted = {
      classes,
      coef: await reader.rows('coef', outputs),
      intercept: await reader.vector('intercept', outputs),
      nIter: reader.count('n_iter'),
      converged: reader.fields.boolean('converged') ?? true,
    };
    return model;
  }

  /**
   * Writes the model into a folder: classifier.json and classifier.safetensors (coef, intercept; float64).
   *
   * Errors: INVALID_ARG, also before fit, IO.
   */
  async save(directory: FilePath): Promise<void> {
    await writeEstimator(directory, 'classifier', this.saved());
  }

  /** What is saved. Errors: INVALID_ARG before fit. @internal */
  saved(): SavedEstimator {
    const { classes, coef, intercept, nIter, converged } = this.fitted;
    return {
      type: 'LogisticRegression',
      params: this.#params(),
      state: { classes, n_iter: nIter, converged },
      tensors: { coef: rowsTensor(coef), intercept: vectorTensor(intercept) },
    };
  }

  /** The classes, sorted. Errors: INVALID_ARG before fit, as the other results of fitting. */
  get classes(): readonly Label[] {
    return this.fitted.classes;
  }

  /** Coefficients, a row for each class; one row, that of the second class, for two. */
  get coef(): readonly Float64Array[] {
    return this.fitted.coef;
  }

  /** As many numbers as `coef` has rows. */
  get intercept(): Float64Array {
    return this.fitted.intercept;
  }

  /** Iterations of the last fit. */
  get nIter(): number {
    return this.fitted.nIter;
  }

  /** Whether the last fit ended before `maxIter`. */
  get converged(): boolean {
    return this.fitted.converged;
  }

  /** All that fitting found. Errors: INVALID_ARG before fit. */
  get fitted(): FittedLogistic {
    if (this.#fitted === undefined)
      throw unexpected('INVALID_ARG', 'a model that was fitted', 'one that was not', { hint: 'Call fit first.' });
    return this.#fitted;
  }

  /**
   * Fits coefficients to rows `x` and their labels `y`. A fit that does not converge is a process warning.
   *
   * Errors: INVALID_ARG for different lengths, no rows, labels of mixed kinds or of one class, numbers that are not finite, and weights
   * that are negative or all 0; INVALID_OPTION, OUT_OF_MEMORY, NON_FINITE, the signal's reason (the model stays as it was).
   */
  async fit(x: Matrix, y: readonly Label[], options?: FitOptions): Promise<this> {
    const { sampleWeight, signal, onProgress } = readOptions('fit', options, fitSchema);
    signal?.throwIfAborted();
    const shape = shapeOf(x, 'x of fit');
    if (!Array.isArray(y) || y.length !== shape.rows) {
      throw unexpected('INVALID_ARG', `a label for each of ${shape.rows} rows for y of fit`, Array.isArray(y) ? y.length : 'no list');
    }
    const classes = classesOf(y, 'y of fit');
    if (y.length > 0 && classes.length < 2)
      throw unexpected('INVALID_ARG', 'labels of two or more classes for y of fit', `only ${String(classes[0])}`);
    const rows = await NativeRows.copy(x, 'x of fit', signal);
    const targets = placesOf(y, classes, 'y of fit');
    const rowWeights = this.#rowWeights(targets, classes, sampleWeight);
    rows.setTargets(targets, rowWeights, classes.length);
    const total = rowWeights === undefined ? rows.count : rowWeights.reduce((sum, weight) => sum + weight, 0);
    const outputs = classes.length === 2 ? 1 : classes.length;
    const { C, fitIntercept, maxIter, tol } = this.options;
    const penalty = 1 / (C * total);
    const minimum = await minimize(
      async (point) => {
        signal?.throwIfAborted();
        const sums = await rows.evaluate(point);
        signal?.throwIfAborted();
        const size = outputs * rows.width;
        const gradient = sums.slice(0, -1);
        let squares = 0;
        for (let i = 0; i < size; i++) {
          gradient[i]! += penalty * point[i]!;
          squares += point[i]! ** 2;
        }
        if (!fitIntercept) gradient.fill(0, size);
        const value = sums.at(-1)! + 0.5 * penalty * squares;
        if (!Number.isFinite(value))
          throw unexpected('NON_FINITE', 'a finite objective in fit', value, { hint: 'Scale the columns of x.' });
        return { value, gradient };
      },
      this.#start(classes, outputs, rows.width),
      {
        tolerance: tol,
        maxIterations: maxIter,
        onIteration: (iteration, objective, largestGradient) => onProgress?.({ iteration, maxIter, objective, largestGradient }),
      },
    );
    this.#fitted = {
      classes,
      coef: Array.from({ length: outputs }, (_, i) => minimum.point.slice(i * rows.width, (i + 1) * rows.width)),
      intercept: minimum.point.slice(outputs * rows.width),
      nIter: minimum.iterations,
      converged: minimum.converged,
    };
    if (!minimum.converged) {
      process.emitWarning(
        `LogisticRegression did not converge in ${minimum.iterations} iterations: the largest component of the gradient is ${minimum.largestGradient.toExponential(2)}, tol is ${tol}. Scale the columns, or raise maxIter.`,
        { code: 'BERTHA_LEARN' },
      );
    }
    return this;
  }

  /** Scores before the sigmoid or the softmax, [rows][coefficients' rows]. Errors: INVALID_ARG, also for rows of another width. */
  async decisionFunction(x: Matrix): Promise<Float64Array[]> {
    const { coef, intercept } = this.fitted;
    const width = coef[0]!.length;
    const shape = shapeOf(x, 'x of predict');
    if (shape.rows === 0) return [];
    if (shape.columns !== width) throw unexpected('INVALID_ARG', `rows of ${width} numbers, as at fit, for x of predict`, shape.columns);
    const rows = await NativeRows.copy(x, 'x of predict');
    const packed = new Float64Array(coef.length * (width + 1));
    coef.forEach((row, i) => packed.set(row, i * width));
    packed.set(intercept, coef.length * width);
    const scores = await rows.scores(packed, coef.length);
    return Array.from({ length: shape.rows }, (_, i) => scores.slice(i * coef.length, (i + 1) * coef.length));
  }

  /** Probabilities of the classes, [rows][classes]. Errors: as `decisionFunction`. */
  async predictProba(x: Matrix): Promise<Float64Array[]> {
    return (await this.decisionFunction(x)).map(probabilities);
  }

  /** The likeliest class of each row. Errors: as `decisionFunction`. */
  async predict(x: Matrix): Promise<Label[]> {
    return (await this.decisionFunction(x)).map((scores) => this.#choose(scores));
  }

  /** The share of rows whose class is predicted right. Errors: as `decisionFunction`. */
  async score(x: Matrix, y: readonly Label[]): Promise<number> {
    const predicted = await this.predict(x);
    if (y.length !== predicted.length) throw unexpected('INVALID_ARG', `${predicted.length} labels for y of score`, y.length);
    return predicted.filter((label, i) => label === y[i]).length / predicted.length;
  }

  /** The class of one vector and the probabilities of all, computed on the calling thread. Errors: INVALID_ARG. */
  predictSync(vector: VectorLike): { readonly label: Label; readonly probabilities: Float64Array } {
    const { coef, intercept } = this.fitted;
    const values = componentsOf(vector, 'the vector of predictSync');
    if (values.length !== coef[0]!.length) {
      throw unexpected('INVALID_ARG', `${coef[0]!.length} numbers, as at fit, for the vector of predictSync`, values.length);
    }
    const scores = Float64Array.from(coef, (row, i) => dot(row, values) + intercept[i]!);
    return { label: this.#choose(scores), probabilities: probabilities(scores) };
  }

  #params(): Readonly<Record<string, unknown>> {
    const { C, fitIntercept, classWeight, tol, maxIter, warmStart } = this.options;
    return {
      C: C === Infinity ? 'inf' : C,
      fit_intercept: fitIntercept,
      class_weight: classWeight === undefined || classWeight === 'balanced' ? classWeight : [...classWeight.entries()],
      tol,
      max_iter: maxIter,
      warm_start: warmStart,
    };
  }

  #choose(scores: Float64Array): Label {
    const { classes } = this.fitted;
    if (scores.length === 1) return classes[scores[0]! > 0 ? 1 : 0]!;
    return classes[scores.indexOf(Math.max(...scores))]!;
  }

  #start(classes: readonly Label[], outputs: number, width: number): Float64Array {
    const start = new Float64Array(outputs * (width + 1));
    const before = this.#fitted;
    if (!this.options.warmStart || before === undefined) return start;
    const isSame =
      before.coef[0]!.length === width &&
      before.classes.length === classes.length &&
      before.classes.every((label, i) => label === classes[i]);
    if (!isSame) throw unexpected('INVALID_ARG', 'the classes and the width of the last fit for warmStart', 'others');
    before.coef.forEach((row, i) => start.set(row, i * width));
    if (this.options.fitIntercept) start.set(before.intercept, outputs * width);
    return start;
  }

  #rowWeights(targets: Int32Array, classes: readonly Label[], sampleWeight: ArrayLike<number> | undefined): Float64Array | undefined {
    const { classWeight } = this.options;
    if (sampleWeight !== undefined && sampleWeight.length !== targets.length) {
      throw unexpected('INVALID_ARG', `${targets.length} numbers for sampleWeight of fit`, sampleWeight.length);
    }
    if (sampleWeight === undefined && classWeight === undefined) return undefined;
    const rowWeights = sampleWeight === undefined ? new Float64Array(targets.length).fill(1) : Float64Array.from(sampleWeight);
    const wrong = rowWeights.findIndex((weight) => !(weight >= 0) || weight === Infinity);
    if (wrong >= 0) throw unexpected('INVALID_ARG', 'weights from 0 for sampleWeight of fit', `${rowWeights[wrong]} at index ${wrong}`);
    if (classWeight !== undefined) {
      const ofClass =
        classWeight === 'balanced' ? balanced(targets, rowWeights, classes.length) : classes.map((label) => classWeight.get(label) ?? 1);
      const bad = ofClass.findIndex((weight) => !(weight >= 0) || weight === Infinity);
      if (bad >= 0) throw unexpected('INVALID_ARG', 'weights from 0 for classWeight', `${ofClass[bad]} for ${String(classes[bad])}`);
      targets.forEach((target, i) => {
        rowWeights[i]! *= ofClass[target]!;
      });
    }
    if (!rowWeights.some((weight) => weight > 0)) throw unexpected('INVALID_ARG', 'a weight above 0 in fit', 'only zeros');
    return rowWeights;
  }
}

/** Weights that give every class the same sum. */
function balanced(targets: Int32Array, rowWeights: Float64Array, classes: number): number[] {
  const sums = new Array<number>(classes).fill(0);
  targets.forEach((target, i) => {
    sums[target]! += rowWeights[i]!;
  });
  const all = sums.reduce((total, sum) => total + sum, 0);
  return sums.map((sum) => all / (classes * sum));
}

/** The classes' probabilities by their scores: a sigmoid for one, else a softmax. */
export function probabilities(scores: Float64Array): Float64Array {
  if (scores.length === 1) {
    const small = Math.exp(-Math.abs(scores[0]!));
    const [far, near] = [small / (1 + small), 1 / (1 + small)];
    return Float64Array.from(scores[0]! >= 0 ? [far, near] : [near, far]);
  }
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
