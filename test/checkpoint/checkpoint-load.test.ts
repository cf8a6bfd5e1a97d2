import { copyFileSync, cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { SafetensorsFile, writeSafetensors, type TensorToWrite } from '../../src/checkpoint/safetensors/safetensors.js';
import { BerthaError } from '../../src/errors.js';
import { buildModel } from '../../src/models/build-model.js';
import { loadModel } from '../../src/models/model.js';
import { toNativeProgram } from '../../src/models/program/native-program.js';
import { Session } from '../../src/runtime/session.js';
import { editJson, golden, rejection, temporaryFolder, tinyCopy } from '../support/checkpoint-files.js';

const t = suite('checkpoint load');

/** A copy of tiny/bert-relu whose tensors have been changed; `change` returns what takes a tensor's place. */
async function modelWith(change: (tensor: TensorToWrite) => readonly TensorToWrite[]): Promise<string> {
  const folder = tinyCopy('bert-relu');
  const weights = `${folder}/model.safetensors`;
  const file = await SafetensorsFile.open(weights);
  const tensors: TensorToWrite[] = [];
  for (const { name, dtype, shape } of file.tensors.values()) tensors.push(...change({ name, dtype, shape, bytes: await file.read(name) }));
  await file.close();
  await writeSafetensors(weights, tensors, file.metadata);
  return folder;
}

/** The same, for one tensor. */
function modelWithTensor(name: string, change: (tensor: TensorToWrite) => readonly TensorToWrite[]): Promise<string> {
  return modelWith((tensor) => (tensor.name === name ? change(tensor) : [tensor]));
}

async function rejectsLoad(code: string, directory: string, text: RegExp): Promise<void> {
  const error = await rejection(async () => (await loadModel(directory)).dispose());
  assert.is(error.code, code, error.message);
  assert.match(error.message, text);
}

/** The first hidden value of a short input: tells models apart. */
async function fingerprint(directory: string): Promise<number> {
  const model = await loadModel(directory);
  try {
    return (await model.forward({ ids: Int32Array.of(2, 5, 3) })).lastHiddenState.data[0]!;
  } finally {
    model.dispose();
  }
}

const QUERY = 'encoder.layer.1.attention.self.query.weight';

t('names a missing, a misshapen and a surplus tensor', async () => {
  await rejectsLoad(
    'MODEL_MISMATCH',
    await modelWithTensor(QUERY, () => []),
    /1 missing: "encoder\.layer\.1\.attention\.self\.query\.weight" \[/,
  );
  const misshapen = await modelWithTensor(QUERY, (tensor) => [{ ...tensor, shape: [1, tensor.shape[0]! * tensor.shape[1]!] }]);
  await rejectsLoad('MODEL_MISMATCH', misshapen, /self\.query\.weight": expected \[(\d+), \1\], received \[1, \d+\]/);
  const renamed = await modelWithTensor(QUERY, (tensor) => [{ ...tensor, name: 'encoder.layer.9.weight' }]);
  await rejectsLoad('MODEL_MISMATCH', renamed, /1 missing.*1 stored but not asked for: "encoder\.layer\.9\.weight"/);
});

t('compares the tensors with config.json', async () => {
  for (const [field, change] of [
    ['vocab_size', 1],
    ['intermediate_size', -1],
    ['num_hidden_layers', 1],
    ['max_position_embeddings', 1],
    ['type_vocab_size', 1],
  ] as const) {
    const folder = tinyCopy('bert-relu');
    const config = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as Record<string, number>;
    editJson(`${folder}/config.json`, { [field]: config[field]! + change });
    await rejectsLoad('MODEL_MISMATCH', folder, /received .*(missing|of another shape)/);
  }
});

t('loads with tensors nobody asked for, and lists them', async () => {
  const extra: TensorToWrite = { name: 'classifier.bias', dtype: 'I8', shape: [2], bytes: new Uint8Array(2) };
  const folder = await modelWithTensor(QUERY, (tensor) => [tensor, extra]);
  const model = await loadModel(folder);
  assert.equal(model.unusedTensors, ['classifier.bias']);
  model.dispose();
  assert.is(await fingerprint(folder), await fingerprint(golden('tiny/bert-relu')));
});

t('rejects weights of other element types', async () => {
  for (const dtype of ['I8', 'F8_E4M3', 'F8_E5M2'] as const) {
    const folder = await modelWithTensor(QUERY, (tensor) => [
      { ...tensor, dtype, bytes: tensor.bytes.subarray(0, tensor.bytes.byteLength / 4) },
    ]);
    await rejectsLoad('DTYPE_UNSUPPORTED', folder, new RegExp(`self\\.query\\.weight": ${dtype}`));
  }
});

t('rejects weights that are not finite, naming the tensor', async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const folder = await modelWithTensor(QUERY, (tensor) => {
      const values = new Float32Array(tensor.bytes.slice().buffer);
      values[values.length - 1] = value;
      return [{ ...tensor, bytes: new Uint8Array(values.buffer) }];
    });
    await rejectsLoad('NON_FINITE', folder, /self\.query\.weight/);
  }
  const tooLarge = await modelWithTensor(QUERY, ({ name, shape }) => {
    const values = new Float64Array(shape[0]! * shape[1]!).fill(1e39);
    return [{ name, dtype: 'F64', shape, bytes: new Uint8Array(values.buffer) }];
  });
  await rejectsLoad('NON_FINITE', tooLarge, /self\.query\.weight/);
});

t('loads prefixes, old LayerNorm names and position_ids as if they were not there', async () => {
  const expected = await fingerprint(golden('tiny/bert-relu'));
  const ids: TensorToWrite = { name: 'bert.embeddings.position_ids', dtype: 'I64', shape: [1, 48], bytes: new Uint8Array(48 * 8) };
  const old = await modelWith((tensor) => {
    const name = `bert.${tensor.name}`.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
    return name.endsWith('word_embeddings.weight') ? [{ ...tensor, name }, ids] : [{ ...tensor, name }];
  });
  assert.is(await fingerprint(old), expected);
});

t('gives the same model from one file and from shards', async () => {
  const folder = tinyCopy('bert-sharded');
  const opened = await openModelDirectory(folder);
  const tensors: TensorToWrite[] = [];
  for (const { name, dtype, shape, file } of opened.tensors.values()) tensors.push({ name, dtype, shape, bytes: await file.read(name) });
  await opened.close();
  const whole = temporaryFolder(folder);
  rmSync(`${whole}/model.safetensors.index.json`);
  await writeSafetensors(`${whole}/model.safetensors`, tensors);
  assert.is(await fingerprint(whole), await fingerprint(folder));
});

t('says which architectures it cannot compute yet', async () => {
  for (const name of ['t5', 'm2m_100']) {
    const folder = tinyCopy('bert-relu');
    editJson(`${folder}/config.json`, { model_type: name });
    await rejectsLoad('CONFIG_UNSUPPORTED', folder, new RegExp(`model_type.*${name}`));
  }
});

t('rejects a vocabulary larger than the model’s embeddings', async () => {
  const folder = tinyCopy('bert-relu');
  rmSync(`${folder}/tokenizer.json`);
  writeFileSync(`${folder}/vocab.txt`, `${readFileSync(`${folder}/vocab.txt`, 'utf8').trimEnd()}\nextra\nmore\n`);
  await rejectsLoad('VOCAB', folder, /vocab_size/);
});

t('reports a file that is cut between opening and reading', async () => {
  const folder = tinyCopy('bert-relu');
  const opened = await openModelDirectory(folder);
  try {
    const { program } = buildModel(opened, { heads: false });
    truncateSync(`${folder}/model.safetensors`, 20_000);
    const error = await rejection(async () =>
      (await Session.load(toNativeProgram(program), { precision: 'fp32', device: 'cpu' })).dispose(),
    );
    assert.is(error.code, 'IO', error.message);
    assert.is((await rejection(() => opened.verifyUnchanged())).code, 'IO');
  } finally {
    await opened.close();
  }
});

t('survives a file that is cut or rewritten while it is being read', async () => {
  const bundled = path.join(golden(), '../../weights/all-MiniLM-L6-v2');
  const folder = temporaryFolder();
  cpSync(bundled, folder, { recursive: true });
  const weights = `${folder}/model.safetensors`;
  const outcomes: string[] = [];
  for (let round = 0; round < 6; round++) {
    const loading = loadModel(folder).then(
      (model) => {
        model.dispose();
        return 'loaded';
      },
      (error: unknown) => (error instanceof BerthaError ? error.code : String(error)),
    );
    await delay(5 + round * 12);
    truncateSync(weights, 1 << 20);
    outcomes.push(await loading);
    copyFileSync(`${bundled}/model.safetensors`, weights);
  }
  assert.ok(
    outcomes.every((outcome) => outcome === 'loaded' || outcome === 'IO' || outcome === 'NOT_COVERED'),
    outcomes.join(),
  );
  assert.ok(
    outcomes.some((outcome) => outcome !== 'loaded'),
    outcomes.join(),
  );
  assert.type(await fingerprint(folder), 'number');
});

t('keeps a loaded model when its files are replaced or removed', async () => {
  const folder = tinyCopy('bert-relu');
  const model = await loadModel(folder);
  const before = (await model.forward({ ids: Int32Array.of(2, 5, 3) })).lastHiddenState.data;
  renameSync(path.join(tinyCopy('bert-silu'), 'model.safetensors'), `${folder}/model.safetensors`);
  rmSync(folder, { recursive: true });
  assert.equal((await model.forward({ ids: Int32Array.of(2, 5, 3) })).lastHiddenState.data, before);
  model.dispose();
});

t('loads one directory many times at once, with others being disposed', async () => {
  const expected = await fingerprint(golden('tiny/bert-relu'));
  const values = await Promise.all(Array.from({ length: 24 }, () => fingerprint(golden('tiny/bert-relu'))));
  assert.ok(values.every((value) => value === expected));
});

t.run();
