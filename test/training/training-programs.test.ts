import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { optionsOf, type GoldenBatch } from '../../scripts/golden-training/batches.js';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import type { BerthaError } from '../../src/errors.js';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { buildTraining, type TrainingModel, type TrainingOptions } from '../../src/training/program/build-training.js';
import { normalValues } from '../../src/training/program/initial-values.js';
import { problemTypeOf } from '../../src/training/program/problem-type.js';
import { golden } from '../support/checkpoint-files.js';
import { goldenTraining } from '../support/golden-training.js';
import { suite } from '../support/suite.js';

const test = suite('training programs');

async function build(folder: string, options: TrainingOptions): Promise<TrainingModel> {
  const directory = await openModelDirectory(folder);
  try {
    return buildTraining(directory, options);
  } finally {
    await directory.close();
  }
}

const codeOf = (building: Promise<unknown>): Promise<unknown> =>
  building.then(
    () => undefined,
    (error: unknown) => (error as BerthaError).code,
  );

const partsOf = ({ weights }: TrainingModel) =>
  weights
    .filter(({ tiedTo }) => tiedTo === undefined)
    // Of rows of one tensor that are read in another order: the tensor, once.
    .flatMap(({ parts, decay }) =>
      parts.filter(({ rowsOf }) => (rowsOf?.begin ?? 0) === 0).map((part) => ({ ...part, ...part.rowsOf, decay })),
    );

for (const name of readdirSync(goldenTraining('gradients'))) {
  test(`${name} trains the tensors that transformers does, under its names, and decays the same`, async () => {
    const folder = fileURLToPath(goldenTraining(`gradients/${name}`));
    const json = JSON.parse(readFileSync(`${folder}/case.json`, 'utf8')) as {
      readonly class: string;
      readonly batch: GoldenBatch;
      readonly decay: readonly string[];
      readonly variants: readonly { readonly loss: string; readonly file: string }[];
    };
    const model = await build(folder, optionsOf(json.class, json.variants[0]!.loss, json.batch));
    const file = await SafetensorsFile.open(`${folder}/${json.variants[0]!.file}`);
    const expected = [...file.tensors].filter(([key]) => key.startsWith('grad.')).map(([key, { shape }]) => [key.slice(5), shape] as const);
    await file.close();
    const parts = partsOf(model);
    assert.equal(new Map(parts.map(({ name, shape }) => [name, shape]).sort() as never), new Map([...expected].sort() as never));
    const trained = new Set(parts.map((part) => part.name));
    assert.equal(
      parts
        .filter(({ decay }) => decay)
        .map((part) => part.name)
        .sort(),
      json.decay.filter((each) => trained.has(each)).sort(),
    );
    assert.equal(model.newlyInitialized, []);
    assert.equal((model.config.raw['architectures'] as string[])[0], json.class);
  });
}

test('numbers dropout sites in the order of the program', async () => {
  const model = await build(fileURLToPath(goldenTraining('gradients/bert-dropout')), { task: 'text-classification', seed: 1 });
  const sites = model.program.ops.flatMap((op) => {
    if (op.op === 'dropout') return [[op.site, op.probability]];
    return 'dropoutSite' in op && op.dropoutSite !== undefined ? [[op.dropoutSite, op.dropout]] : [];
  });
  const layers = model.config.numLayers;
  assert.equal(
    sites,
    Array.from({ length: 3 * layers + 2 }, (_, site) => [site, site === 3 * layers + 1 ? 0.2 : 0.1]),
  );
});

test('makes a head that the checkpoint lacks, and replaces one of another size', async () => {
  const folder = fileURLToPath(goldenTraining('gradients/bert-regression-3'));
  const other = await build(folder, { task: 'text-classification', labels: ['no', 'yes'], seed: 3 });
  assert.equal(other.replaced, ['classifier.weight', 'classifier.bias']);
  assert.equal(other.config.raw['id2label'], { 0: 'no', 1: 'yes' });
  assert.equal(other.config.problemType, 'single_label_classification');
  const fresh = await build(folder, { task: 'question-answering', seed: 3 });
  assert.equal(fresh.newlyInitialized, ['qa_outputs.weight', 'qa_outputs.bias']);
  const [weights, bias] = fresh.newlyInitialized.map((name) => {
    const { id } = fresh.weights.find(({ parts }) => parts[0]!.name === name)!;
    return fresh.initialValues.get(id)!;
  });
  assert.equal([...bias!], [0, 0]);
  assert.equal(weights, normalValues(3, 'qa_outputs.weight', 2 * fresh.config.hiddenSize, 0.02));
  const again = await build(folder, { task: 'question-answering', seed: 3 });
  assert.equal([...again.initialValues.values()], [...fresh.initialValues.values()]);
});

test('draws new tensors from the normal distribution, by seed and name', () => {
  const values = normalValues(7, 'classifier.weight', 40_000, 0.02);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  assert.ok(Math.abs(mean) < 4e-4 && Math.abs(deviation - 0.02) < 3e-4);
  assert.not.equal(normalValues(7, 'classifier.bias', 4, 1), normalValues(7, 'classifier.weight', 4, 1));
  assert.not.equal(normalValues(8, 'classifier.weight', 4, 1), normalValues(7, 'classifier.weight', 4, 1));
});

test('decides the problem type as transformers does', () => {
  assert.is(problemTypeOf(undefined, 1), 'regression');
  assert.is(problemTypeOf(undefined, 3, 'integers'), 'single_label_classification');
  assert.is(problemTypeOf(undefined, 3, 'numbers'), 'multi_label_classification');
  assert.is(problemTypeOf('regression', 3, 'integers'), 'regression');
});

test('freezes modules, and learns biases and the head alone with bitfit', async () => {
  const folder = fileURLToPath(goldenTraining('gradients/bert-regression-3'));
  const frozen = partsOf(await build(folder, { task: 'text-classification', seed: 1, freeze: ['embeddings', 'encoder.layer.0'] }));
  assert.ok(frozen.every(({ name, trainable }) => trainable !== /embeddings\.|layer\.0\./.test(name)));
  const biases = partsOf(await build(folder, { task: 'text-classification', seed: 1, bitfit: true }));
  assert.ok(biases.every(({ name, trainable }) => trainable === (name.endsWith('bias') || name.startsWith('classifier'))));
  assert.is(await codeOf(build(folder, { task: 'text-classification', seed: 1, freeze: ['decoder'] })), 'INVALID_OPTION');
});

test('learns low-rank branches, their head and nothing else', async () => {
  const folder = fileURLToPath(goldenTraining('lora/query-value'));
  const model = await build(folder, { task: 'text-classification', seed: 1, lora: { r: 4 } });
  const learning = partsOf(model).filter(({ trainable }) => trainable);
  const file = await SafetensorsFile.open(`${folder}/adapter/adapter_model.safetensors`);
  const expected = [...file.tensors].map(([name, { shape }]) => [name.replace('base_model.model.', ''), shape]);
  await file.close();
  assert.equal(new Map(learning.map(({ name, shape }) => [name, shape]).sort() as never), new Map(expected.sort() as never));
});

test('has no head for what a family does not have', async () => {
  assert.is(await codeOf(build(golden('tiny/distilbert-mlm'), { task: 'next-sentence-prediction', seed: 1 })), 'NO_HEAD');
});

test.run();
