import type { Timing } from '../measure.js';

/** How the names of a measurement's three contestants read. The base twice: what differs between the two is the machine's noise. */
export const sides = ['base', 'base again', 'this'] as const;
export type Side = (typeof sides)[number];

/** More time than the base, beyond the noise, that counts as slower. */
export const tolerance = 0.03;

export interface AbVerdict {
  /** This checkout's median over the base's. */
  readonly ratio: number;
  /** How far the base lies from itself: |median of the second / median of the first - 1|. */
  readonly noise: number;
  readonly isSlower: boolean;
}

/** Judges by medians, and by minima as well, so that one burst of other work cannot make a verdict. */
export function judge(timings: Readonly<Record<Side, Pick<Timing, 'min' | 'median'>>>): AbVerdict {
  const of = (what: 'min' | 'median') => {
    const base = timings.base[what];
    return { ratio: timings.this[what] / base, noise: Math.abs(timings['base again'][what] / base - 1) };
  };
  const [median, min] = [of('median'), of('min')];
  const beyond = ({ ratio, noise }: typeof median) => ratio > 1 + tolerance + noise;
  return { ...median, isSlower: beyond(median) && beyond(min) };
}
