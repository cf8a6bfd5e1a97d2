import { NumpyRandom } from '../../learn/split/numpy-random.js';
import { scoresAtBaseline, scoresWithout, type Positions, type Problem } from '../evaluation/evaluate.js';
import type { Unit } from '../reading/units.js';

/** What a perturbing method found. */
export interface UnitAttribution {
  /** One a unit; NaN where a unit has what the score reads, so that leaving it out leaves no score. */
  readonly values: Float64Array;
  /** Standard errors of the values, where they were sampled from more than one pair of orders. */
  readonly errors?: Float64Array;
  readonly score: number;
  readonly baselineScore: number;
}

/** What each unit's absence costs: at the baseline, or left out with its place. */
export async function occlusion(problem: Problem, units: readonly Unit[], way: 'occlusion' | 'leave-one-out'): Promise<UnitAttribution> {
  const absent = units.map(({ tokens }) => new Set(tokens));
  const ends = [new Set<number>(), new Set(units.flatMap(({ tokens }) => tokens))];
  const scores = await scoresAtBaseline(problem, way === 'occlusion' ? [...ends, ...absent] : ends);
  const [score, baselineScore] = [scores[0]!, scores[1]!];
  const without = way === 'occlusion' ? scores.subarray(2) : await scoresWithout(problem, absent);
  return { values: without.map((other) => score - other), score, baselineScore };
}

/** Units up to which all subsets are computed. */
export const kMostExact = 8;

/** How Shapley values are sampled. */
export interface ShapleySampling {
  readonly pairs: number;
  readonly seed: number;
}

/**
 * Shapley values of the units, where a unit that is absent is at the baseline: of up to 8 units from all subsets, of more the mean over pairs of an
 * order and its reversal. They add up to the difference of the scores.
 */
export function shapley(problem: Problem, units: readonly Unit[], { pairs, seed }: ShapleySampling): Promise<UnitAttribution> {
  if (units.length <= kMostExact) return exactShapley(problem, units);
  const random = new NumpyRandom(seed);
  const orders = Array.from({ length: pairs }, () => {
    const order = random.permutation(units.length);
    return [order, order.toReversed()];
  }).flat();
  return sampledShapley(problem, units, orders);
}

/** The mean over orders, which are pairs of one and its reversal. */
export async function sampledShapley(
  problem: Problem,
  units: readonly Unit[],
  orders: readonly (readonly number[])[],
): Promise<UnitAttribution> {
  const scores = await scoresAtBaseline(problem, absences(units, orders));
  const [score, baselineScore] = [scores[0]!, scores[1]!];
  const changes = orders.map((order, o) => {
    const change = new Float64Array(units.length);
    let before = baselineScore;
    order.forEach((unit, place) => {
      const now = place === order.length - 1 ? score : scores[2 + o * (units.length - 1) + place]!;
      change[unit] = now - before;
      before = now;
    });
    return change;
  });
  const pairs = Array.from({ length: orders.length / 2 }, (_, p) =>
    changes[2 * p]!.map((value, i) => (value + changes[2 * p + 1]![i]!) / 2),
  );
  const values = meanOf(pairs);
  const errors = values.map((mean, i) => {
    const squares = pairs.reduce((sum, pair) => sum + (pair[i]! - mean) ** 2, 0);
    return Math.sqrt(squares / (pairs.length - 1) / pairs.length);
  });
  return { values, ...(pairs.length > 1 && { errors }), score, baselineScore };
}

/** What is absent: nothing, everything, and of each order what is left before each unit but the first. A set changes once the next is asked for. */
function* absences(units: readonly Unit[], orders: readonly (readonly number[])[]): Generator<Positions, void> {
  const all = units.flatMap(({ tokens }) => tokens);
  yield new Set();
  yield new Set(all);
  for (const order of orders) {
    const absent = new Set(all);
    for (const unit of order.slice(0, -1)) {
      units[unit]!.tokens.forEach((token) => absent.delete(token));
      yield absent;
    }
  }
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  return rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
}

/** From all subsets. */
export async function exactShapley(problem: Problem, units: readonly Unit[]): Promise<UnitAttribution> {
  const n = units.length;
  const subsets = Array.from({ length: 2 ** n }, (_, present) => {
    return new Set(units.flatMap(({ tokens }, i) => ((present >> i) & 1 ? [] : tokens)));
  });
  const scores = await scoresAtBaseline(problem, subsets);
  const values = new Float64Array(n);
  for (let present = 0; present < 2 ** n; present++) {
    const weight = 1 / (n * choose(n - 1, countBits(present)));
    for (let i = 0; i < n; i++) {
      if ((present >> i) & 1) continue;
      values[i]! += weight * (scores[present | (1 << i)]! - scores[present]!);
    }
  }
  return { values, score: scores[2 ** n - 1]!, baselineScore: scores[0]! };
}

function countBits(bits: number): number {
  return bits === 0 ? 0 : (bits & 1) + countBits(bits >> 1);
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return ways;
}
