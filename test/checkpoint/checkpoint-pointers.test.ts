import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel, loadTokenizer } from '../../src/index.js';
import { golden, rejection, sentenceCopy, temporaryFolder, tinyCopy } from '../support/checkpoint-files.js';

const t = suite('checkpoint git-lfs pointers');

const kPointer =
  'version https://git-lfs.github.com/spec/v1\noid sha256:43f9abd90f3d2e3278aa793ffb635af20ae7a8c19be08ccd2417f92a90aa9923\nsize 437955512\n';
const kForms: readonly string[] = [
  kPointer,
  kPointer.replaceAll('\n', '\r\n'),
  kPointer.trimEnd(),
  kPointer.replace('oid ', 'ext-0-name sha256:43f9abd9\noid '),
  kPointer.replace('git-lfs.', 'hawser.'),
];

async function refused(load: () => Promise<unknown>, file: string): Promise<void> {
  const error = await rejection(load);
  assert.is(error.code, 'LFS_POINTER', error.message);
  assert.ok(error.message.includes('git lfs pull') && error.message.includes(file), error.message);
}

for (const file of [
  'model.safetensors',
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'modules.json',
]) {
  t(`names a pointer in place of ${file}`, async () => {
    for (const pointer of kForms) {
      const folder = tinyCopy('bert-sequence-classification');
      writeFileSync(path.join(folder, file), pointer);
      await refused(() => loadModel(folder), file);
    }
  });
}

t('names a pointer in place of vocab.txt where it is read, and passes over one that nobody reads', async () => {
  const folder = tinyCopy('bert-sequence-classification');
  writeFileSync(`${folder}/vocab.txt`, kPointer);
  (await loadModel(folder)).dispose();
  rmSync(`${folder}/tokenizer.json`, { force: true });
  await refused(() => loadModel(folder), 'vocab.txt');
  await refused(() => loadTokenizer(folder), 'vocab.txt');
});

t('names a pointer in place of an index or a shard', async () => {
  for (const file of ['model.safetensors.index.json', 'model-00002-of-00003.safetensors']) {
    const folder = temporaryFolder(golden('tiny/bert-sharded'));
    writeFileSync(path.join(folder, file), kPointer);
    await refused(() => loadModel(folder), file);
  }
});

t('names a pointer in place of the files of sentence-transformers', async () => {
  for (const file of [
    'modules.json',
    'sentence_bert_config.json',
    'config_sentence_transformers.json',
    '1_Pooling/config.json',
    '2_Dense/config.json',
    '2_Dense/model.safetensors',
  ]) {
    const folder = sentenceCopy('dense');
    writeFileSync(path.join(folder, file), kPointer);
    await refused(() => loadEmbedder(folder), path.basename(file));
  }
});

t('takes a vocabulary whose first token says version for a vocabulary', async () => {
  const folder = temporaryFolder();
  writeFileSync(`${folder}/vocab.txt`, `version https://git-lfs.github.com/spec/v1\n[UNK]\n[CLS]\n[SEP]\n[PAD]\n[MASK]\noid\n`);
  assert.is((await loadTokenizer(folder)).vocabSize, 7);
});

t('takes weights of OpenVINO for no pickle', async () => {
  for (const names of [['openvino_model.bin'], ['openvino_model_qint8_quantized.bin', 'openvino_model.xml'], ['other.bin', 'other.xml']]) {
    const folder = tinyCopy('bert-relu');
    rmSync(`${folder}/model.safetensors`);
    names.forEach((name) => writeFileSync(`${folder}/${name}`, 'x'));
    mkdirSync(`${folder}/openvino`);
    assert.is((await rejection(() => loadModel(folder))).code, 'MODEL_NOT_FOUND', names.join());
    writeFileSync(`${folder}/pytorch_model.bin`, 'x');
    assert.is((await rejection(() => loadModel(folder))).code, 'UNSAFE_FORMAT');
  }
});

t.run();
