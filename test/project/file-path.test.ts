// Wherever a file or folder is named: a path, `~`, the text of a file URL, and a URL object.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { AutoTokenizer, env } from '../../src/compat/index.js';
import { readHubSettings } from '../../src/hub/settings.js';
import { calibrate, compare, configure, loadModel, loadVectors, saveVectors, type FilePath } from '../../src/index.js';
import { filePath, readFilePath } from '../../src/file-path.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { setLocation } from '../../src/runtime/configure.js';
import { weightCacheDirectory } from '../../src/runtime/options/weight-cache.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('file paths');
const home = temporaryFolder();
const homeBefore = process.env['HOME'];
t.before(() => void (process.env['HOME'] = home));
t.after(() => {
  process.env['HOME'] = homeBefore;
  configure({});
});
const model = path.join(home, 'my model');
cpSync(golden('sentence', 'normalize'), model, { recursive: true });

/** The ways to name a file below the home folder. */
const waysTo = (name: string): FilePath[] => {
  const file = path.join(home, name);
  return [file, `~/${name}`, pathToFileURL(file), pathToFileURL(file).href];
};

t('are paths, below the home folder, or file URLs of whatever realm; nothing else', () => {
  for (const way of waysTo('Größe #1')) assert.is(readFilePath(way), path.join(home, 'Größe #1'));
  const foreign: unknown = vm.runInNewContext('new URL(text)', { URL, text: pathToFileURL('/a b').href });
  assert.is(readFilePath(foreign), path.resolve('/a b'));
  for (const name of ['', '.', 'a/~', '~other/x', 'a:b', '-']) assert.is(readFilePath(name), name);
  for (const value of [3, null, undefined, {}, [], new URL('https://example.org/a'), 'file://elsewhere/a', 'file:///a%2Fb']) {
    assert.is(readFilePath(value), undefined);
    assert.throws(() => filePath(value, 'the file'), /Expected a path or a file URL for the file but received/);
  }
});

t('configure and the environment variables of the same files', () => {
  for (const way of waysTo('my model')) {
    configure({ modelDirectory: way, addon: way });
    assert.is(defaultModelDirectory(), model);
    assert.is(setLocation('addon')?.path, model);
    configure({});
    for (const [kind, variable] of [
      ['modelDirectory', 'BERTHA_MODEL_DIR'],
      ['addon', 'BERTHA_ADDON'],
    ] as const) {
      const before = process.env[variable];
      process.env[variable] = String(way);
      try {
        assert.equal(setLocation(kind), { path: model, setBy: variable });
        if (kind === 'modelDirectory') assert.is(defaultModelDirectory(), model);
      } finally {
        if (before === undefined) delete process.env[variable];
        else process.env[variable] = before;
      }
    }
  }
  for (const wrong of ['', 'https://example.org/a', new URL('https://example.org/a'), 'file://elsewhere/a', 7]) {
    assert.throws(() => configure({ addon: wrong as string }), /Expected a path or a file URL for configure option addon but received/);
  }
});

t('BERTHA_MODEL_DIR that is no file URL of this machine is named in the error', () => {
  process.env['BERTHA_MODEL_DIR'] = 'file://elsewhere/model';
  try {
    assert.throws(() => defaultModelDirectory(), /Expected a model directory for BERTHA_MODEL_DIR but received .*elsewhere/);
  } finally {
    delete process.env['BERTHA_MODEL_DIR'];
  }
});

t('weightCache and BERTHA_WEIGHT_CACHE', async () => {
  for (const way of waysTo('cache')) assert.is(weightCacheDirectory(way), path.join(home, 'cache'));
  const loaded = await loadModel(model, { weightCache: pathToFileURL(path.join(home, 'cache')) });
  loaded.dispose();
  assert.match((await rejection(() => loadModel(model, { weightCache: 7 as never }))).message, 'true, false or a directory');
  process.env['BERTHA_WEIGHT_CACHE'] = '~/cache';
  try {
    assert.is(weightCacheDirectory(), path.join(home, 'cache'));
  } finally {
    delete process.env['BERTHA_WEIGHT_CACHE'];
  }
});

t('the cache of the Hub, whose variables know ~ as Python does', async () => {
  for (const way of waysTo('hub')) assert.is((await readHubSettings({ cacheDir: way }, {})).cacheDir, path.join(home, 'hub'));
  assert.is((await readHubSettings({}, { HF_HUB_CACHE: '~/hub' })).cacheDir, path.join(home, 'hub'));
  const refused = await rejection(() => loadModel('org/model', { cacheDir: new URL('https://example.org') }));
  assert.match(refused.message, 'Expected a path or a file URL for loadModel option cacheDir');
});

t('vectors, a reference and a calibration', async () => {
  for (const [i, way] of waysTo('vectors.npy').entries()) {
    await saveVectors(way, [new Float32Array([i, 2])]);
    assert.equal((await loadVectors(way)).data, new Float32Array([i, 2]));
    assert.ok(existsSync(path.join(home, 'vectors.npy')));
  }
  assert.match(
    (await rejection(() => loadVectors(new URL('https://example.org/a.npy')))).message,
    'Expected a path or a file URL for loadVectors',
  );
  for (const way of waysTo('calibration.safetensors')) {
    assert.is((await calibrate(model, ['a cat'], { output: way })).path, path.join(home, 'calibration.safetensors'));
  }
  const embedding = Array.from({ length: (await loadModel(model)).config.hiddenSize }, () => 0);
  writeFileSync(path.join(home, 'reference.jsonl'), `${JSON.stringify({ text: 'a cat', embedding })}\n`);
  for (const reference of waysTo('reference.jsonl')) assert.is((await compare(model, { reference })).within, false);
});

t('env.localModelPath of the transformers.js names', async () => {
  for (const way of [home, '~', pathToFileURL(home).href]) {
    env.localModelPath = way;
    try {
      assert.ok((await AutoTokenizer.from_pretrained('my model')).encode('a cat').length > 2);
    } finally {
      env.localModelPath = '';
    }
  }
});

t('flags of the command line', () => {
  writeFileSync(path.join(home, 'texts.txt'), 'a cat\n');
  const bertha = (...args: string[]) =>
    spawnSync(process.execPath, [cliProgram, ...args], { encoding: 'utf8', env: { ...process.env, HOME: home } });
  const url = pathToFileURL(path.join(home, 'out.jsonl')).href;
  const done = bertha('tokenize', '--model=~/my model', '--file=~/texts.txt', '--format', 'jsonl', '--output', url);
  assert.is(done.status, 0, done.stderr);
  assert.match(readFileSync(path.join(home, 'out.jsonl'), 'utf8'), '"a cat"');
  const wrong = bertha('tokenize', '--model=~/my model', '--file', 'file://elsewhere/texts');
  assert.equal([wrong.status, /--file.*Expected a path or the URL of a file/s.test(wrong.stderr)], [2, true], wrong.stderr);
});

t.run();
