import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { packBatch } from '../../src/runtime/batch.js';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { loadModel, type Model } from '../../src/models/index.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import { suite } from '../support/suite.js';

const test = suite('saved sentence models');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));

const golden = (name: string): string => fileURLToPath(new URL(`../golden/sentence/${name}`, import.meta.url));
const texts = [
  [2, 9, 14, 3],
  [2, 11, 3],
  [2, 8, 7, 12, 3],
  [2, 5, 3],
].map((ids) => ({ ids: Int32Array.from(ids) }));
const batch = packBatch(texts);
const update = { learningRate: 1e-2, step: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };

async function learned(source: string, options: Partial<LearningOptions> = {}): Promise<LearningModel> {
  const model = await LearningModel.load(source, {
    task: 'sentence-embedding',
    sentenceLoss: { loss: 'multiple-negatives-ranking' },
    seed: 1,
    ...options,
  });
  await model.session.step([batch], { ...update, numItems: [2], microStep: 0 });
  return model;
}

async function embeddings(model: Model): Promise<Float32Array> {
  return (await model.session.run(batch, [model.values.sentenceEmbedding]))[0]!;
}

async function loadedEmbeddings(directory: string): Promise<Float32Array> {
  const model = await loadModel(directory);
  const found = await embeddings(model);
  model.dispose();
  return found;
}

async function tensorNames(file: string): Promise<string[]> {
  const opened = await SafetensorsFile.open(file);
  await opened.close();
  return [...opened.tensors.keys()].sort();
}

/** Paths of all files below a folder. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

for (const name of ['dense', 'new-layout', 'normalize', 'pooling-cls-mean', 'pooling-weightedmean', 'prompts']) {
  test(`${name}: modules, their weights and the length are kept, and the vectors are those of the live model`, async () => {
    const model = await learned(golden(name));
    const [live, directory] = [await embeddings(model.model), join(scratch, name)];
    mkdirSync(directory);
    await model.save(directory);
    const snapshot = await model.snapshot();
    assert.equal(await embeddings(snapshot), live);
    snapshot.dispose();
    model.dispose();
    assert.equal(await loadedEmbeddings(directory), live);
    assert.not.equal(live, await loadedEmbeddings(golden(name)));
    const own = filesOf(golden(name)).filter((file) => !['cases.json', 'expected.safetensors'].includes(file));
    assert.equal(filesOf(directory), own);
    for (const file of own.filter((each) => each.endsWith('.json') && each !== 'config.json')) {
      assert.is(readFileSync(join(directory, file), 'utf8'), readFileSync(join(golden(name), file), 'utf8'), file);
    }
    for (const file of own.filter((each) => each.endsWith('.safetensors'))) {
      assert.equal(await tensorNames(join(directory, file)), await tensorNames(join(golden(name), file)), file);
    }
  });
}

test('the weights of a Dense module learn, or stay where they are frozen', async () => {
  const stored = await SafetensorsFile.open(join(golden('dense'), '2_Dense/model.safetensors'));
  const before = await stored.readFloat32('linear.weight');
  await stored.close();
  for (const freeze of [[], ['2_Dense/linear']]) {
    const model = await learned(golden('dense'), { freeze });
    const directory = join(scratch, `dense-${freeze.length}`);
    mkdirSync(directory);
    await model.save(directory);
    model.dispose();
    const saved = await SafetensorsFile.open(join(directory, '2_Dense/model.safetensors'));
    const after = await saved.readFloat32('linear.weight');
    await saved.close();
    (freeze.length === 0 ? assert.not.equal : assert.equal)(after, before);
  }
});

test('an encoder without modules becomes a sentence model: mean pooling, its length limit, its pooler as it was', async () => {
  const source = fileURLToPath(new URL('../golden/tiny/bert-base-noprefix', import.meta.url));
  const model = await learned(source);
  const { maxTokens } = model.model;
  const [live, directory] = [await embeddings(model.model), join(scratch, 'new')];
  mkdirSync(directory);
  await model.save(directory);
  model.dispose();
  assert.equal(await loadedEmbeddings(directory), live);
  const read = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(directory, name), 'utf8')) as Record<string, unknown>;
  assert.is(read('sentence_bert_config.json')['max_seq_length'], maxTokens);
  assert.is(read('1_Pooling/config.json')['pooling_mode_mean_tokens'], true);
  assert.equal(await tensorNames(join(directory, 'model.safetensors')), await tensorNames(join(source, 'model.safetensors')));
});

test('a model that keeps its encoder in a folder keeps it there', async () => {
  const source = join(scratch, 'early');
  cpSync(golden('dense'), source, { recursive: true });
  mkdirSync(join(source, '0_Transformer'));
  for (const name of readdirSync(source)) {
    if (/^(config|model|tokenizer|vocab|special|sentence)/.test(name) && !name.startsWith('config_sentence')) {
      cpSync(join(source, name), join(source, '0_Transformer', name));
      rmSync(join(source, name));
    }
  }
  const modules = readFileSync(join(source, 'modules.json'), 'utf8').replace('"path": ""', '"path": "0_Transformer"');
  rmSync(join(source, 'modules.json'));
  writeFileSync(join(source, 'modules.json'), modules);
  const model = await learned(source);
  const [live, directory] = [await embeddings(model.model), join(scratch, 'early-saved')];
  mkdirSync(directory);
  await model.save(directory);
  model.dispose();
  assert.equal(await loadedEmbeddings(directory), live);
  assert.ok(existsSync(join(directory, '0_Transformer/model.safetensors')));
  assert.not(existsSync(join(directory, 'model.safetensors')));
});

test.run();
