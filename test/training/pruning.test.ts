// Layers and heads that are left out: which, what is left of the model, and what is refused.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { loadModel } from '../../src/models/model.js';
import { loadEmbedder } from '../../src/embedding/embed.js';
import { PCA } from '../../src/learn/index.js';
import { evaluateModel, prune, reduceDimension, type PruneOptions } from '../../src/training/index.js';
import { ClassificationCollator } from '../../src/training/collators/index.js';
import { labelSet } from '../../src/training/datasets/label-set.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { headImportance } from '../../src/training/pruning/head-importance.js';
import { keepLayers } from '../../src/training/pruning/keep-layers.js';
import { zeroHeads } from '../../src/training/pruning/zero-heads.js';
import { atOnce } from '../../src/calls/text-reader.js';
import { goldenTraining } from '../support/golden-training.js';
import { golden, rejection, temporaryFolder, withModel } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('pruning');
const nli = golden('tiny', 'bert-nli');
const words = ['a cat', 'the dog runs', 'one of them', 'it was said', 'rain in May', 'who knows why'];
const labels = ['contradiction', 'entailment', 'neutral'];
const rows = words.map((text, i) => ({ text, textPair: words[(i * 5) % 6]!, label: labels[i % 3]! }));
const options = (more: Partial<PruneOptions> = {}): PruneOptions => ({
  model: nli,
  task: 'text-classification',
  evalDataset: rows,
  ...more,
});

t('the importance of a head is the derivative of the loss by a factor on it', async () => {
  const model = await LearningModel.load(nli, { task: 'text-classification', seed: 1, labelKind: 'integers', dropout: false });
  const collator = new ClassificationCollator(model.model, { labels: labelSet(labels) });
  const examples = rows.map((row, i) => atOnce(collator.encode(row, i)));
  const all = await headImportance(model, examples, collator, undefined);
  assert.is(all.length, model.model.config.numLayers * model.model.config.numHeads);
  const { headDim, numHeads, numLayers } = model.model.config;
  for (let layer = 0; layer < numLayers; layer++) {
    const weight = model.training.weights.find(({ parts }) => parts[0]!.name.endsWith(`layer.${layer}.attention.output.dense.weight`))!;
    const values = await model.session.read(weight.id, 'value', 0, weight.rows);
    const lossWith = async (head: number, factor: number, example: (typeof examples)[number]): Promise<number> => {
      const scaled = values.map((value, i) => (Math.floor((i % weight.cols) / headDim) === head ? value * factor : value));
      await model.session.write(weight.id, 'value', 0, scaled);
      const { batch, numItems } = collator.collate([example]);
      const { loss } = await model.session.accumulate([batch], { numItems, microStep: 0 });
      model.session.zeroGradients();
      return loss;
    };
    const sums: number[] = [];
    for (let head = 0; head < numHeads; head++) {
      let sum = 0;
      for (const example of examples) sum += Math.abs((await lossWith(head, 1.01, example)) - (await lossWith(head, 0.99, example))) / 0.02;
      sums.push(sum);
    }
    await model.session.write(weight.id, 'value', 0, values);
    const norm = Math.hypot(...sums);
    for (const { head, importance } of all.filter((each) => each.layer === layer)) {
      assert.ok(Math.abs(importance - sums[head]! / norm) < 0.01, `layer ${layer} head ${head}: ${importance}, ${sums[head]! / norm}`);
    }
  }
  model.dispose();
});

t('a silenced head says nothing, and all else is as it was', async () => {
  for (const name of ['bert-nli', 'distilbert-sequence-classification', 'mpnet-base']) {
    const folder = temporaryFolder();
    const head = await withModel(golden('tiny', name), ({ config }) => config.numHeads - 1);
    await zeroHeads(golden('tiny', name), [{ layer: 0, head }], folder);
    await withModel(golden('tiny', name), async (before) =>
      withModel(folder, async (after) => {
        assert.equal([...after.tensors.keys()].sort(), [...before.tensors.keys()].sort());
        const changed: string[] = [];
        for (const [tensor, { file, shape }] of before.tensors) {
          const [old, now] = [await file.readFloat32(tensor), await after.tensors.get(tensor)!.file.readFloat32(tensor)];
          const { headDim } = before.config;
          const differs = now.some((value, i) => value !== old[i]);
          if (!differs) continue;
          changed.push(tensor);
          now.forEach((value, i) => assert.is(value, Math.floor((i % shape[1]!) / headDim) === head ? 0 : old[i]));
        }
        assert.is(changed.length, 1, changed.join(', '));
        assert.match(changed[0]!, /layer\.0\.attention/);
      }),
    );
  }
});

