// Metrics of samples with any number of classes each, as scikit-learn 1.9 computes them.
import { averageOf, type Counts, type PrecisionRecall, scores, sumOf } from './classification.js';
import { requireSameLength } from './lists.js';

/** Scores of tables [samples, classes] of zeros and ones. */
export interface MultiLabelScores {
  /** The share of samples whose classes are all right. */
  readonly subsetAccuracy: number;
  /** The share of cells that are wrong. */
  readonly hammingLoss: number;
  /** Of each column, with how often it is 1. */
  readonly classes: readonly (PrecisionRecall & { readonly support: number })[];
  readonly micro: PrecisionRecall;
  readonly macro: PrecisionRecall;
  readonly weighted: PrecisionRecall;
  /** The mean over the samples. */
  readonly samples: PrecisionRecall;
}

/** Scores of predicted classes. `zeroDivision` is what 0 / 0 gives. Errors: INVALID_ARG for tables of different sizes. */
export function multiLabelScores(
  labels: readonly (readonly number[])[],
  predictions: readonly (readonly number[])[],
  { zeroDivision = 0 }: { readonly zeroDivision?: number | undefined } = {},
): MultiLabelScores {
  requireSameLength('multiLabelScores', labels, predictions);
  labels.forEach((row, i) => requireSameLength(`sample ${i} of multiLabelScores`, row, predictions[i]!, labels[0]!));
  const wrong = labels.map((row, i) => row.filter((value, j) => value !== predictions[i]![j]).length);
  const count = (pairs: readonly (readonly [number, number])[]): Counts => ({
    correct: pairs.filter(([label, prediction]) => label === 1 && prediction === 1).length,
    predicted: pairs.filter(([, prediction]) => prediction === 1).length,
    actual: pairs.filter(([label]) => label === 1).length,
  });
  const columns = labels[0]!.map((_, j) => count(labels.map((row, i) => [row[j]!, predictions[i]![j]!])));
  const rows = labels.map((row, i) => count(row.map((label, j) => [label, predictions[i]![j]!])));
  const scored = (counts: readonly Counts[]) => counts.map((each) => ({ ...scores(each, 1, zeroDivision), support: each.actual }));
  return {
    subsetAccuracy: wrong.filter((cells) => cells === 0).length / labels.length,
    hammingLoss: wrong.reduce((sum, cells) => sum + cells, 0) / (labels.length * labels[0]!.length),
    classes: scored(columns),
    micro: scores(sumOf(columns), 1, zeroDivision),
    macro: averageOf(scored(columns), 'macro'),
    weighted: averageOf(scored(columns), 'weighted'),
    samples: averageOf(scored(rows), 'macro'),
  };
}
