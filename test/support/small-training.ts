// A small model that is trained for two steps, and what tests ask of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  createCollator,
  labelSet,
  train,
  Trainer,
  trainingArguments,
  type DatasetSource,
  type TrainingArgumentsOptions,
  type TrainModelOptions,
} from '../../src/training/index.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { golden, rejection } from './checkpoint-files.js';

/** Removed when the process ends. */
export const scratch = mkdtempSync(join(tmpdir(), 'bertha-small-training-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
/** A new folder, removed when the process ends. */
export const folder = (): string => mkdtempSync(join(scratch, 'x-'));
/** A file of that name in a folder of its own. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
}

export const base = golden('tiny/bert-base-noprefix');
export const rows = ['a b', 'c d', 'e', 'f g h'].map((text, i) => ({ text, label: i % 2 === 0 ? 'x' : 'y' }));
export const classifies = { task: 'text-classification' } as const;
export const tags = { task: 'token-classification' } as const;

/** Two steps of two rows, or what the options say. */
export const learn = (dataset: DatasetSource, options: Partial<TrainModelOptions> & Pick<TrainModelOptions, 'task'>, model = base) =>
  train(model, dataset, { progress: false, maxSteps: 2, perDeviceTrainBatchSize: 2, ...options });

/** That it can be learned; the model is disposed of. */
export async function learns(...[dataset, options, model]: Parameters<typeof learn>): Promise<Awaited<ReturnType<typeof train>>> {
  const trained = await learn(dataset, options, model);
  trained.model.dispose();
  assert.ok(Number.isFinite(trained.metrics['train_loss']!));
  return trained;
}

/** That it ends with an error of the code, whose message has the words. */
export async function refuses(code: string, words: RegExp, ...[dataset, options, model]: Parameters<typeof learn>): Promise<void> {
  const error = await rejection(() => learn(dataset, options, model));
  assert.is(error.code, code, error.message);
  assert.match(error.message, words);
}

/** A trainer on its own model, which stays to be looked at. */
export async function trainerOf(options: TrainingArgumentsOptions) {
  const model = await LearningModel.load(base, { ...classifies, labels: ['x', 'y'], seed: 7, threads: 1 });
  const dataCollator = createCollator(classifies.task, model.model, { labels: labelSet(['x', 'y']) });
  const args = trainingArguments({ progress: false, maxSteps: 4, perDeviceTrainBatchSize: 2, learningRate: 1e-3, ...options });
  return { model, trainer: new Trainer({ model, args, trainDataset: rows, dataCollator }) };
}
