import { createHash, type Hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Collator, Example } from '../collators/collator.js';
import { isArrayDataset, lengthOf, rowsOf, type Dataset } from '../datasets/dataset.js';
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
  /** The rows of a file that is not in memory, shuffled through a buffer; undefined for others. The order is a function of (seed, epoch). */
  readonly shuffled: ((budget: Budget, seed: number, epoch: number) => AsyncGenerator<Example, void, undefined>) | undefined;
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
    const digest = async (own: Budget) => ('next' in dataset ? '' : digestOf(await firstOf(stream(own), kDigestRows), own));
    const shuffled = (own: Budget, seed: number, epoch: number) => encodeRows(shuffledRows(dataset, { seed, epoch }), collator, own);
    return { all: undefined, length: lengthOf(dataset), stream, shuffled: isFile(dataset) ? shuffled : undefined, digest };
  }
  const all: Example[] = [];
  for await (const example of streamExamples(dataset, collator, budget)) all.push(example);
  async function* stream() {
    yield* all;
  }
  return { all, length: all.length, stream, shuffled: undefined, digest: (own) => digestOf(all, own) };
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
