// Training with bf16 products: which sets have it, resuming to the bit, and that it learns what float32 learns.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { train, type TrainModelOptions } from '../../src/training/index.js';
import { instructionSet } from '../support/devices.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';

const t = suite(`training in bf16 ${instructionSet}`);
const folder = mkdtempSync(join(tmpdir(), 'bertha-bf16-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

const base = fileURLToPath(goldenTraining('gradients/bert-dropout'));
const rows = Array.from({ length: 24 }, (_, i) => ({ text: 'abcdefgh'.slice(0, 1 + (i % 8)).repeat(1 + (i % 3)), label: i % 2 }));

/** Six updates; returns the losses. */
async function learn(outputDir: string, more: Partial<TrainModelOptions> = {}): Promise<number[]> {
  const { model } = await train(base, rows, {
    task: 'text-classification',
    bf16: true,
    maxSteps: 6,
    perDeviceTrainBatchSize: 8,
    learningRate: 1e-3,
    loggingSteps: 1,
    saveSteps: 2,
    progress: false,
    outputDir,
    ...more,
  });
  model.dispose();
  const lines = readFileSync(join(outputDir, 'log.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.flatMap((line) => (JSON.parse(line) as { readonly loss?: number }).loss ?? []);
}

type Failure = { readonly code: string; readonly message: string };
const failureOf = (run: Promise<unknown>): Promise<Failure> =>
  run.then(
    () => assert.unreachable('it is refused') as never,
    (error: Failure) => error,
  );

const files = (directory: string) =>
  ['model.safetensors', 'optimizer.safetensors'].map((name) => readFileSync(join(directory, 'checkpoint-6', name)));

if (/bf16/.test(instructionSet)) {
  t('a resumed run has the bytes of one that was not interrupted, with other threads too', async () => {
    const [whole, resumed] = [join(folder, 'whole'), join(folder, 'resumed')];
    await learn(whole, { threads: 2 });
    cpSync(join(whole, 'checkpoint-2'), join(resumed, 'checkpoint-2'), { recursive: true });
    await learn(resumed, { threads: 1, resumeFromCheckpoint: true });
    assert.equal(files(resumed), files(whole));
  });

  t('the losses are those of float32, rounded', async () => {
    const [rounded, exact] = [await learn(join(folder, 'rounded')), await learn(join(folder, 'exact'), { bf16: false })];
    assert.is(rounded.length, 6);
    rounded.forEach((loss, i) => assert.ok(Math.abs(loss - exact[i]!) <= 2e-2, `step ${i + 1}: ${loss}, float32 ${exact[i]}`));
    assert.not.equal(rounded, exact);
  });

  t('a checkpoint of float32 is another run', async () => {
    const { code, message } = await failureOf(learn(join(folder, 'exact'), { resumeFromCheckpoint: true }));
    assert.is(code, 'CHECKPOINT_MISMATCH');
    assert.match(message, /bf16/);
  });
} else {
  t('is refused without its instructions, with what is missing', async () => {
    const { code, message } = await failureOf(learn(join(folder, 'refused')));
    assert.is(code, 'PRECISION');
    assert.match(message, /avx512_bf16 or neon_bf16.*expected fp32/);
  });
}

t.run();
