// Low-rank adapters and whole models of the families after BERT's first four: what was learned comes back from what was saved.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { loadModel, type Model } from '../../src/index.js';
import { train, type TrainModelOptions } from '../../src/training/index.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('adapters of families');
const folderOf = (name: string): string => fileURLToPath(new URL(`../golden-families/tiny/${name}`, import.meta.url));
const rows = ['hello world', 'the cat sat', 'a b c d', 'nothing here'].map((text, i) => ({ text, label: i % 2 }));

const optionsFor = (outputDir: string, more: Partial<TrainModelOptions>): TrainModelOptions => ({
  task: 'text-classification',
  outputDir,
  maxSteps: 2,
  learningRate: 0.05,
  perDeviceTrainBatchSize: 4,
  saveStrategy: 'no',
  ...more,
});

async function statesOf(model: Model): Promise<Float32Array> {
  const [result] = await model.forward([{ ids: Int32Array.of(1, 5, 6, 2) }]);
  return result!.lastHiddenState.data;
}

const isNear = (a: Float32Array, b: Float32Array): boolean =>
  a.every((value, i) => Math.abs(value - b[i]!) <= 1e-5 * Math.max(1, Math.abs(value)));

async function namesIn(path: string): Promise<string[]> {
  const file = await SafetensorsFile.open(path);
  await file.close();
  return [...file.tensors.keys()];
}

/** A layer of each that peft finds under the name it has in the checkpoint. */
const layers = {
  'modernbert-biases': 'model.layers.0.attn.Wqkv',
  'gte-cross-encoder-published': 'gte.encoder.layer.0.mlp.up_gate_proj',
  'nomic-mlm': 'nomic_bert.encoder.layers.0.attn.Wqkv',
  'jina-base': 'bert.encoder.layer.0.mlp.gated_layers',
  'jina-qk-norm': 'bert.encoder.layer.0.mlp.up_gated_layer',
  'deberta-nli': 'deberta.encoder.layer.0.attention.self.in_proj',
  'deberta-v3-nli': 'deberta.encoder.layer.0.attention.self.key_proj',
  'albert-groups': 'albert.encoder.albert_layer_groups.1.albert_layers.0.ffn',
  'xlmr-base': 'roberta.encoder.layer.0.attention.self.query',
};

for (const [name, layer] of Object.entries(layers)) {
  t(`${name} learns low-rank branches, which load again under peft's names`, async () => {
    const outputDir = temporaryFolder();
    const { model } = await train(
      folderOf(name),
      rows,
      optionsFor(outputDir, { lora: { r: 2, loraAlpha: 8, targetModules: 'all-linear' } }),
    );
    const live = await statesOf(model);
    model.dispose();
    const names = await namesIn(join(outputDir, 'adapter_model.safetensors'));
    for (const factor of ['A', 'B']) assert.ok(names.includes(`base_model.model.${layer}.lora_${factor}.weight`), names.join('\n'));
    const [adapted, base] = [await loadModel(folderOf(name), { adapter: outputDir }), await loadModel(folderOf(name))];
    assert.ok(isNear(live, await statesOf(adapted)), 'the adapter is what was learned');
    assert.not(isNear(live, await statesOf(base)), 'something was learned');
    adapted.dispose();
    base.dispose();
  });
}

t('a model whose family goes by the name of another one is saved under that name', async () => {
  const outputDir = temporaryFolder();
  const { model } = await train(folderOf('jina-base'), rows, optionsFor(outputDir, {}));
  const live = await statesOf(model);
  model.dispose();
  const config = JSON.parse(readFileSync(join(outputDir, 'config.json'), 'utf8')) as Record<string, unknown>;
  assert.equal([config['model_type'], config['position_embedding_type']], ['bert', 'alibi']);
  const loaded = await loadModel(outputDir);
  assert.ok(isNear(live, await statesOf(loaded)));
  loaded.dispose();
});

t.run();
