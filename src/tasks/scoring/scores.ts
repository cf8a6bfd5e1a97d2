/** exp(x) / Σ exp(x), in float64. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const scores = Float64Array.from(logits);
  const peak = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] = Math.exp(scores[i]! - peak);
  for (let i = 0; i < scores.length; i++) scores[i]! /= sum;
  return scores;
}

/** 1 / (1 + exp(-x)), without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** The index of the largest value, the first of equal ones. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Indices from the largest value to the smallest; equal ones keep their order. */
export function descending(values: ArrayLike<number>): number[] {
  return Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
}
