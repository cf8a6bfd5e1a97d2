// Metrics of classes, as scikit-learn 1.9 computes them.
import { unexpected } from '../expected.js';
import { byCodePoint, mean, type Numbers, ratio, requireSameLength, total } from './lists.js';

/** A class: a number, a name, or true and false. */
export type Label = number | string | boolean;

/** Options of `confusionMatrix`. */
export interface ConfusionOptions {
  /** Classes, in the order of the rows. Default: those that occur, sorted. */
  readonly labels?: readonly Label[] | undefined;
  /** Divide by the sums of rows (`true`), of columns (`pred`), or by the sum of all. Default: counts. */
  readonly normalize?: 'true' | 'pred' | 'all' | null | undefined;
  /** A weight for each sample. Default: 1. */
  readonly sampleWeight?: Numbers | undefined;
}

/** Classes that occur, sorted: numbers and booleans by value, names by code points, as Python sorts them. */
export function labelsOf(...lists: readonly (readonly Label[])[]): Label[] {
  return [...new Set(lists.flat())].sort((a, b) =>
    typeof a === 'string' || typeof b === 'string' ? byCodePoint(String(a), String(b)) : Number(a) - Number(b),
  );
}

/**
 * How often each class was taken for each: rows are true classes, columns predicted ones. Samples of other classes than `labels` do not count.
 *
 * Errors: INVALID_ARG for lists of different lengths.
 */
export function confusionMatrix(yTrue: readonly Label[], yPred: readonly Label[], options: ConfusionOptions = {}): number[][] {
  const { labels = labelsOf(yTrue, yPred), normalize, sampleWeight } = options;
  requireSameLength('confusionMatrix', yTrue, yPred, ...(sampleWeight === undefined ? [] : [sampleWeight]));
  const place = new Map(labels.map((label, i) => [label, i]));
  const matrix = labels.map(() => labels.map(() => 0));
  yTrue.forEach((label, i) => {
    const [row, column] = [place.get(label), place.get(yPred[i]!)];
    if (row !== undefined && column !== undefined) matrix[row]![column]! += sampleWeight?.[i] ?? 1;
  });
  if (normalize === undefined || normalize === null) return matrix;
  const rows = matrix.map(total);
  const columns = labels.map((_, j) => total(matrix.map((row) => row[j]!)));
  const all = total(rows);
  const divisor = { true: (i: number) => rows[i]!, pred: (_: number, j: number) => columns[j]!, all: () => all }[normalize];
  return matrix.map((row, i) => row.map((value, j) => ratio(value, divisor(i, j))));
}

/** The share of predictions that are right. Errors: INVALID_ARG. */
export function accuracy(yTrue: readonly Label[], yPred: readonly Label[]): number {
  requireSameLength('accuracy', yTrue, yPred);
  return yTrue.filter((label, i) => label === yPred[i]).length / yTrue.length;
}

/** The mean of the recalls of the classes that occur in `yTrue`. Errors: INVALID_ARG. */
export function balancedAccuracy(yTrue: readonly Label[], yPred: readonly Label[]): number {
  const matrix = confusionMatrix(yTrue, yPred);
  return mean(matrix.flatMap((row, i) => (total(row) === 0 ? [] : [row[i]! / total(row)])));
}

/** Matthews' correlation coefficient, of any number of classes; 0 where it is not defined. Errors: INVALID_ARG. */
export function matthews(yTrue: readonly Label[], yPred: readonly Label[]): number {
  const matrix = confusionMatrix(yTrue, yPred);
  const occurs = matrix.map(total);
  const predicted = matrix.map((_, j) => total(matrix.map((row) => row[j]!)));
  const correct = total(matrix.map((row, i) => row[i]!));
  const samples = total(occurs);
  const product = (a: readonly number[], b: readonly number[]): number => total(a.map((value, i) => value * b[i]!));
  const covariance = correct * samples - product(occurs, predicted);
  const spreads = (samples ** 2 - product(predicted, predicted)) * (samples ** 2 - product(occurs, occurs));
  return ratio(covariance, Math.sqrt(spreads));
}

/** Cohen's kappa: agreement beyond chance. NaN where both lists hold one class only. Errors: INVALID_ARG. */
export function cohenKappa(yTrue: readonly Label[], yPred: readonly Label[]): number {
  const matrix = confusionMatrix(yTrue, yPred);
  const rows = matrix.map(total);
  const columns = matrix.map((_, j) => total(matrix.map((row) => row[j]!)));
  const samples = total(rows);
  let [observed, expected] = [0, 0];
  matrix.forEach((row, i) =>
    row.forEach((value, j) => {
      if (i === j) return;
      observed += value;
      expected += (rows[i]! * columns[j]!) / samples;
    }),
  );
  return 1 - observed / expected;
}

/** How scores of classes become one. */
export type Average = 'micro' | 'macro' | 'weighted' | 'binary';

/** Options of `precisionRecallF1`. */
export interface PrecisionRecallOptions {
  /** `'binary'` scores the class `positive` alone. */
  readonly average: Average;
  /** What 0 / 0 gives. Default 0. */
  readonly zeroDivision?: number | undefined;
  /** Weight of recall in the F score. Default 1. */
  readonly beta?: number | undefined;
  readonly labels?: readonly Label[] | undefined;
  /** Default 1. */
  readonly positive?: Label | undefined;
  /** A weight for each sample. Default: 1. */
  readonly sampleWeight?: Numbers | undefined;
}

