// The n-th native allocation fails, for every n of what a trainer does: a typed error, nothing leaked, the weights as they were, and what
// comes next has the bits of a run in which nothing failed. With BERTHA_TEST_FULL=1 for every kind of step and every save.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import { stats } from '../../src/index.js';
import { availablePrecisions } from '../../src/runtime/options/precision.js';
import { createCollator, labelSet, Trainer, trainingArguments } from '../../src/training/index.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { golden } from '../support/checkpoint-files.js';
import { learnedState, learningBatch, learningUpdate } from '../support/learning-batch.js';
import { eventually } from '../support/library.js';
import { suite } from '../support/suite.js';
import { loadTestAddon, testAddonFile } from '../support/test-addon.js';
import { isFull } from '../support/full.js';

const test = suite('training allocation');
process.env['BERTHA_ADDON'] = testAddonFile; // the library's own addon from here on
const addon = loadTestAddon();
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

const lengths = [9, 1, 17, 30, 2, 5];
const classifier: LearningOptions = { task: 'text-classification', labels: ['no', 'yes'], seed: 7 };
const load = (folder: string, options: LearningOptions) => LearningModel.load(folder, { threads: 2, ...options });

async function learn({ session, training }: LearningModel, step: number): Promise<number> {
  const numItems = training.losses.map(() => 15);
  // The second micro-batch takes more memory: when that is refused, there are gradients of the first.
  const batches = [lengths, [...lengths, 31, 30, 29]].map((each) => learningBatch(training.program, each));
  const { loss } = await session.step(batches, { ...learningUpdate(step), numItems, microStep: 2 * step });
  return loss;
}

/** Whether `call` met the n-th allocation, which then failed as it should; false when it came to its end before. */
async function failsAt(n: number, call: () => Promise<unknown>): Promise<boolean> {
  assert.ok(n < 10_000, 'it never succeeds');
  addon.failAllocation(n);
  try {
    await call();
    return false;
  } catch (error) {
    assert.is((error as BerthaError).code, 'OUT_OF_MEMORY', `allocation ${n}: ${String(error)}`);
    assert.is((error as Error).name, 'BerthaError');
    return true;
  } finally {
    addon.failAllocation(0);
  }
}

const memoryIsBack = (before: number) =>
  eventually('all memory to be back', () => {
    globalThis.gc?.();
    return addon.allocatedBytes() === before && stats().training.trainers === 0;
  });

/** How many allocations of the first step failed, one after the other. */
async function failEachOfStep(folder: string, options: LearningOptions): Promise<number> {
  const before = addon.allocatedBytes();
  const undisturbed = await load(folder, options);
  const start = await learnedState(undisturbed);
  const loss = await learn(undisturbed, 1);
  const learned = await learnedState(undisturbed);
  const usage = undisturbed.memoryUsage();
  assert.not.equal(learned, start);
  undisturbed.dispose();
  await memoryIsBack(before);
  for (let n = 1; ; n++) {
    const model = await load(folder, options); // has no workspace yet: every allocation of a first step is met
    const failed = await failsAt(n, () => learn(model, 1));
    if (failed) {
      assert.ok(start.equals(await learnedState(model)), `allocation ${n}: weights and moments are as they were`);
      assert.is(await learn(model, 1), loss);
    }
    assert.ok(learned.equals(await learnedState(model)), `allocation ${n}: the bits of an undisturbed step`);
    assert.equal(model.memoryUsage(), usage);
    model.dispose();
    await memoryIsBack(before);
    if (!failed) return n - 1;
  }
}

test('any allocation of a load may fail', async () => {
  const before = addon.allocatedBytes();
  const folder = golden('tiny/bert-base-noprefix');
  for (const options of isFull ? [classifier, { ...classifier, recompute: true }] : [classifier]) {
    let n = 1;
    while (await failsAt(n, async () => (await load(folder, options)).dispose())) {
      await memoryIsBack(before);
      n++;
    }
    assert.ok(n > 3, `${n - 1} failures`);
    await memoryIsBack(before);
  }
});

