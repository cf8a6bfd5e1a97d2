import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { optionsOf, packGolden, type GoldenBatch } from '../../scripts/golden-training/batches.js';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';

const test = suite('saved models');
const folder = fileURLToPath(goldenTraining('lora/query-value'));
const { batch: golden } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as { readonly batch: GoldenBatch };
const packed = packGolden('text-classification', 'cross-entropy', golden);
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

const update = { learningRate: 1e-2, step: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };

function target(name: string): string {
  const made = join(scratch, name);
  mkdirSync(made);
  return made;
}

async function learned(options: Partial<LearningOptions>): Promise<LearningModel> {
  const model = await LearningModel.load(folder, { ...optionsOf('BertForSequenceClassification', 'cross-entropy', golden), ...options });
  await model.session.step([packed.batch], { ...update, numItems: packed.numItems, microStep: 0 });
  return model;
}

async function logits(model: Model): Promise<Float32Array> {
  const [found] = await model.session.run(packed.batch, [model.values.heads.sequenceClassification!]);
  return found!;
}

async function loadedLogits(directory: string, adapter?: string): Promise<Float32Array> {
  const model = await loadModel(directory, adapter === undefined ? {} : { adapter });
  const found = await logits(model);
  model.dispose();
  return found;
}

const isNear = (a: Float32Array, b: Float32Array): boolean =>
  a.every((value, i) => Math.abs(value - b[i]!) <= 1e-5 * Math.max(1, Math.abs(value)));

test('a whole model computes what the live one did, with its labels, tokenizer and names', async () => {
  const model = await learned({ labels: ['no', 'maybe', 'yes'] });
  const [live, directory] = [await logits(model.model), target('whole')];
  await model.save(directory);
  model.dispose();
  assert.equal(await loadedLogits(directory), live);
  assert.not(isNear(live, await loadedLogits(folder)), 'it has learned something');
  const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.equal([config['id2label'], config['problem_type']], [{ 0: 'no', 1: 'maybe', 2: 'yes' }, 'single_label_classification']);
  assert.equal(readdirSync(directory).sort(), ['config.json', 'model.safetensors', 'tokenizer_config.json', 'vocab.txt']);
  const names = async (path: string): Promise<string[]> => {
    const file = await SafetensorsFile.open(join(path, 'model.safetensors'));
    await file.close();
    return [...file.tensors.keys()].sort();
  };
  assert.equal(await names(directory), await names(folder));
});

test('an adapter, the same merged, and a snapshot compute what the live model did', async () => {
  const lora = { r: 3, loraAlpha: 5, targetModules: ['query', 'dense'], useRslora: true, bias: 'lora_only' } as const;
  const model = await learned({ lora, labels: ['no', 'maybe', 'yes'] });
  const live = await logits(model.model);
  const [adapter, merged] = [target('adapter'), target('merged')];
  await model.save(adapter);
  await model.saveMerged(merged);
  const snapshot = await model.snapshot();
  assert.ok(isNear(live, await logits(snapshot)));
  snapshot.dispose();
  model.dispose();
  assert.ok(isNear(live, await loadedLogits(folder, adapter)));
  assert.ok(isNear(live, await loadedLogits(merged)));
  assert.not(isNear(live, await loadedLogits(folder)), 'it has learned something');
  assert.equal(readdirSync(adapter).sort(), ['adapter_config.json', 'adapter_model.safetensors', 'config.json']);
  const named = await loadModel(folder, { adapter });
  assert.equal(named.config.id2label, ['no', 'maybe', 'yes'], 'its labels come back by name');
  assert.equal(named.config.problemType, 'single_label_classification');
  named.dispose();
});

test.run();