t('the layers that are missed least go first, one after the other, and the report says what that cost', async () => {
  const outputDir = join(temporaryFolder(), 'small');
  const { model, report } = await prune(options({ dropLayers: 2, dropHeads: 1, outputDir }));
  assert.is(report.layers.length, 2);
  assert.is(report.heads.length, 1);
  assert.equal([report.before.layers, report.after.layers, model.config.numLayers], [4, 2, 2]);
  assert.ok(report.after.weightBytes < report.before.weightBytes);
  assert.ok('accuracy' in report.before.metrics && 'accuracy' in report.after.metrics);
  for (let layer = 0; layer < 4; layer++) {
    const folder = temporaryFolder();
    await keepLayers(
      nli,
      [0, 1, 2, 3].filter((each) => each !== layer),
      folder,
    );
    const trial = await loadModel(folder);
    const { metrics } = await evaluateModel(trial, 'text-classification', rows);
    trial.dispose();
    const [first] = report.layers;
    assert.ok(layer === first!.layer ? metrics['accuracy'] === first!.score : metrics['accuracy']! <= first!.score, `without ${layer}`);
  }
  const saved = await loadModel(outputDir);
  const encoding = model.tokenizer.encode('a cat');
  assert.equal(await saved.forward(encoding), await model.forward(encoding));
  saved.dispose();
  model.dispose();
});

t('heads of a sentence model are judged by pairs with scores', async () => {
  const pairs = rows.map(({ text, textPair }, i) => ({ text, textPair, score: i }));
  const { model, report } = await prune(options({ task: 'sentence-embedding', evalDataset: pairs, dropHeads: 3 }));
  assert.is(report.heads.length, 3);
  assert.is(new Set(report.heads.map(({ layer, head }) => `${layer} ${head}`)).size, 3);
  assert.ok(Number.isFinite(report.after.metrics['spearman']));
  model.dispose();
});

t('a Dense module of principal components makes vectors shorter, behind any modules', async () => {
  const texts = Array.from({ length: 60 }, (_, i) => `${words[i % 6]!} ${words[(i * 7 + 1) % 6]!} ${i}`);
  const sentence = golden('sentence');
  const models = [nli, ...readdirSync(sentence).map((name) => join(sentence, name))].filter((model) =>
    existsSync(join(model, 'config.json')),
  );
  let seen = 0;
  for (const model of models) {
    const whole = await loadEmbedder(model).catch(() => undefined);
    if (whole === undefined || whole.dimensions <= 8) continue;
    const outputDir = join(temporaryFolder(), 'short');
    const { explainedVariance } = await reduceDimension({ model, texts, dimensions: 8, outputDir });
    const short = await loadEmbedder(outputDir);
    assert.is(short.dimensions, 8);
    const [before, after] = [await whole.embed(texts), await short.embed(texts)];
    const pca = await new PCA({ nComponents: 8 }).fit(before.map(({ vector }) => vector));
    const isNormal = Math.abs(Math.hypot(...before[0]!.vector) - 1) < 1e-5;
    before.forEach(({ vector }, i) => {
      const projected = pca.components.map((component) => component.reduce((sum, value, j) => sum + value * vector[j]!, 0));
      const norm = isNormal && Math.abs(Math.hypot(...after[i]!.vector) - 1) < 1e-5 ? Math.hypot(...projected) : 1;
      const scale = Math.max(1, ...projected.map(Math.abs));
      after[i]!.vector.forEach((value, j) =>
        assert.ok(Math.abs(value - projected[j]! / norm) < 1e-4 * scale, `${model} ${value} ${projected[j]! / norm}`),
      );
    });
    assert.ok(explainedVariance > 0 && explainedVariance <= 1 + 1e-9);
    for (const each of [whole, short]) each.dispose();
    seen++;
  }
  assert.ok(seen >= 3, `${seen} models`);
  const codeOf = async (more: object) =>
    (await rejection(() => reduceDimension({ model: nli, texts, dimensions: 8, outputDir: temporaryFolder(), ...more }))).code;
  assert.is(await codeOf({ dimensions: 30 }), 'INVALID_OPTION');
  assert.is(await codeOf({ texts: texts.slice(0, 5) }), 'INVALID_ARG');
  assert.is(await codeOf({ texts: 'one' }), 'INVALID_OPTION');
});

t('layers that share their weights can neither be left out nor have heads silenced', async () => {
  const albert = fileURLToPath(goldenTraining('gradients/albert-groups'));
  assert.is((await rejection(() => keepLayers(albert, [0, 1], temporaryFolder()))).code, 'CONFIG_UNSUPPORTED');
  const model = await LearningModel.load(albert, { task: 'text-classification', seed: 1, labelKind: 'integers' });
  assert.is(
    (await rejection(() => headImportance(model, [], { collate: () => assert.unreachable() as never }, undefined))).code,
    'CONFIG_UNSUPPORTED',
  );
  model.dispose();
});

t('what cannot be is refused by name', async () => {
  const codeOf = async (more: Partial<PruneOptions>) => (await rejection(() => prune(options(more)))).code;
  assert.is(await codeOf({}), 'INVALID_OPTION');
  assert.is(await codeOf({ dropLayers: 4 }), 'INVALID_OPTION');
  assert.is(await codeOf({ dropHeads: 5 }), 'INVALID_OPTION');
  assert.is(await codeOf({ dropLayers: -1 }), 'INVALID_OPTION');
  assert.is(await codeOf({ dropLayers: 1, metric: 'beauty' }), 'INVALID_OPTION');
  assert.is(await codeOf({ dropLayers: 1, evalDataset: [{ text: 'no label' }] }), 'EMPTY_INPUT');
  assert.is(await codeOf({ dropLayers: 1, task: 'next-sentence-prediction' }), 'NO_HEAD');
  assert.is(await codeOf({ dropHeads: 1, task: 'sentence-embedding', evalDataset: [{ text: 'alone' }] }), 'EMPTY_INPUT');
});

t.run();
