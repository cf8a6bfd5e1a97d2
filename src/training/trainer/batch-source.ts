import type { CollatedBatch, Collator, Example } from '../collators/collator.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { BatchPlan } from './batch-plan.js';
import { distinctBatches } from './distinct-batches.js';
import { epochOrderInTurns } from './sampling.js';
import type { Examples } from './examples.js';

/** How far a run is in its data. */
export interface DataPosition {
  /** Counted from 0. */
  readonly epoch: number;
  /** Rows of this epoch that were trained; of a plan, places for rows in its batches. */
  readonly rows: number;
}

/** The micro-batches of one update. */
export interface BatchGroup {
  readonly batches: readonly CollatedBatch[];
  /** Where the next group begins; at the end of an epoch still in that epoch. */
  readonly end: DataPosition;
  /** Whether these are the epoch's last rows. */
  readonly endsEpoch: boolean;
}

interface SourceOptions {
  readonly args: TrainingArguments;
  readonly examples: Examples;
  readonly collator: Pick<Collator, 'collate' | 'isDistinct'>;
  /** What the batches are, where it is not the order of an epoch cut up. */
  readonly plan?: BatchPlan | undefined;
  readonly budget: Budget;
}

/**
 * The groups of a run from a position on. What they hold is a function of the arguments' seeds, the rows and the position, so a run that
 * was interrupted gets the same groups as one that was not.
 */
export async function* batchGroups(
  options: SourceOptions,
  from: DataPosition,
  numEpochs: number,
): AsyncGenerator<BatchGroup, void, undefined> {
  const { all } = options.examples;
  const lengths = all === undefined ? undefined : new Uint32Array(all.length);
  all?.forEach(({ tokens }, row) => (lengths![row] = tokens));
  for (let { epoch, rows } = from; epoch < numEpochs; epoch++, rows = 0) {
    if (options.plan !== undefined) yield* plannedEpoch(options, options.plan, epoch, rows);
    else if (options.collator.isDistinct === true) yield* distinctEpoch(options, epoch, rows, lengths);
    else yield* lengths === undefined ? streamedEpoch(options, epoch, rows) : orderedEpoch(options, epoch, rows, lengths);
  }
}

async function* plannedEpoch(options: SourceOptions, plan: BatchPlan, epoch: number, begin: number): AsyncGenerator<BatchGroup> {
  const { args, budget, collator } = options;
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation, seed } = args;
  const planned = await plan.batches(epoch, budget);
  for (let first = begin / size; first < planned.length; first += accumulation) {
    if (budget.isSpent) await budget.yield();
    const end = Math.min(first + accumulation, planned.length);
    const batches = planned.slice(first, end).map((batch) => collator.collate(batch.examples, { seed, epoch: batch.epoch }));
    yield { batches, end: { epoch, rows: end * size }, endsEpoch: end === planned.length };
  }
}

/** An epoch in whose batches no value is twice. Which rows are in a batch depends on those before it, so the epoch is gone through from its first row. */
async function* distinctEpoch(
  options: SourceOptions,
  epoch: number,
  begin: number,
  lengths: Uint32Array | undefined,
): AsyncGenerator<BatchGroup> {
  const { args, examples, budget, collator } = options;
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation, dataloaderDropLast: dropsLast } = args;
  const source =
    lengths === undefined
      ? examples.epoch(budget, args, epoch, 0)
      : ordered(examples.all!, await epochOrderInTurns(budget, args, epoch, lengths.length, lengths));
  let group: (readonly Example[])[] = [];
  let rows = 0;
  const take = (endsEpoch: boolean): BatchGroup => {
    const batches = group.map((batch) => collator.collate(batch, { seed: args.seed, epoch }));
    group = [];
    return { batches, end: { epoch, rows }, endsEpoch };
  };
  for await (const batch of distinctBatches(source, size)) {
    if (budget.isSpent) await budget.yield();
    if (dropsLast && batch.length < size) continue;
    // One batch more than a group: then this group is not the epoch's last.
    if (group.length === accumulation) {
      if (rows > begin) yield take(false);
      else group = [];
    }
    group.push(batch);
    rows += batch.length;
  }
  if (group.length > 0 && rows > begin) yield take(true);
}

async function* ordered(all: readonly Example[], order: Uint32Array): AsyncGenerator<Example, void, undefined> {
  for (const index of order) yield all[index]!;
}

async function* orderedEpoch(options: SourceOptions, epoch: number, begin: number, lengths: Uint32Array): AsyncGenerator<BatchGroup> {
  const { args, examples, budget } = options;
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation, dataloaderDropLast } = args;
  const order = await epochOrderInTurns(budget, args, epoch, lengths.length, lengths);
  const rows = dataloaderDropLast ? lengths.length - (lengths.length % size) : lengths.length;
  for (let row = begin; row < rows; row += size * accumulation) {
    if (budget.isSpent) await budget.yield();
    const end = Math.min(row + size * accumulation, rows);
    const chosen = Array.from(order.subarray(row, end), (index) => examples.all![index]!);
    yield { batches: collate(options, chosen, epoch), end: { epoch, rows: end }, endsEpoch: end === rows };
  }
}

async function* streamedEpoch(options: SourceOptions, epoch: number, begin: number): AsyncGenerator<BatchGroup> {
  const { args, examples, budget } = options;
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation, dataloaderDropLast } = args;
  let waiting: Example[] = [];
  let rows = begin;
  const take = (count: number, endsEpoch: boolean): BatchGroup => {
    const chosen = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return { batches: collate(options, chosen, epoch), end: { epoch, rows: rows - waiting.length }, endsEpoch };
  };
  for await (const example of examples.epoch(budget, args, epoch, begin)) {
    rows++;
    waiting.push(example);
    // One row more than a group: then this group is not the epoch's last.
    if (waiting.length > size * accumulation) yield take(size * accumulation, false);
  }
  if (dataloaderDropLast) waiting.length -= waiting.length % size;
  if (waiting.length > 0) yield take(waiting.length, true);
}

function collate({ args, collator }: SourceOptions, chosen: readonly Example[], epoch: number): CollatedBatch[] {
  const { perDeviceTrainBatchSize: size, seed } = args;
  const batches: CollatedBatch[] = [];
  for (let begin = 0; begin < chosen.length; begin += size) {
    batches.push(collator.collate(chosen.slice(begin, begin + size), { seed, epoch }));
  }
  return batches;
}
