import { unexpected } from '../../expected.js';
import { softmaxOf } from './lines.js';

/** Softmax of a list of numbers, returned as the kind of list that was given. Sums in float64. */
export function softmax<T extends number[] | Float32Array | Float64Array>(values: T): T {
  const powers = softmaxOf(values as number[]);
  return (values as number[]).map((_, i) => powers[i]!) as T;
}

/** The logarithm of softmax, returned as the kind of list that was given. Sums in float64. */
export function log_softmax<T extends number[] | Float32Array | Float64Array>(values: T): T {
  const list = values as number[];
  const largest = list.reduce((most, value) => Math.max(most, value), -Infinity);
  const total = Math.log(list.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return list.map((value) => value - largest - total) as T;
}

/** The dot product of two vectors. Errors: INVALID_ARG if they differ in length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw unexpected('INVALID_ARG', 'two vectors of one length for dot', `${a.length} and ${b.length} numbers`);
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The cosine of two vectors, NaN if one is zero. Errors: INVALID_ARG if they differ in length. */
export function cos_sim(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
}