/** Precision, recall and F score. */
export interface PrecisionRecall {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** The same of one class, with how often it is true. */
export interface ClassScores extends PrecisionRecall {
  readonly label: Label;
  readonly support: number;
}

/**
 * Precision, recall and F score of each class, in the order of `labels`.
 *
 * Errors: INVALID_ARG for lists of different lengths.
 */
export function classScores(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  { labels = labelsOf(yTrue, yPred), zeroDivision = 0, beta = 1, sampleWeight }: Omit<PrecisionRecallOptions, 'average' | 'positive'> = {},
): ClassScores[] {
  requireSameLength('classScores', yTrue, yPred, ...(sampleWeight === undefined ? [] : [sampleWeight]));
  return counts(yTrue, yPred, labels, sampleWeight).map((count, i) => ({
    label: labels[i]!,
    support: count.actual,
    ...scores(count, beta, zeroDivision),
  }));
}

/**
 * Precision, recall and F score over all classes. With one label for each sample, `'micro'` gives the accuracy three times.
 *
 * Errors: INVALID_ARG for lists of different lengths.
 */
export function precisionRecallF1(yTrue: readonly Label[], yPred: readonly Label[], options: PrecisionRecallOptions): PrecisionRecall {
  const { average, zeroDivision = 0, beta = 1, labels = labelsOf(yTrue, yPred), positive = 1, sampleWeight } = options;
  if (average === 'binary') return classScores(yTrue, yPred, { ...options, labels: [positive] })[0]!;
  if (average === 'micro') {
    requireSameLength('precisionRecallF1', yTrue, yPred, ...(sampleWeight === undefined ? [] : [sampleWeight]));
    return scores(sumOf(counts(yTrue, yPred, labels, sampleWeight)), beta, zeroDivision);
  }
  return averageOf(classScores(yTrue, yPred, { ...options, labels }), average);
}

/** The F score with a weight for recall. Errors: INVALID_ARG. */
export function fBeta(yTrue: readonly Label[], yPred: readonly Label[], options: PrecisionRecallOptions): number {
  return precisionRecallF1(yTrue, yPred, options).f1;
}

/** The mean of classes' scores, each class counting once or as often as it is true (once, where none is); NaN counts nowhere. */
export function averageOf(
  classes: readonly (PrecisionRecall & { readonly support: number })[],
  average: 'macro' | 'weighted',
): PrecisionRecall {
  const field = (name: keyof PrecisionRecall): number => {
    const known = classes.filter((each) => !Number.isNaN(each[name]));
    const isFlat = average === 'macro' || known.every(({ support }) => support === 0);
    const weights = known.map(({ support }) => (isFlat ? 1 : support));
    return ratio(total(known.map((each, i) => each[name] * weights[i]!)), total(weights), classes.length === 0 ? 0 : NaN);
  };
  return { precision: field('precision'), recall: field('recall'), f1: field('f1') };
}

/** What was right, predicted and true of something. */
export interface Counts {
  readonly correct: number;
  readonly predicted: number;
  readonly actual: number;
}

/** Precision, recall and F score of counts. */
export function scores({ correct, predicted, actual }: Counts, beta = 1, zeroDivision = 0): PrecisionRecall {
  const weight = beta * beta;
  return {
    precision: ratio(correct, predicted, zeroDivision),
    recall: ratio(correct, actual, zeroDivision),
    f1: ratio((1 + weight) * correct, weight * actual + predicted, zeroDivision),
  };
}

/** The sum of counts. */
export function sumOf(all: readonly Counts[]): Counts {
  return {
    correct: total(all.map(({ correct }) => correct)),
    predicted: total(all.map(({ predicted }) => predicted)),
    actual: total(all.map(({ actual }) => actual)),
  };
}

/** Options of `topKAccuracy`. */
export interface TopKOptions {
  /** Default 2. */
  readonly k?: number | undefined;
}

/** The share of samples whose class, a column of `classScores`, is among its k highest. Errors: INVALID_ARG. */
export function topKAccuracy(yTrue: readonly number[], rows: readonly Numbers[], { k = 2 }: TopKOptions = {}): number {
  requireSameLength('topKAccuracy', yTrue, rows);
  const isHit = (row: Numbers, column: number): boolean => {
    if (!(column >= 0 && column < row.length)) {
      throw unexpected('INVALID_ARG', `a column of ${row.length} for topKAccuracy`, column);
    }
    // numpy sorts upwards and takes the last k: of equal scores the later column goes first.
    let better = 0;
    for (let j = 0; j < row.length; j++) if (row[j]! > row[column]! || (row[j] === row[column] && j > column)) better++;
    return better < k;
  };
  return rows.filter((row, i) => isHit(row, yTrue[i]!)).length / rows.length;
}

function counts(yTrue: readonly Label[], yPred: readonly Label[], labels: readonly Label[], sampleWeight?: Numbers): Counts[] {
  const all = new Map(labels.map((label) => [label, { correct: 0, predicted: 0, actual: 0 }]));
  yTrue.forEach((label, i) => {
    const [actual, predicted] = [all.get(label), all.get(yPred[i]!)];
    const weight = sampleWeight?.[i] ?? 1;
    if (actual !== undefined) actual.actual += weight;
    if (predicted !== undefined) predicted.predicted += weight;
    if (actual !== undefined && label === yPred[i]) actual.correct += weight;
  });
  return [...all.values()];
}
