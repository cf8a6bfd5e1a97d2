import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { packBatch } from '../../src/runtime/batch.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import type { StepResult } from '../../src/training/index.js';
import type { SentenceLoss } from '../../src/training/program/tasks.js';
import { suite } from '../support/suite.js';
import { rejectionCode } from '../support/fake-trainable.js';

const test = suite('GradCache');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));
const source = fileURLToPath(new URL('../golden/sentence/dense', import.meta.url));
const texts = Array.from({ length: 12 }, (_, i) => ({
  ids: Int32Array.from([2, ...Array.from({ length: 1 + (i % 5) }, (__, j) => 9 + ((7 * i + 3 * j) % 40)), 3]),
}));
const packed = packBatch(texts);
const settings = { learningRate: 1e-3, step: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1, microStep: 0 };
const scores = Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? i / 6 : 0));
const width = 19;

interface Case {
  readonly loss: SentenceLoss;
  readonly numbers?: Float32Array;
  readonly items: number;
  readonly dims?: readonly number[];
}
const cases: readonly Case[] = [
  { loss: { loss: 'multiple-negatives-ranking', columns: 2 }, items: 6 },
  { loss: { loss: 'multiple-negatives-ranking', columns: 3, scale: 10 }, items: 4, dims: [8, width] },
  { loss: { loss: 'cosine-similarity' }, numbers: scores, items: 6 },
  { loss: { loss: 'cosent' }, numbers: scores, items: 1 },
  { loss: { loss: 'triplet', margin: 1 }, items: 4, dims: [5] },
  { loss: { loss: 'mean-squared-error', dimensions: 10 }, numbers: Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)), items: 12 },
];

/** The golden model with another dropout. */
function withDropout(probability: number): string {
  const folder = join(scratch, `dropout-${probability}`);
  if (existsSync(folder)) return folder;
  cpSync(source, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as object;
  const changed = { ...config, hidden_dropout_prob: probability, attention_probs_dropout_prob: probability };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(changed));
  return folder;
}

async function stepped(folder: string, { loss: sentenceLoss, numbers, items, dims }: Case, miniBatchSize: number | undefined) {
  const model = await LearningModel.load(folder, {
    task: 'sentence-embedding',
    sentenceLoss,
    seed: 3,
    miniBatchSize,
    ...(dims && { matryoshka: { dims } }),
  });
  const batch = numbers === undefined ? packed : { ...packed, numbers };
  const collated = { rows: items, tokens: packed.inputIds.length, numItems: [items], batch, read: () => ({ predictions: [], labels: [] }) };
  const result = await model.step([collated, collated], { ...settings, numItems: [2 * items] });
  const moments = new Map<string, Float32Array>();
  for (const tensor of model.tensors) moments.set(tensor.name, await tensor.read('expAvg'));
  model.dispose();
  return { ...result, moments };
}

for (const each of cases) {
  for (const size of [1, 5, 100]) {
    test(`${each.loss.loss}${each.dims === undefined ? '' : ', Matryoshka'}, ${size} texts at once, is the plain loss`, async () => {
      const folder = withDropout(0);
      const [plain, cached] = [await stepped(folder, each, undefined), await stepped(folder, each, size)];
      assert.ok(Math.abs(plain.loss - cached.loss) <= 1e-6 * Math.max(1, plain.loss), `${plain.loss} ${cached.loss}`);
      assert.ok(Math.abs(plain.gradNorm - cached.gradNorm) <= 2e-6 * plain.gradNorm, `${plain.gradNorm} ${cached.gradNorm}`);
      for (const [name, expected] of plain.moments) {
        const found = cached.moments.get(name)!;
        const difference = Math.hypot(...found.map((value, i) => value - expected[i]!));
        const norm = Math.hypot(...expected) + 1e-4 * plain.gradNorm;
        assert.ok(difference <= 5e-5 * norm, `${name}: ${difference / norm}`);
      }
    });
  }
}

test('with dropout, the second forward of a part has the masks of the first', async () => {
  const folder = withDropout(0.3);
  const one = (model: LearningModel) => model.step([collatedPairs], { ...settings, numItems: [6] });
  const collatedPairs = {
    rows: 6,
    tokens: packed.inputIds.length,
    numItems: [6],
    batch: packed,
    read: () => ({ predictions: [], labels: [] }),
  };
  const found = [];
  for (const miniBatchSize of [undefined, 100, 5, 5]) {
    const options = { task: 'sentence-embedding', sentenceLoss: cases[0]!.loss, seed: 3, miniBatchSize } as const;
    const model = await LearningModel.load(folder, options);
    found.push(await one(model));
    model.dispose();
  }
  const [plain, whole, parts, again] = found as [StepResult, StepResult, StepResult, StepResult];
  assert.ok(Math.abs(plain.loss - whole.loss) <= 1e-6 * plain.loss && Math.abs(plain.gradNorm - whole.gradNorm) <= 2e-6 * plain.gradNorm);
  assert.equal(again, parts);
  assert.not.equal(parts.loss, whole.loss);
});

test('a step that fails leaves no gradients behind', async () => {
  const model = await LearningModel.load(withDropout(0), {
    task: 'sentence-embedding',
    sentenceLoss: { loss: 'cosent' },
    seed: 3,
    miniBatchSize: 4,
  });
  const batchOf = (numbers: Float32Array) => ({
    rows: 6,
    tokens: packed.inputIds.length,
    numItems: [1],
    batch: { ...packed, numbers },
    read: () => ({ predictions: [], labels: [] }),
  });
  const step = (numbers: Float32Array) => model.step([batchOf(scores), batchOf(numbers)], { ...settings, numItems: [2] });
  assert.is(await rejectionCode(step(new Float32Array(3))), 'INVALID_ARG');
  const after = await model.step([batchOf(scores)], { ...settings, numItems: [1] });
  model.dispose();
  const fresh = await LearningModel.load(withDropout(0), {
    task: 'sentence-embedding',
    sentenceLoss: { loss: 'cosent' },
    seed: 3,
    miniBatchSize: 4,
  });
  assert.equal(await fresh.step([batchOf(scores)], { ...settings, numItems: [1] }), after);
  fresh.dispose();
});

test.run();
