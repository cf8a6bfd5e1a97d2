import type { Example } from '../collators/collator.js';

/** Rows that wait for a later batch at most; then a batch goes without being full. */
const kMostHeld = 10_000;

/**
 * Batches of up to `size` rows in which no value is twice, by equality: a row that shares one with its batch waits for a later one. Only when the rows are at
 * their end, or too many wait, are batches smaller. The order is a function of that of the rows (NoDuplicatesBatchSampler of
 * sentence-transformers).
 */
export async function* distinctBatches(rows: AsyncIterable<Example>, size: number): AsyncGenerator<readonly Example[], void, undefined> {
  let held: Example[] = [];
  let batch: Example[] = [];
  let values = new Set<string>();
  const put = (example: Example): boolean => {
    const own = example.values ?? [];
    if (batch.length === size || own.some((value) => values.has(value))) return false;
    batch.push(example);
    for (const value of own) values.add(value);
    return true;
  };
  const take = (): readonly Example[] => {
    const full = batch;
    batch = [];
    values = new Set();
    // What waited is the first to come into the next batch.
    held = held.filter((example) => !put(example));
    return full;
  };
  for await (const example of rows) {
    if (!put(example)) held.push(example);
    while (batch.length === size || held.length > kMostHeld) yield take();
  }
  while (batch.length > 0) yield take();
}
