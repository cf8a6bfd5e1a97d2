import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { classifyText } from '../../src/tasks/index.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { loadModel } from '../../src/models/model.js';
import { train, type TrainModelOptions } from '../../src/training/index.js';
import { fakeNativeTrainers } from '../support/fake-native-trainer.js';
import { golden } from '../support/checkpoint-files.js';
import { rejectionCode } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

// What stands around the native trainer: data, labels, names and files. What it computes is tested where it is.
const t = suite('train');
const folder = mkdtempSync(join(tmpdir(), 'bertha-train-'));
let restore = () => {};
t.before(() => void (restore = fakeNativeTrainers()));
t.after(() => {
  restore();
  rmSync(folder, { recursive: true, force: true });
});

const base = golden('tiny', 'bert-nli');
const trainFile = join(folder, 'train.jsonl');
const evalFile = join(folder, 'dev.csv');
writeFileSync(
  trainFile,
  ['good', 'bad', 'fair', 'good', 'bad'].map((label, i) => `${JSON.stringify({ text: `text ${i}`, label })}\n`).join(''),
);
writeFileSync(evalFile, 'text,label\na text,good\nanother,fair\n');

const options = (more: Partial<TrainModelOptions> = {}): TrainModelOptions => ({
  task: 'text-classification',
  maxSteps: 3,
  progress: false,
  ...more,
});

t('from a directory and files to a directory that classify reads, with the labels of the data', async () => {
  const outputDir = join(folder, 'model');
  const { model, metrics, newlyInitialized } = await train(base, trainFile, options({ evalDataset: evalFile, outputDir, saveSteps: 2 }));
  assert.is(metrics['train_loss'], 0.5);
  assert.ok(Math.abs(metrics['eval_loss']! - Math.log(3)) < 1e-6, 'logits of 0 over three labels');
  assert.ok('eval_accuracy' in metrics && 'eval_f1' in metrics);
  assert.ok(Array.isArray(newlyInitialized));
  for (const name of ['config.json', 'model.safetensors', 'log.jsonl', 'training.html', 'checkpoint-2', 'checkpoint-3']) {
    assert.ok(readdirSync(outputDir).includes(name), name);
  }
  const loaded = await loadModel(outputDir);
  const labels = ['bad', 'fair', 'good'];
  for (const each of [model, loaded]) {
    const { labels: found } = await classifyText(each, 'a text', { topK: null });
    assert.equal(found.map(({ label }) => label).sort(), labels);
    each.dispose();
  }
  const config = JSON.parse(readFileSync(join(outputDir, 'config.json'), 'utf8')) as { id2label: Record<string, string> };
  assert.equal(Object.values(config.id2label).sort(), labels);
});

t('the final model has the numbers that saveDtype says, a checkpoint float32', async () => {
  for (const [saveDtype, dtype, name] of [
    ['fp16', 'F16', 'float16'],
    ['bf16', 'BF16', 'bfloat16'],
  ] as const) {
    const outputDir = join(folder, saveDtype);
    const { model } = await train(base, trainFile, options({ outputDir, saveDtype }));
    const opened = await openModelDirectory(outputDir);
    assert.ok([...opened.tensors.values()].every((tensor) => tensor.dtype === dtype));
    assert.is(opened.config.raw['dtype'], name);
    await opened.close();
    const checkpoint = await openModelDirectory(join(outputDir, 'checkpoint-3'));
    assert.ok([...checkpoint.tensors.values()].every((tensor) => tensor.dtype === 'F32'));
    await checkpoint.close();
    const loaded = await loadModel(outputDir);
    const whole = await loadModel(join(outputDir, 'checkpoint-3'));
    const [now, then] = await Promise.all([whole, loaded].map((each) => classifyText(each, 'a text', { topK: null })));
    for (const { label, score } of now!.labels) {
      assert.ok(Math.abs(score - then!.labels.find((other) => other.label === label)!.score) < 0.01);
    }
    for (const each of [model, whole, loaded]) each.dispose();
  }
});

t('resumes from its own checkpoint, and says what differs otherwise', async () => {
  const outputDir = join(folder, 'resumed');
  const first = await train(base, trainFile, options({ outputDir, saveSteps: 1 }));
  first.model.dispose();
  rmSync(join(outputDir, 'checkpoint-3'), { recursive: true });
  const again = await train(base, trainFile, options({ outputDir, saveSteps: 1, resumeFromCheckpoint: true }));
  again.model.dispose();
  assert.ok(readdirSync(outputDir).includes('checkpoint-3'));
  const other = train(base, trainFile, options({ outputDir, learningRate: 1, resumeFromCheckpoint: true }));
  assert.is(await rejectionCode(other), 'CHECKPOINT_MISMATCH');
});

t('refuses options that it does not know, with the reason', async () => {
  const refused = async (more: object, words: RegExp) =>
    train(base, trainFile, options(more)).then(
      () => assert.unreachable(),
      (error: { code: string; message: string }) => {
        assert.is(error.code, 'INVALID_OPTION');
        assert.match(error.message, words);
      },
    );
  await refused({ fp16: true }, /write bf16/);
  await refused({ learnRate: 1 }, /Did you mean "learningRate"/);
  await refused({ task: 'poetry' }, /text-classification/);
  await refused({ problemType: 'classes' }, /problemType/);
});

t.run();
