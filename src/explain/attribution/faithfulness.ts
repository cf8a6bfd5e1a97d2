import { NumpyRandom } from '../../learn/split/numpy-random.js';
import { scoresAtBaseline, type Positions, type Problem } from '../evaluation/evaluate.js';
import type { Unit } from '../reading/units.js';

/** What the units of largest value do to the score, beside as many drawn at random (DeYoung et al. 2020). Each list has one number a share. */
export interface Faithfulness {
  /** How large a part of the units is taken: 10, 20 and 50 %, rounded up. */
  readonly shares: readonly number[];
  /** What the score loses when they go to the baseline. */
  readonly comprehensiveness: readonly number[];
  /** What the score loses when all others go to the baseline: the less, the better. */
  readonly sufficiency: readonly number[];
  /** The means for units drawn at random, 10 times. */
  readonly random: { readonly comprehensiveness: readonly number[]; readonly sufficiency: readonly number[] };
}

const kShares = [0.1, 0.2, 0.5];
const kDraws = 10;
/** Forwards that it takes. */
export const kFaithfulnessForwards = 2 * kShares.length * (1 + kDraws);

/** Measures how much of the score hangs on the units of largest value. */
export async function measureFaithfulness(
  problem: Problem,
  units: readonly Unit[],
  { values, score, seed }: { readonly values: Float64Array; readonly score: number; readonly seed: number },
): Promise<Faithfulness> {
  const best = Array.from(units.keys()).sort((a, b) => values[b]! - values[a]!);
  const random = new NumpyRandom(seed);
  const orders = [best, ...Array.from({ length: kDraws }, () => random.permutation(units.length))];
  const tokensOf = (list: readonly number[]): Positions => new Set(list.flatMap((i) => units[i]!.tokens));
  const counts = kShares.map((share) => Math.ceil(share * units.length));
  const variants = orders.flatMap((order) => counts.flatMap((count) => [tokensOf(order.slice(0, count)), tokensOf(order.slice(count))]));
  const scores = await scoresAtBaseline(problem, variants);
  const lost = (order: number, share: number, kind: 0 | 1): number => score - scores[2 * (order * kShares.length + share) + kind]!;
  const mean = (share: number, kind: 0 | 1): number =>
    Array.from({ length: kDraws }, (_, draw) => lost(draw + 1, share, kind)).reduce((sum, each) => sum + each, 0) / kDraws;
  const each = (of: (share: number) => number): number[] => kShares.map((_, share) => of(share));
  return {
    shares: kShares,
    comprehensiveness: each((share) => lost(0, share, 0)),
    sufficiency: each((share) => lost(0, share, 1)),
    random: { comprehensiveness: each((share) => mean(share, 0)), sufficiency: each((share) => mean(share, 1)) },
  };
}
