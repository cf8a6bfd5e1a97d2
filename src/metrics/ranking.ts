// Metrics of scores for something that is true or not, as scikit-learn 1.9 computes them.
import { type Numbers, ratio, requireSameLength, total } from './lists.js';

/** Options of the curves and of what is computed from them. */
export interface RankingOptions {
  /** A weight for each sample. Default: 1. */
  readonly sampleWeight?: Numbers | undefined;
}

/** Points of a ROC curve, by falling threshold. */
export interface RocCurve {
  readonly falsePositiveRate: readonly number[];
  readonly truePositiveRate: readonly number[];
  /** The first is infinite: nothing is predicted. */
  readonly thresholds: readonly number[];
}

/** Points of a precision-recall curve, by rising threshold; a last point of precision 1 and recall 0 has none. */
export interface PrecisionRecallCurve {
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly thresholds: readonly number[];
}

/** Weights of what is true and what is not among samples that score at least each threshold. */
interface Cumulated {
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
  readonly thresholds: readonly number[];
}

function cumulate(name: string, yTrue: readonly (number | boolean)[], scores: Numbers, sampleWeight?: Numbers): Cumulated {
  requireSameLength(name, yTrue, scores, ...(sampleWeight === undefined ? [] : [sampleWeight]));
  const order = Array.from(yTrue, (_, i) => i).filter((i) => sampleWeight?.[i] !== 0);
  order.sort((i, j) => scores[j]! - scores[i]!);
  const [truePositives, falsePositives, thresholds]: [number[], number[], number[]] = [[], [], []];
  let [positive, negative] = [0, 0];
  order.forEach((index, place) => {
    const weight = sampleWeight?.[index] ?? 1;
    if (Number(yTrue[index]) === 1) positive += weight;
    else negative += weight;
    if (place + 1 < order.length && scores[order[place + 1]!] === scores[index]) return;
    truePositives.push(positive);
    falsePositives.push(negative);
    thresholds.push(scores[index]!);
  });
  return { truePositives, falsePositives, thresholds };
}

/** Points of the receiver operating characteristic; those on a straight line are left out unless `dropIntermediate` is false. Errors: INVALID_ARG. */
export function rocCurve(
  yTrue: readonly (number | boolean)[],
  scores: Numbers,
  { sampleWeight, dropIntermediate = true }: RankingOptions & { readonly dropIntermediate?: boolean | undefined } = {},
): RocCurve {
  const { truePositives, falsePositives, thresholds } = cumulate('rocCurve', yTrue, scores, sampleWeight);
  const bend = (values: readonly number[], i: number): number => values[i + 1]! - 2 * values[i]! + values[i - 1]!;
  const last = thresholds.length - 1;
  const kept = thresholds.flatMap((_, i) =>
    !dropIntermediate || i === 0 || i === last || bend(truePositives, i) !== 0 || bend(falsePositives, i) !== 0 ? [i] : [],
  );
  const rates = (values: readonly number[]): number[] => [0, ...kept.map((i) => ratio(values[i]!, values[last]!, NaN))];
  return {
    falsePositiveRate: rates(falsePositives),
    truePositiveRate: rates(truePositives),
    thresholds: [Infinity, ...kept.map((i) => thresholds[i]!)],
  };
}

/** The area under the ROC curve; NaN where only one class occurs. Errors: INVALID_ARG. */
export function rocAuc(yTrue: readonly (number | boolean)[], scores: Numbers, options: RankingOptions = {}): number {
  const { falsePositiveRate: x, truePositiveRate: y } = rocCurve(yTrue, scores, options);
  return total(x.slice(1).map((right, i) => ((right - x[i]!) * (y[i + 1]! + y[i]!)) / 2));
}

/** The mean over the classes of the areas that each has against all others (`ovr`), or each pair against each other (`ovo`). */
export interface MultiClassOptions {
  readonly multiClass: 'ovr' | 'ovo';
  readonly average?: 'macro' | 'weighted' | undefined;
}

/** The area under the ROC curve of more than two classes: scores [samples, classes], classes 0, 1, … Errors: INVALID_ARG. */
export function rocAucOfClasses(
  yTrue: readonly number[],
  rows: readonly Numbers[],
  { multiClass, average = 'macro' }: MultiClassOptions,
): number {
  requireSameLength('rocAucOfClasses', yTrue, rows);
  const classes = Array.from(rows[0]!, (_, i) => i);
  const shares = classes.map((label) => yTrue.filter((value) => value === label).length / yTrue.length);
  const area = (samples: readonly number[], label: number): number =>
    rocAuc(
      samples.map((i) => (yTrue[i] === label ? 1 : 0)),
      samples.map((i) => rows[i]![label]!),
    );
  const everything = yTrue.map((_, i) => i);
  const parts =
    multiClass === 'ovr'
      ? classes.map((label) => ({ area: area(everything, label), weight: shares[label]! }))
      : classes.flatMap((a) =>
          classes.slice(a + 1).map((b) => {
            const samples = everything.filter((i) => yTrue[i] === a || yTrue[i] === b);
            return { area: (area(samples, a) + area(samples, b)) / 2, weight: shares[a]! + shares[b]! };
          }),
        );
  const weights = parts.map(({ weight }) => (average === 'weighted' ? weight : 1));
  return total(parts.map((part, i) => part.area * weights[i]!)) / total(weights);
}

/** Points of the curve of precision against recall. Errors: INVALID_ARG. */
export function precisionRecallCurve(
  yTrue: readonly (number | boolean)[],
  scores: Numbers,
  { sampleWeight }: RankingOptions = {},
): PrecisionRecallCurve {
  const { truePositives, falsePositives, thresholds } = cumulate('precisionRecallCurve', yTrue, scores, sampleWeight);
  const positives = truePositives.at(-1)!;
  return {
    precision: [...truePositives.map((value, i) => ratio(value, value + falsePositives[i]!)).reverse(), 1],
    recall: [...truePositives.map((value) => ratio(value, positives, 1)).reverse(), 0],
    thresholds: [...thresholds].reverse(),
  };
}

/** The mean of precisions at the thresholds, weighted by how much recall each adds; 0 where nothing is true. Errors: INVALID_ARG. */
export function averagePrecision(yTrue: readonly (number | boolean)[], scores: Numbers, options: RankingOptions = {}): number {
  if (!Array.from(yTrue).some((value) => Number(value) === 1)) return 0;
  const { precision, recall } = precisionRecallCurve(yTrue, scores, options);
  return Math.max(0, -total(recall.slice(1).map((value, i) => (value - recall[i]!) * precision[i]!)));
}
