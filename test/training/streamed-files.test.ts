import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Budget } from '../../src/runtime/event-loop-budget.js';
import { trainingArguments, type TrainingArgumentsOptions } from '../../src/training/arguments/training-arguments.js';
import type { Collator, Example } from '../../src/training/collators/collator.js';
import { readJsonl, type Dataset, type Row } from '../../src/training/datasets/index.js';
import { batchGroups, type DataPosition } from '../../src/training/trainer/batch-source.js';
import { readExamples } from '../../src/training/trainer/examples.js';
import { suite } from '../support/suite.js';

// Files that do not fit into memory: here a small one, read as those are.
const t = suite('streamed files');
const folder = mkdtempSync(join(tmpdir(), 'bertha-streamed-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));
const kRows = 50;
const file = join(folder, 'rows.jsonl');
writeFileSync(file, Array.from({ length: kRows }, (_, n) => `{"n":${n}}\n`).join(''));

/** An example is its row's index. */
const collator: Collator<Row> = {
  *encode(row, index) {
    assert.is(row['n'], index);
    return { index, sequences: [], tokens: 1 };
  },
  collate: (examples: readonly Example[]) => ({
    rows: examples.length,
    tokens: examples.length,
    numItems: [examples.length],
    batch: {
      inputIds: Int32Array.from(examples, ({ index }) => index),
      tokenTypeIds: new Int32Array(examples.length),
      cuSeqlens: new Int32Array(1),
    },
    read: () => ({ predictions: [], labels: [] }),
  }),
  warn: () => undefined,
};

async function orderOf(
  dataset: Dataset<Row>,
  from: DataPosition = { epoch: 0, rows: 0 },
  options: TrainingArgumentsOptions = {},
): Promise<number[]> {
  const budget = new Budget(new AbortController().signal, 'bulk');
  const examples = await readExamples(dataset, collator, budget);
  const args = trainingArguments({ perDeviceTrainBatchSize: 8, ...options });
  const order: number[] = [];
  for await (const { batches } of batchGroups({ args, examples, collator, budget }, from, from.epoch + 1)) {
    order.push(...batches.flatMap(({ batch }) => [...batch.inputIds]));
  }
  return order;
}

const inOrder = Array.from({ length: kRows }, (_, n) => n);
const sorted = (order: readonly number[]) => [...order].sort((a, b) => a - b);

t('each epoch has every row once, in an order of its own that its seed decides', async () => {
  const first = await orderOf(readJsonl(file));
  assert.equal(sorted(first), inOrder);
  assert.not.equal(first, inOrder);
  assert.equal(await orderOf(readJsonl(file)), first);
  assert.not.equal(await orderOf(readJsonl(file), { epoch: 1, rows: 0 }), first);
  assert.not.equal(await orderOf(readJsonl(file), undefined, { dataSeed: 7 }), first);
});

t('a run goes on in the middle of an epoch with the rows that were not read', async () => {
  const whole = await orderOf(readJsonl(file));
  assert.equal(await orderOf(readJsonl(file), { epoch: 0, rows: 24 }), whole.slice(24));
});

t('the order stays where it is asked for, and where rows come from somewhere else', async () => {
  assert.equal(await orderOf(readJsonl(file), undefined, { trainSamplingStrategy: 'sequential' }), inOrder);
  const stream = { [Symbol.asyncIterator]: () => readJsonl(file)[Symbol.asyncIterator]() };
  assert.equal(await orderOf(stream), inOrder);
});

t.run();