test('any allocation of a step may fail', async () => {
  const folder = golden('tiny/bert-base-noprefix');
  const hasBf16 = availablePrecisions().includes('bf16') && /bf16/.test(addon.isa().chosen);
  const kinds: LearningOptions[] = [
    classifier,
    { ...classifier, recompute: true },
    ...(hasBf16 ? [{ ...classifier, precision: 'bf16' as const }] : []),
  ];
  for (const options of kinds) assert.ok((await failEachOfStep(folder, options)) >= 4);
  const writer = (name: string) => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
  assert.ok((await failEachOfStep(writer('marian-separate'), { task: 'seq2seq', seed: 7 })) >= 4);
  if (!isFull) return;
  if (hasBf16) await failEachOfStep(folder, { ...classifier, precision: 'bf16', recompute: true });
  await failEachOfStep(folder, { ...classifier, lora: { r: 3, loraAlpha: 5, targetModules: 'all-linear', loraDropout: 0.1 } });
  await failEachOfStep(folder, { task: 'sentence-embedding', sentenceLoss: { loss: 'triplet' }, seed: 7 });
  await failEachOfStep(golden('tiny/bert-mlm'), { task: 'fill-mask', seed: 7 });
  await failEachOfStep(golden('tiny/bert-pretraining'), { task: 'pretraining', seed: 7 });
  await failEachOfStep(golden('tiny/distilbert-question-answering'), { task: 'question-answering', seed: 7 });
  await failEachOfStep(golden('tiny/electra-discriminator'), { task: 'replaced-token', seed: 7 });
  await failEachOfStep(golden('tiny/mpnet-base'), { task: 'token-classification', seed: 7 });
  await failEachOfStep(writer('roberta2roberta'), { task: 'seq2seq', seed: 7, recompute: true });
  await failEachOfStep(writer('bertgen-lm'), { task: 'causal-lm', seed: 7 });
});

test('any allocation of a snapshot may fail, and the next step does not know of it', async () => {
  const before = addon.allocatedBytes();
  const folder = golden('tiny/bert-base-noprefix');
  const undisturbed = await load(folder, classifier);
  await learn(undisturbed, 1);
  await learn(undisturbed, 2);
  const expected = await learnedState(undisturbed);
  undisturbed.dispose();
  const model = await load(folder, classifier);
  await learn(model, 1);
  const own = addon.allocatedBytes();
  for (const precision of availablePrecisions()) {
    let n = 1;
    while (await failsAt(n, async () => (await model.snapshot({ precision })).dispose())) {
      await eventually('what the snapshot had to be back', () => addon.allocatedBytes() === own);
      n++;
    }
    assert.ok(n > 1, precision);
    await eventually('the snapshot to be gone', () => addon.allocatedBytes() === own);
  }
  await learn(model, 2);
  assert.ok(expected.equals(await learnedState(model)));
  model.dispose();
  await memoryIsBack(before);
});

test('any allocation of a save may fail: no file is half, and the next save is whole', async () => {
  const model = await load(golden('tiny/bert-base-noprefix'), classifier);
  await learn(model, 1);
  const whole = mkdtempSync(join(scratch, 'whole-'));
  await model.save(whole);
  const expected = readFileSync(join(whole, 'model.safetensors'));
  const own = addon.allocatedBytes();
  const folder = mkdtempSync(join(scratch, 'failed-'));
  let n = 1;
  while (await failsAt(n, () => model.save(folder))) {
    assert.not.ok(
      readdirSync(folder).some((name) => name.includes('safetensors')),
      `allocation ${n}: ${readdirSync(folder).join(', ')}`,
    );
    assert.is(addon.allocatedBytes(), own);
    n++;
  }
  assert.ok(n > 10, `${n - 1} failures`);
  assert.ok(expected.equals(readFileSync(join(folder, 'model.safetensors'))));
  model.dispose();
});

test('any allocation of a run with checkpoints may fail: train() goes on, to the bits of a run in which none did', async () => {
  const rows = Array.from({ length: 8 }, (_, i) => ({ text: 'hello guitar '.repeat(1 + i), label: i % 2 }));
  const trainerIn = async (outputDir: string) => {
    const model = await load(golden('tiny/bert-base-noprefix'), classifier);
    const args = trainingArguments({ outputDir, maxSteps: 2, saveSteps: 1, perDeviceTrainBatchSize: 4, progress: false, reportTo: [] });
    const labels = labelSet(['no', 'yes']);
    const dataCollator = createCollator('text-classification', model.model, { labels });
    return { model, trainer: new Trainer({ model, args, trainDataset: rows, dataCollator }) };
  };
  const before = addon.allocatedBytes();
  const whole = await trainerIn(mkdtempSync(join(scratch, 'run-')));
  await whole.trainer.train();
  const expected = await learnedState(whole.model);
  whole.trainer.dispose();
  for (let n = 1; ; n += isFull ? 1 : 29) {
    const outputDir = mkdtempSync(join(scratch, 'run-'));
    const { model, trainer } = await trainerIn(outputDir);
    const failed = await failsAt(n, () => trainer.train());
    if (failed) await trainer.train();
    assert.ok(expected.equals(await learnedState(model)), `allocation ${n}`);
    assert.equal(
      readdirSync(outputDir)
        .filter((name) => /checkpoint|tmp|lock/.test(name))
        .sort(),
      ['checkpoint-1', 'checkpoint-2'],
    );
    trainer.dispose();
    await memoryIsBack(before);
    rmSync(outputDir, { recursive: true });
    if (!failed) break;
  }
});

test.run();
