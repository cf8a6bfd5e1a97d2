import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { golden, rejection, rejectsModel, temporaryFolder, tinyCopy, withModel } from '../support/checkpoint-files.js';
import { skip } from '../support/skip.js';

const t = suite('checkpoint directory');

// ------------------------------------------------------------------------------------------------------------------ golden models

for (const name of readdirSync(golden('tiny'))) {
  t(`opens tiny/${name}`, () =>
    withModel(golden('tiny', name), async (model) => {
      const { config } = model;
      const words = [...model.tensors.values()].find((tensor) => tensor.name.endsWith('embeddings.word_embeddings.weight'))!;
      assert.equal(words.shape, [config.vocabSize, config.embeddingSize]);
      assert.is(model.sentenceTransformers, undefined);
      assert.is(model.maxLength, config.maxSequenceLength);
      assert.ok(model.tokenizerFiles.tokenizerJson !== undefined);
      await model.verifyUnchanged();
    }),
  );
}

// ------------------------------------------------------------------------------------------------- directories that are no models

t('rejects paths that are no directories', async () => {
  await rejectsModel('MODEL_NOT_FOUND', path.join(temporaryFolder(), 'missing'), /ENOENT/);
  await rejectsModel('IO', golden('README.md'), /directory/);
  await rejectsModel('IO', '/dev/zero');
  await rejectsModel('IO', 'nul\0');
});

t('says what it expected in a directory without model', async () => {
  await rejectsModel('CONFIG', temporaryFolder(), /config\.json/);
  const folder = tinyCopy('bert-relu');
  rmSync(`${folder}/model.safetensors`);
  await rejectsModel('MODEL_NOT_FOUND', folder, /"vocab\.txt"/);
});

t('rejects a pytorch_model.bin that torch.save did not write, and says how to convert it', async () => {
  const folder = tinyCopy('bert-relu');
  renameSync(`${folder}/model.safetensors`, `${folder}/pytorch_model.bin`);
  await rejectsModel('UNSAFE_FORMAT', folder, /pytorch_model\.bin".*torch\.load\('pytorch_model\.bin'.*save_file.*pip install/);
});

t('takes no other file for weights than the only one of torch.save, and names those that may hold some', async () => {
  for (const name of ['model.pt', 'last.ckpt', 'weights.pth', 'model.bin']) {
    const folder = tinyCopy('bert-relu');
    renameSync(`${folder}/model.safetensors`, `${folder}/${name}`);
    await rejectsModel('UNSAFE_FORMAT', folder, new RegExp(`${name.replaceAll('.', '\\.')}": Expected a file that torch\\.save wrote`));
  }
  for (const names of [['model.pkl'], ['pytorch_model-00001-of-00002.bin'], ['a.pt', 'b.pth']]) {
    const folder = tinyCopy('bert-relu');
    rmSync(`${folder}/model.safetensors`);
    for (const name of names) writeFileSync(`${folder}/${name}`, 'anything');
    await rejectsModel(
      'MODEL_NOT_FOUND',
      folder,
      new RegExp(`pytorch_model\\.bin, .*"${names[0]!.replaceAll('.', '\\.')}".*called pytorch_model\\.bin`),
    );
  }
});

t('does not take a trainer’s leavings for a model', async () => {
  const folder = tinyCopy('bert-relu');
  renameSync(`${folder}/model.safetensors`, `${folder}/training_args.bin`);
  await rejectsModel('MODEL_NOT_FOUND', folder);
});

t('ignores a pickle beside safetensors', () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/pytorch_model.bin`, 'never read');
  return withModel(folder, (model) => assert.is(model.tensors.size, 71));
});

t('rejects a FIFO or a folder in place of any file without waiting', async () => {
  if (process.platform === 'win32') return skip('mkfifo');
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json', 'vocab.txt', 'tokenizer_config.json']) {
    const folder = tinyCopy('bert-relu');
    if (name === 'vocab.txt') rmSync(path.join(folder, 'tokenizer.json'));
    rmSync(path.join(folder, name));
    execFileSync('mkfifo', [path.join(folder, name)]);
    await rejectsModel('IO', folder, /FIFO/);
    rmSync(path.join(folder, name));
    mkdirSync(path.join(folder, name));
    await rejectsModel('IO', folder, /directory/);
  }
});

t('rejects files that are too large or not UTF-8 with the code of their part', async () => {
  const files: readonly (readonly [string, number, string])[] = [
    ['config.json', 16 << 20, 'CONFIG'],
    ['vocab.txt', 64 << 20, 'VOCAB'],
    ['tokenizer.json', 128 << 20, 'TOKENIZER'],
  ];
  for (const [name, limit, code] of files) {
    const folder = tinyCopy('bert-relu');
    if (name === 'vocab.txt') rmSync(path.join(folder, 'tokenizer.json'));
    truncateSync(path.join(folder, name), limit + 1);
    await rejectsModel(code, folder, /at most/);
    writeFileSync(path.join(folder, name), Buffer.of(0x22, 0xff, 0x22));
    await rejectsModel(code, folder, /UTF-8/);
  }
});

t('rejects a truncated download at every length', async () => {
  const folder = tinyCopy('bert-relu');
  const file = `${folder}/model.safetensors`;
  const whole = readFileSync(file);
  for (const length of [0, 7, 8, 100, whole.length >> 1, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, length));
    const error = await rejection(() => openModelDirectory(folder));
    assert.ok(['HEADER_TOO_SMALL', 'HEADER_LENGTH', 'NOT_COVERED'].includes(error.code), `${length}: ${error.code}`);
  }
});

t('wants tokenizer.json where only an old added_tokens.json describes tokens', async () => {
  const folder = tinyCopy('bert-relu');
  writeFileSync(`${folder}/added_tokens.json`, '{"[NEW]":1982}');
  await withModel(folder, (model) => assert.ok(model.tokenizerFiles.tokenizerJson));
  rmSync(`${folder}/tokenizer.json`);
  await rejectsModel('TOKENIZER', folder, /AutoTokenizer/);
  writeFileSync(`${folder}/added_tokens.json`, '{}');
  await withModel(folder, (model) => assert.is(model.tokenizerFiles.tokenizerJson, undefined));
});

t('opens one directory many times at once', async () => {
  const models = await Promise.all(Array.from({ length: 20 }, () => openModelDirectory(golden('sentence/dense'))));
  await Promise.all(models.map((model) => model.close()));
  await Promise.all(models.map((model) => model.close()));
  for (const model of models) assert.is((await rejection(() => model.verifyUnchanged())).code, 'DISPOSED');
});

t('reports weights that change between opening and verifying', () => {
  const folder = tinyCopy('bert-relu');
  return withModel(folder, async (model) => {
    await model.verifyUnchanged();
    writeFileSync(`${folder}/model.safetensors`, readFileSync(golden('tiny/bert-silu/model.safetensors')));
    assert.is((await rejection(() => model.verifyUnchanged())).code, 'IO');
  });
});

t.run();
