import { atOnce, inSlices } from '../../calls/text-reader.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { SamplingArguments } from '../datasets/dataset.js';

/** Batches of a mega-batch, within which rows are sorted by length (transformers' LengthGroupedSampler). */
const kMegaBatches = 50;

/**
 * The rows of one epoch in the order in which they are trained: a function of (dataSeed, epoch) and nothing else, so that a resumed run
 * continues where it was. `lengths` (tokens of each row) are for 'group_by_length' alone.
 */
export function epochOrder(args: SamplingArguments, epoch: number, rows: number, lengths?: ArrayLike<number>): Uint32Array {
  return atOnce(orderSlices(args, epoch, rows, lengths));
}

/** The same in short turns of the event loop: half a million rows take a fifth of a second. Errors: the reason of the budget's signal. */
export function epochOrderInTurns(
  budget: Budget,
  args: SamplingArguments,
  epoch: number,
  rows: number,
  lengths?: ArrayLike<number>,
): Promise<Uint32Array> {
  return inSlices(orderSlices(args, epoch, rows, lengths), budget);
}

function* orderSlices(args: SamplingArguments, epoch: number, rows: number, lengths?: ArrayLike<number>): Generator<void, Uint32Array> {
  const order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  if (args.trainSamplingStrategy === 'sequential') return order;
  yield* shuffleSlices(order, args.dataSeed, epoch);
  if (args.trainSamplingStrategy === 'group_by_length') yield* groupByLength(order, lengths!, args.perDeviceTrainBatchSize);
  return order;
}

/** Sorts mega-batches by descending length; the longest row of all comes first, so that a run that lacks memory fails at once. */
function* groupByLength(order: Uint32Array, lengths: ArrayLike<number>, batchSize: number): Generator<void, void> {
  const size = batchSize * Math.max(1, Math.min(Math.floor(order.length / (batchSize * 4)), kMegaBatches));
  let longest = 0;
  for (let begin = 0; begin < order.length; begin += size) {
    const group = order.subarray(begin, begin + size);
    group.set([...group].sort((a, b) => lengths[b]! - lengths[a]!));
    if (lengths[group[0]!]! > lengths[order[longest]!]!) longest = begin;
    yield;
  }
  const first = order[0]!;
  order[0] = order[longest]!;
  order[longest] = first;
}

/** Fisher-Yates, in place, in short turns of the event loop: a function of (seed, stream). Errors: the reason of the budget's signal. */
export function shuffleInTurns(budget: Budget, order: Uint32Array, seed: number, stream: number): Promise<void> {
  return inSlices(shuffleSlices(order, seed, stream), budget);
}

/** Rows that a slice draws. */
const kDrawsAtOnce = 256;

function* shuffleSlices(order: Uint32Array, seed: number, stream: number): Generator<void, void> {
  const below = randomBelow(seed, stream);
  for (let last = order.length - 1; last > 0; last--) {
    const other = below(last + 1);
    const value = order[last]!;
    order[last] = order[other]!;
    order[other] = value;
    if (last % kDrawsAtOnce === 0) yield;
  }
}

/** Whole numbers below a bound, from SplitMix64 keyed with (seed, stream); the bias is below bound / 2^64. */
export function randomBelow(seed: number, stream: number): (bound: number) => number {
  let state = BigInt.asUintN(64, mix(BigInt(seed)) + mix(BigInt(stream) + 0x632be59bd9b4e019n));
  return (bound) => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    return Number((mix(state) * BigInt(bound)) >> 64n);
  };
}

function mix(value: bigint): bigint {
  let z = BigInt.asUintN(64, value);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
