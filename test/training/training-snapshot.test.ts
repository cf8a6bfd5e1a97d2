// Snapshots: independent models with a copy of the live weights, as saving and loading would make them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import type { Wanted } from '../../src/runtime/session.js';
import { availablePrecisions } from '../../src/runtime/options/precision.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { golden } from '../support/checkpoint-files.js';
import { learningBatch, learningUpdate } from '../support/learning-batch.js';
import { eventually } from '../support/library.js';
import { suite } from '../support/suite.js';

const test = suite('snapshots');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));
const bert = golden('tiny/bert-base-noprefix');
const lengths = [9, 1, 17, 30, 2, 5];

async function learn(model: LearningModel, step: number): Promise<void> {
  const { session, training } = model;
  const numItems = training.losses.map(() => 9);
  await session.step([learningBatch(training.program, lengths)], {
    ...learningUpdate(step),
    learningRate: 1e-2,
    numItems,
    microStep: step,
  });
}

async function load(folder: string, options: LearningOptions): Promise<LearningModel> {
  const model = await LearningModel.load(folder, { threads: 2, ...options });
  await learn(model, 1);
  return model;
}

/** All that a model computes of one batch: the heads, and sentence vectors where they are asked for. */
async function outputsOf(model: Model, batch: ReturnType<typeof learningBatch>): Promise<Float32Array[]> {
  const { heads, lastHiddenState, sentenceEmbedding, poolerOutput } = model.values;
  const values = [lastHiddenState, sentenceEmbedding, ...(poolerOutput === undefined ? [] : [poolerOutput])];
  const logits = Object.values(heads).map((head) => ('logits' in head ? head.logits : head) as Wanted);
  return model.session.run(batch, [...values, ...logits]);
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: BerthaError) => error.code,
  );

let saved = 0;
/** That a snapshot computes what the saved files compute, once loaded. */
async function assertAsSaved(folder: string, options: LearningOptions): Promise<void> {
  const learning = await load(folder, options);
  const directory = mkdtempSync(join(scratch, `${saved++}-`));
  await learning.saveMerged(directory);
  const batch = learningBatch(learning.training.program, lengths);
  for (const precision of availablePrecisions()) {
    const [snapshot, loaded] = [await learning.snapshot({ precision }), await loadModel(directory, { precision })];
    assert.equal(await outputsOf(snapshot, batch), await outputsOf(loaded, batch), precision);
    assert.equal([snapshot.maxTokens, snapshot.precision, snapshot.device], [loaded.maxTokens, loaded.precision, loaded.device]);
    assert.equal(snapshot.config, loaded.config);
    assert.equal(Object.keys(snapshot.values.heads), Object.keys(loaded.values.heads));
    snapshot.dispose();
    loaded.dispose();
  }
  learning.dispose();
}

test('a classifier, in every precision', () => assertAsSaved(bert, { task: 'text-classification', labels: ['no', 'yes'], seed: 7 }));
test('masked words with a tied decoder', () => assertAsSaved(golden('tiny/bert-mlm'), { task: 'fill-mask', seed: 7 }));
test('answers of DistilBERT', () => assertAsSaved(golden('tiny/distilbert-question-answering'), { task: 'question-answering', seed: 7 }));
test('replaced tokens of ELECTRA', () => assertAsSaved(golden('tiny/electra-discriminator'), { task: 'replaced-token', seed: 7 }));
test('entities of MPNet', () => assertAsSaved(golden('tiny/mpnet-base'), { task: 'token-classification', seed: 7 }));
test('sentence vectors', () => assertAsSaved(bert, { task: 'sentence-embedding', sentenceLoss: { loss: 'triplet' }, seed: 7 }));
test('with the branches of an adapter', () =>
  assertAsSaved(bert, {
    task: 'text-classification',
    seed: 7,
    lora: { r: 3, loraAlpha: 5, targetModules: 'all-linear', useRslora: true },
  }));

for (const [name, targetModules] of Object.entries({
  'deberta-nli': ['in_proj'],
  'deberta-v3-nli': ['query_proj', 'value_proj'],
  'deberta-v2-conv': 'all-linear' as const,
  'jina-qk-norm': 'all-linear' as const,
})) {
  const folder = fileURLToPath(new URL(`../golden-families/tiny/${name}`, import.meta.url));
  test(`${name}, with and without branches of its layers`, async () => {
    await assertAsSaved(folder, { task: 'text-classification', seed: 7 });
    await assertAsSaved(folder, { task: 'text-classification', seed: 7, lora: { r: 2, targetModules } });
  });
}

test('later steps change neither of two snapshots, and the memory of each is counted', async () => {
  const addon = loadAddon();
  const learning = await load(bert, { task: 'text-classification', seed: 7 });
  const batch = learningBatch(learning.training.program, lengths);
  const before = addon.allocatedBytes();
  const first = await learning.snapshot();
  const { weights, users } = first.memoryUsage();
  assert.ok(weights > 0 && addon.allocatedBytes() >= before + weights);
  assert.is(users, 1);
  const expected = await outputsOf(first, batch);
  await learn(learning, 2);
  const second = await learning.snapshot({ precision: 'fp16-weights' });
  const other = await outputsOf(second, batch);
  assert.equal(await outputsOf(first, batch), expected);
  assert.not.equal(other, expected);
  await learn(learning, 3);
  learning.dispose();
  assert.equal(await outputsOf(first, batch), expected);
  first.dispose();
  assert.equal(await outputsOf(second, batch), other);
  second.dispose();
  await eventually('the memory to be back', () => addon.allocatedBytes() < before);
});

test('refuses what there is not: devices, precisions, options', async () => {
  const learning = await load(bert, { task: 'text-classification', seed: 7 });
  if (loadAddon().deviceProblem('cuda') !== '') assert.is(await codeOf(learning.snapshot({ device: 'cuda' })), 'DEVICE');
  assert.is(await codeOf(learning.snapshot({ device: 'abacus' as 'cpu' })), 'DEVICE');
  assert.is(await codeOf(learning.snapshot({ precision: 'int3' as 'int8' })), 'PRECISION');
  assert.is(await codeOf(learning.snapshot({ precison: 'fp32' } as object)), 'INVALID_OPTION');
  learning.dispose();
  assert.is(await codeOf(learning.snapshot()), 'DISPOSED');
});

test.run();
