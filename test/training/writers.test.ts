// Encoder-decoders and causal decoders that learn: the same bits for any number of threads, all weights or none, tied tensors, memory, what is
// saved.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { BerthaError } from '../../src/errors.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import type { NativeMicroBatch } from '../../src/runtime/native.js';
import type { CollatedBatch } from '../../src/training/collators/index.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { editJson, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { learnedState, learningBatch, learningUpdate } from '../support/learning-batch.js';
import { eventually } from '../support/library.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { withTensors } from '../support/with-tensors.js';

const test = suite('models that write and learn');

const tiny = (name: string): string => fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url));
const precisions = (['fp32', 'bf16'] as const).filter((name) => loadAddon().isa().precisions.includes(name));
const writers = {
  roberta2roberta: 'seq2seq',
  'bert2bert-shared': 'seq2seq',
  'marian-separate': 'seq2seq',
  bart: 'seq2seq',
  'bertgen-lm': 'causal-lm',
} as const;
type Writer = keyof typeof writers;

const load = (name: Writer, options: Partial<LearningOptions> = {}): Promise<LearningModel> =>
  LearningModel.load(tiny(name), { task: writers[name], seed: 7, threads: 2, ...options });

/** Pairs of random words; 150 of them are more than one chunk of 2,048 tokens. */
function batchOf({ training }: LearningModel, pairs: number): NativeMicroBatch {
  const random = new Random(pairs);
  return learningBatch(training.program, Array.from(random.integers(pairs, 1, 24)), pairs);
}
const countOf = (batch: NativeMicroBatch): number => batch.labels!.length;

async function step(model: LearningModel, pairs: readonly number[], at: number, signal?: AbortSignal) {
  const batches = pairs.map((each) => batchOf(model, each));
  const numItems = [batches.reduce((sum, batch) => sum + countOf(batch), 0)];
  return model.session.step(batches, { ...learningUpdate(at), numItems, microStep: 2 * at }, { signal });
}

for (const name of Object.keys(writers) as Writer[]) {
  test(`${name}: the same bytes for 1, 2 and 3 threads, dropout on, several chunks, ${precisions.join(' and ')}`, async () => {
    for (const precision of precisions) {
      const states: Buffer[] = [];
      for (const threads of [1, 2, 3]) {
        const model = await load(name, { threads, precision });
        for (let at = 1; at <= 2; at++) {
          const { gradNorm, tokens } = await step(model, [150, 9], at);
          assert.ok(gradNorm > 0 && tokens > (writers[name] === 'seq2seq' ? 3600 : 1800), `${tokens} tokens`);
        }
        states.push(await learnedState(model));
        model.dispose();
      }
      assert.ok(states[0]!.equals(states[1]!) && states[0]!.equals(states[2]!), precision);
    }
  });
}

test('a step that is aborted at any moment changes nothing', async () => {
  const model = await load('roberta2roberta');
  await step(model, [20], 1);
  const before = await learnedState(model);
  let aborted = 0;
  for (let turns = 0; turns < 24; turns++) {
    const controller = new AbortController();
    const call = step(model, [150, 150], 2, controller.signal).then(
      () => false,
      (error: Error) => error.message === 'enough',
    );
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    if (!(await call)) break;
    aborted++;
    assert.ok((await learnedState(model)).equals(before), `after ${turns} turns`);
  }
  assert.ok(aborted > 0);
  model.dispose();
});

test('memory is counted and given back', async () => {
  const addon = loadAddon();
  const before = addon.allocatedBytes();
  const model = await load('marian-separate');
  const own = addon.allocatedBytes() - before;
  await step(model, [20], 1);
  const { weights, workspaces } = model.session.memoryUsage();
  assert.ok(workspaces > 0 && weights > 0 && weights <= own, `${weights} bytes of weights, ${own} allocated`);
  assert.ok(addon.allocatedBytes() - before >= weights + workspaces);
  model.dispose();
  await eventually('all memory to be back', () => {
    globalThis.gc?.();
    return addon.allocatedBytes() <= before;
  });
});

/** The decoder's logits on one pair; of a decoder alone, of its target. */
async function logitsOf(model: Model): Promise<Float32Array> {
  const [source, target] = [Int32Array.of(7, 9, 11, 8), Int32Array.of(2, 6, 5)];
  const result =
    model.config.decoder === undefined
      ? await model.forward({ ids: target })
      : await model.forward({ ids: source }, { decoderInputIds: target });
  return result.logits!.data;
}

