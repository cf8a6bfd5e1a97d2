// Correlations and errors of numbers, as scipy 1.17 and scikit-learn 1.9 compute them.
import { mean, type Numbers, requireSameLength, total } from './lists.js';

/** Pearson's correlation coefficient; NaN where a list is constant. Errors: INVALID_ARG. */
export function pearson(a: Numbers, b: Numbers): number {
  requireSameLength('pearson', a, b);
  const [left, right] = [centred(a), centred(b)];
  const product = total(left.map((value, i) => value * right[i]!));
  const squares = (values: readonly number[]): number => total(values.map((value) => value * value));
  const norms = Math.sqrt(squares(left) * squares(right));
  return norms === 0 ? NaN : Math.max(-1, Math.min(1, product / norms));
}

/** Spearman's rank correlation; equal values share the mean of their ranks. NaN where a list is constant. Errors: INVALID_ARG. */
export function spearman(a: Numbers, b: Numbers): number {
  requireSameLength('spearman', a, b);
  return pearson(ranks(a), ranks(b));
}

/** Kendall's tau-b; NaN where a list is constant. Errors: INVALID_ARG. */
export function kendall(a: Numbers, b: Numbers): number {
  requireSameLength('kendall', a, b);
  let [agreement, pairsOfA, pairsOfB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [left, right] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      agreement += left * right;
      pairsOfA += left * left;
      pairsOfB += right * right;
    }
  }
  return pairsOfA === 0 || pairsOfB === 0 ? NaN : agreement / (Math.sqrt(pairsOfA) * Math.sqrt(pairsOfB));
}

/** The rank of each number, from 1; equal ones share the mean of their ranks. */
export function ranks(values: Numbers): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Float64Array(values.length);
  for (let begin = 0; begin < order.length;) {
    let end = begin + 1;
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    for (let place = begin; place < end; place++) result[order[place]!] = (begin + end + 1) / 2;
    begin = end;
  }
  return result;
}

/** The mean of squared differences. Errors: INVALID_ARG. */
export function meanSquaredError(actual: Numbers, predicted: Numbers): number {
  requireSameLength('meanSquaredError', actual, predicted);
  return mean(Array.from(actual, (value, i) => (value - predicted[i]!) ** 2));
}

/** The mean of absolute differences. Errors: INVALID_ARG. */
export function meanAbsoluteError(actual: Numbers, predicted: Numbers): number {
  requireSameLength('meanAbsoluteError', actual, predicted);
  return mean(Array.from(actual, (value, i) => Math.abs(value - predicted[i]!)));
}

/** The share of the variance that predictions explain; of a constant 1 when they are right, else 0. Errors: INVALID_ARG. */
export function r2(actual: Numbers, predicted: Numbers): number {
  const left = total(Array.from(actual, (value, i) => (value - predicted[i]!) ** 2));
  requireSameLength('r2', actual, predicted);
  const all = total(centred(actual).map((value) => value * value));
  if (all === 0) return left === 0 ? 1 : 0;
  return 1 - left / all;
}

function centred(values: Numbers): number[] {
  const centre = mean(values);
  return Array.from(values, (value) => value - centre);
}
