import { rowsOf, type Dataset } from './dataset.js';
import { Random } from './random.js';

/** How rows that do not fit into memory are shuffled. */
export interface ShuffleOptions {
  /** Rows that wait at once: the larger, the better the shuffle. Default 10,000. */
  readonly bufferSize?: number | undefined;
  readonly seed: number;
  readonly epoch: number;
}

/**
 * The rows of a dataset with their indices, shuffled through a buffer: each row goes into a random place of it and pushes out what was there. The order is a
 * function of (seed, epoch). Errors: as `rowsOf`.
 */
export async function* shuffledRows<R>(
  dataset: Dataset<R>,
  { bufferSize = 10_000, seed, epoch }: ShuffleOptions,
): AsyncGenerator<{ readonly row: R; readonly index: number }, void, undefined> {
  const random = new Random(seed, epoch);
  const buffer: { readonly row: R; readonly index: number }[] = [];
  let index = 0;
  for await (const row of rowsOf(dataset)) {
    const item = { row, index: index++ };
    if (buffer.length < bufferSize) {
      buffer.push(item);
      continue;
    }
    const place = random.below(bufferSize);
    yield buffer[place]!;
    buffer[place] = item;
  }
  for (let left = buffer.length; left > 0; left--) {
    const place = random.below(left);
    yield buffer[place]!;
    buffer[place] = buffer[left - 1]!;
  }
}
