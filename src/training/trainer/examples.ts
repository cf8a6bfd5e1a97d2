import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Collator, Example } from '../collators/collator.js';
import { isArrayDataset, isOrderedDataset, lengthOf, rowsOf, type Dataset, type SamplingArguments } from '../datasets/dataset.js';
import { shuffledRows } from '../datasets/shuffle.js';
import type { Budget } from '../../runtime/event-loop-budget.js';

/** The rows of a dataset, read. A row is read once where all rows are in memory, otherwise once in each epoch. */
export interface Examples {
  /** All rows, where they are in memory. */
  readonly all: readonly Example[] | undefined;
  /** How many rows an epoch has, as far as is known. */
  readonly length: number | undefined;
  /** The rows from the first. Rows from which nothing can be learned are left out. */
  stream(budget: Budget): AsyncGenerator<Example, void, undefined>;
  /**
   * The rows of an epoch that are not in memory, in the order in which they are trained, from the `from`th on. A file is shuffled through a buffer; the order is a
   * function of (args, epoch).
   */
  epoch(budget: Budget, args: SamplingArguments, epoch: number, from: number): AsyncGenerator<Example, void, undefined>;
  /** What tells the dataset from another: of all rows, or of a stream's first ones; of a generator, whose rows come once, nothing. */
  digest(budget: Budget): Promise<string>;
}

/** Rows of a stream that its digest is of. */
const kDigestRows = 64;

/**
 * Reads a dataset: an array to the end, of a stream nothing yet.
 *
 * Errors: those of the dataset and the collator; the reason of the budget's signal.
 */
export async function readExamples<Row>(dataset: Dataset<Row>, collator: Collator<Row>, budget: Budget): Promise<Examples> {
  if (!isArrayDataset(dataset)) {
    const stream = (own: Budget) => streamExamples(dataset, collator, own);
    if (isOrderedDataset(dataset)) {
      const { length, digest } = dataset;
      const epoch: Examples['epoch'] = (own, args, ...place) => encodeRows(dataset.inOrder(args, ...place), collator, own);
      return { all: undefined, length, stream, epoch, digest: () => Promise.resolve(digest) };
    }
    const digest = async (own: Budget) => ('next' in dataset ? '' : digestOf(await firstOf(stream(own), kDigestRows), own));
    const epoch: Examples['epoch'] = (own, { trainSamplingStrategy, dataSeed: seed }, number, from) => {
      const isShuffled = isFile(dataset) && trainSamplingStrategy !== 'sequential';
      return skip(isShuffled ? encodeRows(shuffledRows(dataset, { seed, epoch: number }), collator, own) : stream(own), from);
    };
    return { all: undefined, length: lengthOf(dataset), stream, epoch, digest };
  }
  const all: Example[] = [];
  for await (const example of streamExamples(dataset, collator, budget)) all.push(example);
  async function* stream() {
    yield* all;
  }
  return { all, length: all.length, stream, epoch: (_, __, ___, from) => skip(stream(), from), digest: (own) => digestOf(all, own) };
}

async function* skip<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T, void, undefined> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}

async function firstOf<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const first: T[] = [];
  for await (const item of items) if (first.push(item) === count) break;
  return first;
}

async function digestOf(examples: readonly Example[], budget: Budget): Promise<string> {
  const hash = createHash('sha256');
  for (const example of examples) {
    update(hash, example);
    if (budget.isSpent) await budget.yield();
  }
  return hash.digest('hex');
}

/** Files keep their rows on the disk; the order of another stream is its maker's. */
function isFile(dataset: object): boolean {
  return 'path' in dataset && 'count' in dataset;
}

function streamExamples<Row>(dataset: Dataset<Row>, collator: Collator<Row>, budget: Budget): AsyncGenerator<Example, void, undefined> {
  return encodeRows(indexed(dataset), collator, budget);
}

async function* indexed<Row>(dataset: Dataset<Row>): AsyncGenerator<{ readonly row: Row; readonly index: number }, void, undefined> {
  let index = 0;
  for await (const row of rowsOf(dataset)) yield { row, index: index++ };
}

async function* encodeRows<Row>(
  rows: AsyncIterable<{ readonly row: Row; readonly index: number }>,
  collator: Collator<Row>,
  budget: Budget,
): AsyncGenerator<Example, void, undefined> {
  let read = 0;
  for await (const { row, index } of rows) {
    const example = await encodeRow(collator, row, index, budget);
    if (example !== undefined) yield example;
    // Rows that are at hand at once would otherwise keep the event loop to themselves.
    if ((++read & 255) === 0) await nextTurn();
  }
  collator.warn();
}

/** Reads one row in slices of the event loop. */
async function encodeRow<Row>(collator: Collator<Row>, row: Row, index: number, budget: Budget): Promise<Example | undefined> {
  const parts = collator.encode(row, index);
  for (;;) {
    if (budget.isSpent) await budget.yield();
    const part = parts.next();
    if (part.done === true) return part.value;
  }
}

/** Adds all that a value holds to a hash: numbers of typed arrays by their bytes. */
function update(hash: Hash, value: unknown): void {
  if (ArrayBuffer.isView(value)) {
    hash.update(`${value.byteLength}:`).update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      hash.update(`{${key}`);
      update(hash, each);
    }
    hash.update('}');
  } else hash.update(`${typeof value} ${String(value)};`);
}
