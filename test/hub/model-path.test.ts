import { symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { calibrate, compare, inspectModel, loadEmbedder, loadModel, loadTokenizer, pipeline } from '../../src/index.js';
import { readModelPath } from '../../src/hub/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('model paths');
const directory = golden('sentence', 'normalize');

t('reads file URLs, also of another realm, and the home folder; everything else stays as it is', () => {
  const url = pathToFileURL('/models/Größe #1');
  assert.is(readModelPath(url, 'test'), path.resolve('/models/Größe #1'));
  assert.is(readModelPath(url.href, 'test'), path.resolve('/models/Größe #1'));
  assert.is(readModelPath(vm.runInNewContext('new URL(text)', { URL, text: url.href }), 'test'), path.resolve('/models/Größe #1'));
  assert.is(readModelPath('~/models/mine', 'test'), path.join(homedir(), 'models/mine'));
  assert.is(readModelPath('~', 'test'), path.join(homedir(), '.'));
  for (const name of ['', '.', './~', '~other/x', 'org/model', '/a/~/b', 'files/x', 'a:b']) assert.is(readModelPath(name, 'test'), name);
});

t('every function that takes a model directory takes its file URL, as an object and as text', async () => {
  const tiny = golden('tiny', 'bert-mlm');
  for (const model of [pathToFileURL(directory), pathToFileURL(directory).href]) {
    const embedder = await loadEmbedder(model);
    assert.is(embedder.directory, directory);
    embedder.dispose();
    const loaded = await loadModel(model);
    assert.is(loaded.directory, directory);
    loaded.dispose();
    assert.ok((await loadTokenizer(model)).encode('a cat').ids.length > 2);
    assert.ok((await inspectModel(model)).loadable);
    assert.ok((await compare(model, { with: model, texts: ['a cat'] })).within);
    const output = path.join(temporaryFolder(), 'calibration.safetensors');
    assert.is((await calibrate(model, ['a cat'], { output })).path, output);
  }
  const fill = await pipeline('fill-mask', pathToFileURL(tiny).href);
  assert.is(fill.model.directory, tiny);
  await fill.dispose();
});

t('~ is the home folder', async () => {
  const home = temporaryFolder();
  symlinkSync(directory, path.join(home, 'mine'));
  const before = process.env['HOME'];
  process.env['HOME'] = home;
  try {
    const embedder = await loadEmbedder('~/mine');
    assert.is(embedder.directory, directory);
    embedder.dispose();
  } finally {
    process.env['HOME'] = before;
  }
});

t('refuses what is neither, and names the function', async () => {
  for (const model of [3, {}, null, new URL('https://example.org/model'), 'file://elsewhere/model', 'file:///a%2Fb'] as string[]) {
    for (const [name, load] of Object.entries({ loadEmbedder, loadModel, loadTokenizer, inspectModel })) {
      const error = await rejection(() => load(model));
      assert.is(error.code, 'INVALID_ARG', `${name} ${String(model)}`);
      assert.match(error.message, name);
    }
    assert.is((await rejection(() => calibrate(model, ['a cat']))).code, 'INVALID_ARG');
    assert.is((await rejection(() => compare(directory, { with: model }))).code, 'INVALID_OPTION');
  }
});

t('a directory that is not there is MODEL_NOT_FOUND, with the system’s error as its cause', async () => {
  const missing = path.join(temporaryFolder(), 'missing');
  for (const model of [missing, pathToFileURL(missing), './nowhere', '~/no/such/model']) {
    for (const load of [loadEmbedder, loadModel, loadTokenizer]) {
      const error = await rejection(() => load(model));
      assert.is(error.code, 'MODEL_NOT_FOUND');
      assert.is((error.cause as NodeJS.ErrnoException).code, 'ENOENT');
    }
    assert.is((await inspectModel(model)).problems[0]?.code, 'MODEL_NOT_FOUND');
  }
});

t.run();
