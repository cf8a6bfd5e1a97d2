import type { CollatedBatch, Collator, Example } from '../collators/collator.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import { epochOrder } from './sampling.js';
import type { Examples } from './examples.js';

/** How far a run is in its data. */
export interface DataPosition {
  /** Counted from 0. */
  readonly epoch: number;
  /** Rows of this epoch that were trained. */
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
  readonly collator: Pick<Collator, 'collate'>;
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
  const lengths = all === undefined ? undefined : Uint32Array.from(all, ({ tokens }) => tokens);
  for (let { epoch, rows } = from; epoch < numEpochs; epoch++, rows = 0) {
    yield* lengths === undefined ? streamedEpoch(options, epoch, rows) : orderedEpoch(options, epoch, rows, lengths);
  }
}

async function* orderedEpoch(options: SourceOptions, epoch: number, begin: number, lengths: Uint32Array): AsyncGenerator<BatchGroup> {
  const { args, examples, budget } = options;
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation, dataloaderDropLast } = args;
  const order = epochOrder(args, epoch, lengths.length, lengths);
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