for (const name of Object.keys(writers) as Writer[]) {
  test(`${name}: what was learned is what a snapshot and the saved folder compute, and what stays fixed is as it was`, async () => {
    const model = await load(name);
    const untrained = await loadModel(tiny(name));
    await step(model, [9], 1);
    const live = await logitsOf(model.model);
    const snapshot = await model.snapshot();
    assert.equal(await logitsOf(snapshot), live);
    const folder = temporaryFolder();
    await model.save(folder);
    const saved = await loadModel(folder);
    assert.equal(await logitsOf(saved), live);
    assert.not.equal(live, await logitsOf(untrained));
    const fixed = model.training.weights.flatMap(({ parts }) => parts).filter(({ trainable }) => !trainable);
    assert.equal(
      fixed.map((part) => part.name),
      name === 'marian-separate' || name === 'bart' ? ['final_logits_bias'] : [],
    );
    for (const each of [model, untrained, snapshot, saved]) each.dispose();
  });
}

test('evaluation gives the loss of a step without dropout', async () => {
  for (const name of ['roberta2roberta', 'bertgen-lm'] as const) {
    const model = await load(name, { dropout: false, labelSmoothing: 0.1 });
    const batch = batchOf(model, 12);
    const numItems = [countOf(batch)];
    const collated = { batch, numItems, read: () => ({ predictions: [], labels: [0] }) } as unknown as CollatedBatch;
    const { losses } = await model.evaluate(collated);
    const { loss } = await model.session.accumulate([batch], { numItems, microStep: 0, forwardOnly: true });
    assert.ok(Math.abs(losses[0]! / numItems[0]! - loss) < 1e-5 * loss, `${losses[0]! / numItems[0]!}, ${loss}`);
    model.dispose();
  }
});

test('one set of weights for both halves has the sum of their gradients', async () => {
  const [shared, apart] = [
    await load('bert2bert-shared', { dropout: false }),
    await LearningModel.load(await unshared(), { task: 'seq2seq', seed: 7, threads: 2, dropout: false }),
  ];
  const batch = batchOf(shared, 9);
  const settings = { numItems: [countOf(batch)], microStep: 0, ...learningUpdate(1), learningRate: 0, beta1: 0, maxGradNorm: 0 };
  const [a, b] = [await shared.session.step([batch], settings), await apart.session.step([batch], settings)];
  assert.ok(Math.abs(a.loss - b.loss) < 1e-6 * a.loss);
  const parts = new Map(await Promise.all(apart.tensors.map(async (each) => [each.name, await each.read('expAvg')] as const)));
  let joint = 0;
  for (const tensor of shared.tensors) {
    const own = parts.get(tensor.name)!;
    const other = parts.get(tensor.name.replace('decoder.bert.', 'encoder.'));
    const isJoint = other !== undefined && other !== own;
    if (isJoint) joint++;
    const gradient = await tensor.read('expAvg');
    const norm = Math.hypot(...gradient);
    const difference = Math.hypot(...gradient.map((value, i) => value - own[i]! - (isJoint ? other[i]! : 0)));
    assert.ok(difference <= 1e-5 * norm + 1e-7, `${tensor.name}: ${difference} of ${norm}`);
  }
  assert.ok(joint > 30, `${joint} tensors of both halves`);
  shared.dispose();
  apart.dispose();
});

/** bert2bert-shared with two sets of weights, which begin alike. */
async function unshared(): Promise<string> {
  const folder = temporaryFolder(tiny('bert2bert-shared'));
  editJson(join(folder, 'config.json'), { tie_encoder_decoder: false });
  return withTensors(folder, (tensor) => {
    const name = tensor.name.replace(/^decoder\.bert\./, 'encoder.');
    const isShared = name !== tensor.name && !name.includes('crossattention');
    return isShared ? [tensor, { ...tensor, name }] : [tensor];
  });
}

test('refuses models and options that do not fit', async () => {
  const refused = async (folder: string, options: Partial<LearningOptions>): Promise<BerthaError> =>
    rejection(() => LearningModel.load(folder, { task: 'seq2seq', seed: 7, ...options }));
  assert.is((await refused(tiny('bertgen-lm'), {})).code, 'CONFIG_UNSUPPORTED');
  assert.is((await refused(tiny('bart'), { task: 'causal-lm' })).code, 'CONFIG_UNSUPPORTED');
  assert.is((await refused(tiny('bart'), { lora: { r: 2 } })).code, 'INVALID_OPTION');
  assert.is((await refused(tiny('bart'), { task: 'text-classification' })).code, 'CONFIG_UNSUPPORTED');
});

test.run();
