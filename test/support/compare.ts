/** Half the distance from 1 to the next float32: the largest relative error of one rounding. */
export const unitRoundoff = 2 ** -24;

/** Where two arrays are furthest apart, measured in tolerances: 1 is the limit. */
export interface Difference {
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
  readonly tolerance: number;
  /** |actual - expected| / tolerance; Infinity where either is not a number. */
  readonly ratio: number;
}

/** What an element may be off by: one number for all, or a function of its index. */
export type Tolerance = number | ((index: number) => number);

/** The worst element. Equal infinities do not differ. Throws when the lengths do. */
export function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): Difference {
  if (actual.length !== expected.length) throw new Error(`Expected ${expected.length} values but received ${actual.length}.`);
  let worst: Difference = { index: -1, actual: 0, expected: 0, tolerance: 0, ratio: 0 };
  for (let index = 0; index < expected.length; index++) {
    const a = actual[index]!;
    const e = expected[index]!;
    if (a === e) continue;
    const limit = typeof tolerance === 'number' ? tolerance : tolerance(index);
    const distance = Math.abs(a - e);
    const ratio = Number.isNaN(distance) ? Infinity : distance / limit;
    if (ratio > worst.ratio) worst = { index, actual: a, expected: e, tolerance: limit, ratio };
  }
  return worst;
}

/** Throws, with the worst element and its place, when any element is off by more than its tolerance. */
export function assertWithin(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance, what: string): void {
  const worst = worstDifference(actual, expected, tolerance);
  if (worst.ratio <= 1) return;
  throw new Error(
    `${what}: expected ${worst.expected} ± ${worst.tolerance.toExponential(2)} at ${worst.index} of ${expected.length} but received ` +
      `${worst.actual}, which is off by ${Math.abs(worst.actual - worst.expected).toExponential(2)}.`,
  );
}

/** Throws when two arrays differ in any bit. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  if (actual.length !== expected.length) throw new Error(`${what}: expected ${expected.length} values but received ${actual.length}.`);
  const [a, e] = [actual, expected].map((array) => new Uint32Array(array.buffer, array.byteOffset, array.length));
  const index = a!.findIndex((bits, i) => bits !== e![i]);
  if (index >= 0) throw new Error(`${what}: expected the bits of ${expected[index]} at ${index} but received ${actual[index]}.`);
}

/** The golden files' measure: |actual - expected| / max(1, |expected|), the largest of all. */
export function largestRelativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const worst = worstDifference(actual, expected, (i) => Math.max(1, Math.abs(expected[i]!)));
  return worst.ratio;
}

/**
 * Relative error of a float32 dot product of length k: at most one rounding a step, whatever the order of the sum. For numbers of both
 * signs roundings cancel like a random walk; four deviations of that are allowed.
 */
export function dotError(k: number): number {
  return Math.min(k + 2, 4 * Math.sqrt(k) + 4) * unitRoundoff;
}
