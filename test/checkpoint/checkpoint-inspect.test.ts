import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { inspectModel } from '../../src/tools/inspect.js';
import { inspectModelDirectory } from '../../src/tools/inspect-directory.js';
import { editJson, golden, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('checkpoint inspect');

t('shows what a good model holds', async () => {
  const model = await inspectModelDirectory(golden('sentence/dense'));
  assert.ok(model.loadable);
  assert.equal(model.problems, []);
  assert.is(model.config?.modelType, 'bert');
  assert.is(model.maxLength, 48);
  assert.is(model.parameters, 66_174);
  assert.equal([...model.parametersByDtype!], [['F32', 66_174]]);
  assert.equal([...model.metadata!], [['format', 'pt']]);
  assert.is(model.tensors?.length, 55);
  assert.equal(model.tensors?.find((tensor) => tensor.name === 'pooler.dense.bias')?.shape, [28]);
  assert.is(model.tensors?.[0]?.file, 'model.safetensors');
  assert.is(model.sentenceTransformers?.modules[0]?.type, 'dense');
  assert.ok(model.files.some((file) => file.name === path.join('2_Dense', 'model.safetensors') && file.bytes === 2356));
});

t('counts the parameters of shards and of each element type', async () => {
  for (const [name, dtype] of [
    ['bert-sharded', 'F32'],
    ['bert-f16', 'F16'],
    ['bert-bf16', 'BF16'],
    ['bert-f64', 'F64'],
  ] as const) {
    const model = await inspectModelDirectory(golden('tiny', name));
    assert.equal([...model.parametersByDtype!], [[dtype, 67_554]], name);
  }
});

t('finds every problem, and shows the parts that are good', async () => {
  const folder = temporaryFolder(golden('sentence/dense'));
  editJson(`${folder}/config.json`, { num_attention_heads: 3 });
  renameSync(`${folder}/model.safetensors`, `${folder}/pytorch_model.bin`);
  rmSync(`${folder}/tokenizer.json`);
  writeFileSync(`${folder}/vocab.txt`, Buffer.of(0xff));
  editJson(`${folder}/1_Pooling/config.json`, { pooling_mode_mean_tokens: 'yes' });
  const model = await inspectModelDirectory(folder);
  assert.not(model.loadable);
  assert.equal(
    model.problems.map(({ code }) => code),
    ['CONFIG', 'UNSAFE_FORMAT', 'VOCAB', 'POOLING'],
  );
  assert.ok(model.files.some((file) => file.name === 'pytorch_model.bin'));

  editJson(`${folder}/1_Pooling/config.json`, { pooling_mode_mean_tokens: true });
  const better = await inspectModelDirectory(folder);
  assert.equal(better.sentenceTransformers?.pooling.modes, ['mean']);
  assert.is(better.problems.length, 3);
});

t('answers for what is no model at all', async () => {
  for (const [target, code] of [
    [path.join(temporaryFolder(), 'missing'), 'MODEL_NOT_FOUND'],
    [golden('README.md'), 'IO'],
    [temporaryFolder(), 'CONFIG'],
  ] as const) {
    const model = await inspectModelDirectory(target);
    assert.not(model.loadable);
    assert.is(model.problems[0]?.code, code);
    assert.is(model.tensors, undefined);
  }
});

t('lets the caller check the parts against each other', async () => {
  let seen = 0;
  const verify = (): never => {
    seen++;
    throw new BerthaError('MODEL_MISMATCH', 'Expected more.');
  };
  const model = await inspectModelDirectory(golden('tiny/bert-relu'), { model: verify });
  assert.equal(model.problems, [{ code: 'MODEL_MISMATCH', message: 'Expected more.' }]);
  assert.not(model.loadable);
  assert.is(model.tensors?.length, 71);

  const folder = temporaryFolder(golden('tiny/bert-relu'));
  rmSync(`${folder}/config.json`);
  await inspectModelDirectory(folder, { model: verify });
  assert.is(seen, 1);
});

t('names the family that it cannot load, those that it can, and the tokenizer all the same', async () => {
  const folder = temporaryFolder(golden('tiny/bert-relu'));
  editJson(`${folder}/config.json`, { model_type: 't5' });
  const model = await inspectModel(folder);
  assert.is(model.modelType, 't5');
  assert.is(model.tokenizerType, 'WordPiece');
  assert.equal(
    model.problems.map(({ code }) => code),
    ['CONFIG_UNSUPPORTED'],
  );
  assert.match(model.problems[0]!.message, /one of bert, distilbert, .*xlm-roberta.* but received "t5"/);

  editJson(`${folder}/tokenizer.json`, { normalizer: { type: 'Unheard' } });
  const worse = await inspectModel(folder);
  assert.equal(
    worse.problems.map(({ code }) => code),
    ['CONFIG_UNSUPPORTED', 'TOKENIZER'],
  );
});

t('can read tensors while verifying', async () => {
  let norm: Float32Array = new Float32Array(0);
  const model = await inspectModelDirectory(golden('tiny/bert-relu'), {
    model: async ({ tensors, verifyUnchanged }) => {
      norm = await tensors.get('embeddings.LayerNorm.weight')!.file.readFloat32('embeddings.LayerNorm.weight');
      await verifyUnchanged();
    },
  });
  assert.ok(model.loadable);
  assert.is(norm.length, model.config?.hiddenSize);
});

t.run();
