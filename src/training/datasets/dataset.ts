import { unexpected, wrongArgument } from '../../expected.js';

/**
 * Rows to learn from: an array, or anything that can be iterated, also asynchronously, once for each epoch. What has a `length` need not be
 * counted; of what has none, the caller says how many steps are made. Rows of what is not an array are never held together in memory.
 */
export type Dataset<Row> = readonly Row[] | RowStream<Row> | OrderedDataset<Row>;

/** Rows that come one after the other; each iteration begins at the first. */
export type RowStream<Row> = (Iterable<Row> | AsyncIterable<Row>) & {
  /** How many rows an iteration gives, where that is known. */
  readonly length?: number | undefined;
};

/** The arguments that say in which order rows are trained. */
export interface SamplingArguments {
  readonly trainSamplingStrategy: 'random' | 'sequential' | 'group_by_length';
  readonly dataSeed: number;
  readonly perDeviceTrainBatchSize: number;
}

/** Rows on the disk that know their own order and where a row is, so that a run goes on without reading what it has done. */
export interface OrderedDataset<Row> extends AsyncIterable<Row> {
  readonly length: number;
  /** What tells the rows from others. */
  readonly digest: string;
  /** The rows of an epoch in the order in which they are trained, from the `from`th on, with their places in the dataset. All of them become examples. */
  inOrder(args: SamplingArguments, epoch: number, from: number): AsyncIterable<{ readonly row: Row; readonly index: number }>;
}

/** Whether a dataset knows its own order. */
export function isOrderedDataset<Row>(dataset: Dataset<Row>): dataset is OrderedDataset<Row> {
  return 'inOrder' in dataset;
}

/** Whether all rows are in memory, so that they can be read in any order. */
export function isArrayDataset<Row>(dataset: Dataset<Row>): dataset is readonly Row[] {
  return Array.isArray(dataset);
}

/** Checks that something can be iterated. `name` is what the error calls it. Errors: INVALID_ARG. */
export function requireDataset<Row>(dataset: Dataset<Row>, name: string): Dataset<Row> {
  const given: unknown = dataset;
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && (Symbol.iterator in given || Symbol.asyncIterator in given)) return dataset;
  throw wrongArgument(`an array, or something that can be iterated, for ${name}`, given);
}

/** How many rows a dataset says it has. Errors: INVALID_ARG for a length that is no whole number. */
export function lengthOf<Row>(dataset: Dataset<Row>): number | undefined {
  const { length } = dataset;
  if (length === undefined) return undefined;
  if (Number.isSafeInteger(length) && length >= 0) return length;
  throw wrongArgument('a whole number for the length of a dataset', length);
}

/**
 * Goes through the rows from the first, as `for await` does.
 *
 * Errors: INVALID_ARG for a generator that was read before (it has no second epoch); what the dataset throws.
 */
export async function* rowsOf<Row>(dataset: Dataset<Row>): AsyncGenerator<Row, void, undefined> {
  if (isOneWay(dataset)) {
    if (spent.has(dataset)) {
      throw unexpected('INVALID_ARG', 'a dataset that can be read again for the next epoch', 'a generator, which gives its rows once', {
        hint: 'Pass an array, or an object whose [Symbol.asyncIterator] begins anew.',
      });
    }
    spent.add(dataset);
  }
  yield* dataset;
}

/** Generators and other iterators that have begun. */
const spent = new WeakSet<object>();

/** Whether every iteration goes on where the one before it stopped. */
function isOneWay(dataset: object): boolean {
  return !Array.isArray(dataset) && 'next' in dataset;
}
