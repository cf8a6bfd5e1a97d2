// One native trainer: the same bits for any number of threads, all weights or none, live weights, memory.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { goldenTraining } from '../support/golden-training.js';
import { labelledBatch as batchOf, learningUpdate as update } from '../support/learning-batch.js';
import { suite } from '../support/suite.js';

const t = suite('training step');

const folder = fileURLToPath(goldenTraining('gradients/bert-dropout'));
const load = (threads: number, precision: 'fp32' | 'bf16' = 'fp32') =>
  LearningModel.load(folder, { task: 'text-classification', seed: 7, threads, precision });
/** What training computes with here. */
const precisions = (['fp32', 'bf16'] as const).filter((name) => loadAddon().isa().precisions.includes(name));

/** All values, and with `moments` AdamW's two. */
async function state({ session, training }: LearningModel, moments = true): Promise<Buffer> {
  const kinds = moments ? (['value', 'expAvg', 'expAvgSq'] as const) : (['value'] as const);
  const parts: Buffer[] = [];
  for (const { id, rows } of training.weights)
    for (const kind of kinds) {
      const values = await session.read(id, kind, 0, rows);
      parts.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    }
  return Buffer.concat(parts);
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: BerthaError) => error,
  );

t(`the same bytes for 1, 2 and 3 threads, dropout on, several chunks, ${precisions.join(' and ')}`, async () => {
  for (const precision of precisions) await requireSameBytes(precision);
});
async function requireSameBytes(precision: 'fp32' | 'bf16'): Promise<void> {
  const states: Buffer[] = [];
  for (const threads of [1, 2, 3]) {
    const model = await load(threads, precision);
    for (let step = 1; step <= 2; step++) {
      const batches = [batchOf(200), batchOf(9)];
      const { gradNorm, tokens } = await model.session.step(batches, { ...update(step), numItems: [209], microStep: 2 * step });
      assert.ok(gradNorm > 0 && tokens > 2048);
    }
    states.push(await state(model));
    model.dispose();
  }
  assert.ok(states[0]!.equals(states[1]!) && states[0]!.equals(states[2]!), precision);
}

t('halves are the whole, and the live model sees the update', async () => {
  const [whole, halves] = [await load(2), await load(2)];
  const before = await state(whole, false);
  const [batch, numItems] = [batchOf(20), [20]];
  const step = await whole.session.step([batch], { ...update(1), numItems, microStep: 0 });
  const sum = await halves.session.accumulate([batch], { numItems, microStep: 0 });
  const { gradNorm } = await halves.session.update(update(1));
  assert.is(sum.loss, step.loss);
  assert.is(gradNorm, step.gradNorm);
  assert.ok((await state(whole)).equals(await state(halves)));
  assert.not.ok((await state(whole, false)).equals(before));
  whole.dispose();
  halves.dispose();
});

t('an aborted step and one that is not finite change nothing', async () => {
  const model = await load(2);
  const options = { numItems: [200], microStep: 0 };
  await model.session.step([batchOf(20)], { ...update(1), ...options });
  const before = await state(model);
  const controller = new AbortController();
  const aborted = codeOf(model.session.step([batchOf(200)], { ...update(2), ...options }, controller));
  controller.abort(new Error('enough'));
  assert.is((await aborted)?.message, 'enough');
  assert.ok((await state(model)).equals(before));
  const weight = model.training.weights.find(({ rows }) => rows === 1)!;
  const values = await model.session.read(weight.id, 'value', 0, 1);
  await model.session.write(
    weight.id,
    'value',
    0,
    values.map(() => 3e38),
  );
  const huge = await state(model);
  const error = await codeOf(model.session.step([batchOf(20)], { ...update(2), ...options }));
  assert.is(error?.code, 'NON_FINITE');
  assert.ok((await state(model)).equals(huge));
  await model.session.write(weight.id, 'value', 0, values);
  assert.ok((await state(model)).equals(before));
  model.dispose();
});

t('memory is counted and given back', async () => {
  const addon = loadAddon();
  const before = addon.allocatedBytes();
  const model = await load(1);
  await model.session.step([batchOf(20)], { ...update(1), numItems: [20], microStep: 0 });
  const { weights, workspaces } = model.session.memoryUsage();
  assert.ok(weights > 0 && workspaces > 0);
  model.dispose();
  assert.is((await codeOf(model.session.update(update(1))))?.code, 'DISPOSED');
  for (let turn = 0; turn < 200 && addon.allocatedBytes() > before; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(addon.allocatedBytes() <= before, `${addon.allocatedBytes() - before} bytes are left`);
});

t.run();
