import { inSlices } from '../../calls/text-reader.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { dot } from '../../vectors/vector-like.js';
import { lineSearch, type LinePoint } from './line-search.js';

/** What is minimised: its value and its gradient at a point. */
export type Objective = (point: Float64Array) => Promise<{ readonly value: number; readonly gradient: Float64Array }>;

/** Options of `minimize`. */
export interface MinimizeOptions {
  /** Ends when no component of the gradient is larger. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Called after each iteration. */
  readonly onIteration?: ((iteration: number, value: number, largestGradient: number) => void) | undefined;
}

/** What `minimize` found. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly largestGradient: number;
  readonly iterations: number;
  /** Whether it ended for another reason than `maxIterations` or a line search without success. */
  readonly converged: boolean;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

const kPairs = 10;
/** A relative decrease below this ends it at scikit-learn's default tolerance, 1e-4; a smaller tolerance asks for as much more. */
const kFlat = 64 * Number.EPSILON;
const kDefaultTolerance = 1e-4;
/** Iterations in a row that found neither a smaller value nor a smaller gradient than any before: rounding, at a tolerance below the default. */
const kPatience = 10;

/** L-BFGS with 10 pairs, as scipy's L-BFGS-B does it without bounds: Liu & Nocedal, 1989. */
export async function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions): Promise<Minimum> {
  let point = start;
  let { value, gradient } = await objective(point);
  let steepest = largest(gradient);
  const pairs: Pair[] = [];
  const budget = new Budget(undefined);
  const flat = kFlat * Math.min(1, options.tolerance / kDefaultTolerance);
  let iterations = 0;
  let least = { value, gradient: steepest };
  let idle = 0;
  const result = (converged: boolean): Minimum => ({ point, value, largestGradient: steepest, iterations, converged });
  if (steepest <= options.tolerance) return result(true);
  while (iterations < options.maxIterations) {
    const direction = await inSlices(descent(gradient, pairs), budget);
    const begin: LinePoint = { step: 0, value, slope: dot(gradient, direction) };
    let reached = { point, value, gradient };
    const found = await lineSearch(begin, iterations === 0 ? 1 / Math.sqrt(dot(direction, direction)) : 1, async (step) => {
      const next = point.slice();
      add(next, direction, step);
      reached = { point: next, ...(await objective(next)) };
      return { step, value: reached.value, slope: dot(reached.gradient, direction) };
    });
    if (found === undefined) {
      // Old pairs may be to blame: once more down the gradient.
      if (pairs.length === 0) return result(false);
      pairs.length = 0;
      continue;
    }
    iterations++;
    const before = { value, gradient };
    ({ point, value, gradient } = reached);
    steepest = largest(gradient);
    options.onIteration?.(iterations, value, steepest);
    if (steepest <= options.tolerance) return result(true);
    const isFlat = before.value - value <= flat * Math.max(Math.abs(before.value), Math.abs(value), 1);
    // A tight tolerance asks for more than one such iteration: value and gradient of neighbouring points go up and down by rounding.
    idle = value < least.value || steepest < least.gradient ? 0 : idle + 1;
    least = { value: Math.min(value, least.value), gradient: Math.min(steepest, least.gradient) };
    if (isFlat && (options.tolerance >= kDefaultTolerance || idle >= kPatience)) return result(true);
    const change = gradient.slice();
    add(change, before.gradient, -1);
    const step = direction;
    scale(step, found.step);
    const product = dot(change, step);
    if (product <= Number.EPSILON * -begin.slope * found.step) continue;
    pairs.push({ step, change, product });
    if (pairs.length > kPairs) pairs.shift();
  }
  return result(false);
}

/** The direction of descent by the two loops over the pairs, in slices. */
function* descent(gradient: Float64Array, pairs: readonly Pair[]): Generator<void, Float64Array> {
  const direction = gradient.slice();
  scale(direction, -1);
  const factors = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i]!;
    factors[i] = dot(step, direction) / product;
    add(direction, change, -factors[i]!);
    yield;
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    scale(direction, last.product / dot(last.change, last.change));
  }
  for (const [i, { step, change, product }] of pairs.entries()) {
    add(direction, step, factors[i]! - dot(change, direction) / product);
    yield;
  }
  return direction;
}

function add(to: Float64Array, from: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * from[i]!;
}

function scale(numbers: Float64Array, factor: number): void {
  for (let i = 0; i < numbers.length; i++) numbers[i]! *= factor;
}

function largest(gradient: Float64Array): number {
  let most = 0;
  for (const g of gradient) most = Math.max(most, Math.abs(g));
  return most;
}
