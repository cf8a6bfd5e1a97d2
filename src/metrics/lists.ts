import { unexpected } from '../expected.js';

/** A list of numbers of whatever kind. */
export type Numbers = ArrayLike<number>;

/** Requires lists of one length that is not 0. Errors: INVALID_ARG. */
export function requireSameLength(name: string, first: ArrayLike<unknown>, ...others: readonly ArrayLike<unknown>[]): void {
  const lengths = [first, ...others].map(({ length }) => length);
  if (lengths[0] === 0 || lengths.some((length) => length !== lengths[0])) {
    throw unexpected('INVALID_ARG', `lists of one length, not empty, for ${name}`, lengths.join(' and '));
  }
}

/** a / b, or `otherwise` where b is 0. */
export function ratio(a: number, b: number, otherwise = 0): number {
  return b === 0 ? otherwise : a / b;
}

/** The sum of numbers, in their order. */
export function total(values: Numbers): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** The arithmetic mean; NaN of no numbers. */
export function mean(values: Numbers): number {
  return total(values) / values.length;
}

/** Strings in the order of their code points, as Python sorts them; UTF-16 units differ above U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [isHighX, isHighY] = [x >= 0xd800 && x <= 0xdfff, y >= 0xd800 && y <= 0xdfff];
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
  }
  return a.length - b.length;
}
