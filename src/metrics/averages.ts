import { type Average, classScores, type Label, labelsOf, precisionRecallF1, type PrecisionRecallOptions } from './classification.js';

/** Options of `f1Score` and `precisionRecallFscoreSupport`; an `average` of null gives a number for each class. */
export type AveragedOptions = Omit<PrecisionRecallOptions, 'average'> & { readonly average?: Average | null | undefined };

/** What `precisionRecallFscoreSupport` gives: numbers, or with an `average` of null a number for each class, in the order of the classes. */
export interface PrecisionRecallFscoreSupport<T = number | readonly number[]> {
  readonly precision: T;
  readonly recall: T;
  readonly fscore: T;
  /** Samples of each class; null for an average. */
  readonly support: readonly number[] | null;
}

/** scikit-learn's `precision_recall_fscore_support`. Default: a number for each class. Errors: INVALID_ARG. */
export function precisionRecallFscoreSupport(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  { average = null, ...options }: AveragedOptions = {},
): PrecisionRecallFscoreSupport {
  const { labels = labelsOf(yTrue, yPred) } = options;
  if (average === null) {
    const classes = classScores(yTrue, yPred, { ...options, labels });
    const list = (name: 'precision' | 'recall' | 'f1' | 'support'): number[] => classes.map((each) => each[name]);
    return { precision: list('precision'), recall: list('recall'), fscore: list('f1'), support: list('support') };
  }
  const { precision, recall, f1: fscore } = precisionRecallF1(yTrue, yPred, { ...options, labels, average });
  return { precision, recall, fscore, support: null };
}

/** scikit-learn's `f1_score`. Default: that of the class `positive`, 1. Errors: INVALID_ARG. */
export function f1Score(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  options: AveragedOptions & { readonly average: null },
): readonly number[];
export function f1Score(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  options?: AveragedOptions & { readonly average?: Average },
): number;
export function f1Score(
  yTrue: readonly Label[],
  yPred: readonly Label[],
  { average = 'binary', ...options }: AveragedOptions = {},
): number | readonly number[] {
  return precisionRecallFscoreSupport(yTrue, yPred, { ...options, average }).fscore;
}
