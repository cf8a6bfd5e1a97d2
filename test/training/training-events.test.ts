import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { EarlyStoppingCallback, Trainer, type TrainerCallback } from '../../src/training/index.js';
import { goldenTraining } from '../support/golden-training.js';
import { argumentsOf } from '../support/golden-arguments.js';
import { fakeCollator, fakeRows, FakeTrainable } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

const t = suite('training-events');

interface EventCase {
  readonly dataset_length: number;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly eval_score: readonly number[] | null;
  readonly early_stopping: readonly [number, number] | null;
  readonly events: readonly (readonly [number, string])[];
  readonly last_step: number;
  readonly best_metric: number | null;
  readonly best_step: number | null;
}

interface LengthCase {
  readonly dataset_length: number;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly lr: readonly number[];
  readonly epoch: readonly number[];
}

const golden = <T>(name: string): readonly T[] =>
  (JSON.parse(readFileSync(goldenTraining(`${name}`), 'utf8')) as { cases: readonly T[] }).cases;

const folder = mkdtempSync(join(tmpdir(), 'bertha-events-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

for (const [index, expected] of golden<EventCase>('events.json').entries()) {
  t(`logs, evaluates, saves and stops when transformers does: case ${index}`, async () => {
    const outputDir = join(folder, String(index));
    const events: [number, string][] = [];
    const recorder: TrainerCallback = {
      onLog: ({ state }, log) => void ('loss' in log && events.push([state.globalStep, 'log'])),
      onEvaluate: ({ state }) => void events.push([state.globalStep, 'evaluate']),
      onSave: ({ state }) => void events.push([state.globalStep, 'save']),
    };
    let evaluations = 0;
    const trainer = new Trainer({
      model: new FakeTrainable(),
      args: argumentsOf(expected.arguments, { outputDir, progress: false }),
      trainDataset: fakeRows(expected.dataset_length),
      evalDataset: fakeRows(4),
      dataCollator: fakeCollator,
      computeMetrics: () => ({ score: expected.eval_score?.[evaluations++] ?? 0.5 }),
      callbacks: [recorder, ...(expected.early_stopping === null ? [] : [new EarlyStoppingCallback(...expected.early_stopping)])],
    });
    await trainer.train();
    assert.equal(events, expected.events);
    assert.is(trainer.state.globalStep, expected.last_step);
    assert.is(trainer.state.bestMetric, expected.best_metric);
    const best = trainer.state.bestModelCheckpoint;
    assert.is(best === null ? null : Number(best.split('-').at(-1)), expected.best_step);
    const limit = expected.arguments['save_total_limit'] as number | undefined;
    if (limit !== undefined) {
      const kept = readdirSync(outputDir).filter((name) => name.startsWith('checkpoint-'));
      assert.equal(kept.sort(), [`checkpoint-${expected.best_step}`, `checkpoint-${expected.last_step}`].sort());
    }
  });
}

t('makes the updates of transformers with its learning rates and epochs', async () => {
  for (const expected of golden<LengthCase>('schedules.json')) {
    const epochs: number[] = [];
    const model = new FakeTrainable();
    const trainer = new Trainer({
      model,
      args: argumentsOf(expected.arguments),
      trainDataset: fakeRows(expected.dataset_length),
      dataCollator: fakeCollator,
      callbacks: [{ onStepEnd: ({ state }) => void epochs.push(state.epoch) }],
    });
    await trainer.train();
    const rates = model.steps.map(({ learningRate }) => learningRate);
    assert.is(rates.length, expected.lr.length);
    for (const [step, lr] of expected.lr.entries()) assert.ok(Math.abs(rates[step]! - lr) <= 1e-15);
    for (const [step, epoch] of expected.epoch.entries()) assert.ok(Math.abs(epochs[step]! - epoch) <= 1e-12, `${epochs[step]} ${epoch}`);
    assert.equal(
      model.steps.map(({ step }) => step),
      expected.lr.map((_, index) => index + 1),
    );
  }
});

t.run();
