// Gradient checkpointing: layers computed again for their backward, to the same bits, in less memory.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { trainingTasks } from '../../src/training/program/tasks.js';
import { golden } from '../support/checkpoint-files.js';
import { goldenTraining } from '../support/golden-training.js';
import { learnedState, learningBatch, learningUpdate } from '../support/learning-batch.js';
import { suite } from '../support/suite.js';

const test = suite('gradient checkpointing');
const writer = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const folders = {
  bert: golden('tiny/bert-base-noprefix'),
  distilbert: golden('tiny/distilbert-sequence-classification'),
  electra: golden('tiny/electra-sequence-classification'),
  mpnet: golden('tiny/mpnet-base'),
  roberta2roberta: writer('roberta2roberta'),
  'bertgen-lm': writer('bertgen-lm'),
};
const familyFolder = (name: string): string => fileURLToPath(new URL(`../golden-families/tiny/${name}`, import.meta.url));
const lengths = [9, 1, 17, 30, 2, 5];

/** Two updates of two micro-batches each: losses and norms, the gradients before the second, all that was learned, and memory. */
async function learn(folder: string, options: LearningOptions) {
  const model = await LearningModel.load(folder, { threads: 2, ...options });
  try {
    const { session, training } = model;
    const batches = [learningBatch(training.program, lengths), learningBatch(training.program, lengths.slice(0, 3), 2)];
    const numItems = training.losses.map(() => 9);
    const first = await session.step(batches, { ...learningUpdate(1), numItems, microStep: 0 });
    const second = await session.accumulate(batches, { numItems, microStep: 2 });
    const gradients: Float32Array[] = [];
    for (const { id, rows, trainable } of training.weights) if (trainable) gradients.push(await session.read(id, 'gradient', 0, rows));
    const { gradNorm } = await session.update(learningUpdate(2));
    const numbers = [first.loss, first.gradNorm, ...second.losses, gradNorm];
    return { numbers, gradients, state: await learnedState(model), bytes: session.memoryUsage().workspaces };
  } finally {
    model.dispose();
  }
}

async function assertSame(folder: string, options: LearningOptions, threads = 2): Promise<void> {
  const kept = await learn(folder, options);
  const again = await learn(folder, { ...options, threads, recompute: true });
  assert.ok(kept.numbers.every((number) => Number.isFinite(number) && number !== 0));
  assert.equal(again.numbers, kept.numbers);
  assert.equal(again.gradients, kept.gradients);
  assert.ok(again.state.equals(kept.state));
  assert.ok(again.bytes < kept.bytes, `${again.bytes} bytes, ${kept.bytes} without`);
}

for (const task of trainingTasks) {
  const more = {
    'multiple-choice': { numChoices: 3 },
    'sentence-embedding': { sentenceLoss: { loss: 'triplet' }, matryoshka: { dims: [16, 34] } },
  } as const;
  const others = { 'replaced-token': 'electra', seq2seq: 'roberta2roberta', 'causal-lm': 'bertgen-lm' } as const;
  const family = (others as Partial<Record<string, keyof typeof folders>>)[task] ?? 'bert';
  test(`${task} of ${family}: the same losses, gradients and weights with dropout, in less memory`, () =>
    assertSame(folders[family], { task, seed: 7, ...(more as Record<string, object>)[task] }));
}

for (const name of ['deberta-nli', 'deberta-v3-nli', 'deberta-v2-conv', 'jina-qk-norm', 'bert-relative-key-query']) {
  test(`the same for ${name}, with another number of threads`, () =>
    assertSame(familyFolder(name), { task: 'text-classification', seed: 7 }, 1));
}

for (const family of ['distilbert', 'electra', 'mpnet'] as const) {
  test(`the same for ${family}`, () => assertSame(folders[family], { task: 'text-classification', seed: 7 }));
}

test('the same with branches of LoRA, with biases alone, and above frozen layers', async () => {
  const options = { task: 'token-classification', seed: 7 } as const;
  await assertSame(folders.bert, { ...options, lora: { r: 3, loraDropout: 0.1, targetModules: 'all-linear' } });
  await assertSame(folders.bert, { ...options, bitfit: true });
  await assertSame(folders.electra, { ...options, freeze: ['embeddings', 'encoder.layer.0'] });
});

test('a model of one layer learns the same', async () => {
  const folder = fileURLToPath(goldenTraining('gradients/bert-dropout'));
  const options = { task: 'text-classification', seed: 7 } as const;
  const [kept, again] = [await learn(folder, options), await learn(folder, { ...options, recompute: true })];
  assert.equal(again.numbers, kept.numbers);
  assert.ok(again.state.equals(kept.state));
});

test.run();
