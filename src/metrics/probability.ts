// Metrics of probabilities, as scikit-learn 1.9 computes them.
import { unexpected } from '../expected.js';
import { mean, type Numbers, requireSameLength } from './lists.js';

/** The mean of squared differences between probabilities and what came true (0 or 1). Errors: INVALID_ARG. */
export function brier(yTrue: Numbers, probabilities: Numbers): number {
  requireSameLength('brier', yTrue, probabilities);
  return mean(Array.from(yTrue, (value, i) => (probabilities[i]! - value) ** 2));
}

/**
 * The mean of minus the logarithms of the probabilities that the true classes had: of 1 where `probabilities` is a list of numbers, else
 * of classes 0, 1, …; rows are scaled to the sum 1. Probabilities of 0 count as 2^-52.
 *
 * Errors: INVALID_ARG for lists of different lengths, and where all of `yTrue` is one class.
 */
export function logLoss(yTrue: readonly number[], probabilities: Numbers | readonly Numbers[]): number {
  requireSameLength('logLoss', yTrue, probabilities);
  if (new Set(yTrue).size < 2) {
    throw unexpected('INVALID_ARG', 'more than one class for logLoss', `${String(yTrue[0])} alone`);
  }
  const losses = Array.from(yTrue, (label, i) => {
    const given = probabilities[i]!;
    const row = typeof given === 'number' ? [1 - clip(given), clip(given)] : Array.from(given, clip);
    return -Math.log(row[label]! / row.reduce((sum, value) => sum + value, 0));
  });
  return mean(losses);
}

/** Mean prediction and share of what came true, by bins of the prediction that are not empty. */
export interface CalibrationCurve {
  readonly observed: readonly number[];
  readonly predicted: readonly number[];
}

/** Options of `calibrationCurve`. */
export interface CalibrationOptions {
  /** Default 5. */
  readonly bins?: number | undefined;
  /** Bins of equal width (default), or with as many samples each. */
  readonly strategy?: 'uniform' | 'quantile' | undefined;
}

/** How far probabilities are what came true. Errors: INVALID_ARG. */
export function calibrationCurve(
  yTrue: Numbers,
  probabilities: Numbers,
  { bins = 5, strategy = 'uniform' }: CalibrationOptions = {},
): CalibrationCurve {
  requireSameLength('calibrationCurve', yTrue, probabilities);
  const sorted = Array.from(probabilities).sort((a, b) => a - b);
  const edge = (i: number): number => (strategy === 'uniform' ? linspace(i, bins) : quantile(sorted, linspace(i, bins)));
  const inner = Array.from({ length: bins - 1 }, (_, i) => edge(i + 1));
  const sums = Array.from({ length: bins }, () => ({ observed: 0, predicted: 0, count: 0 }));
  Array.from(probabilities).forEach((value, i) => {
    const bin = sums[inner.filter((right) => right < value).length]!;
    bin.observed += yTrue[i]!;
    bin.predicted += value;
    bin.count++;
  });
  const filled = sums.filter(({ count }) => count > 0);
  return {
    observed: filled.map(({ observed, count }) => observed / count),
    predicted: filled.map(({ predicted, count }) => predicted / count),
  };
}

function linspace(i: number, steps: number): number {
  return i === steps ? 1 : i * (1 / steps);
}

/** numpy's default: between the two nearest, in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const [a, b] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
  const part = at - low;
  return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}

function clip(value: number): number {
  return Math.max(Number.EPSILON, Math.min(1 - Number.EPSILON, value));
}
