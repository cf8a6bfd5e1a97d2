import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { AutoConfig, AutoModel, AutoTokenizer, env, LogLevel, loadEmbedder, loadModel, pipeline } from '../../src/index.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { filesOf, HubServer, setHubEnvironment } from '../support/hub-server.js';

const t = suite('compat loading');
const directory = golden('sentence/normalize');

/** The codes of the process warnings while `body` runs. */
async function warningCodes(body: () => Promise<unknown>): Promise<unknown[]> {
  const codes: unknown[] = [];
  const listen = (warning: Error & { readonly code?: string }): void => void codes.push(warning.code);
  process.on('warning', listen);
  await body();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  return codes;
}

/** Runs with settings of `env`, which are taken back. */
async function withEnv(settings: Partial<typeof env>, body: () => Promise<void>): Promise<void> {
  const before = { ...env };
  Object.assign(env, settings);
  try {
    await body();
  } finally {
    Object.assign(env, before);
  }
}

t('computes every dtype in a precision that exists, with one warning', async () => {
  const precisionOf = async (dtype: 'q8', more: object = {}) => {
    const extract = await pipeline('feature-extraction', directory, { dtype, ...more });
    await extract.dispose();
    return extract.model.precision.chosen;
  };
  const codes = await warningCodes(async () => {
    assert.is(await precisionOf('fp32' as 'q8'), 'fp32');
    const narrow = await precisionOf('q8');
    assert.ok(['int8', 'fp16-weights', 'fp32'].includes(narrow));
    for (const dtype of ['uint8', 'int8', 'q4', 'bnb4', 'q4f16', 'q2f16', 'q1']) assert.is(await precisionOf(dtype as 'q8'), narrow, dtype);
    assert.is(await precisionOf({ model: 'q8' } as unknown as 'q8'), narrow);
    assert.ok(['fp16-weights', 'fp32'].includes(await precisionOf('fp16' as 'q8')));
    await precisionOf('auto' as 'q8');
  });
  assert.equal(codes, ['BERTHA_DTYPE']);
  assert.is((await rejection(() => precisionOf('q9' as 'q8'))).code, 'PRECISION');
  const model = await AutoModel.from_pretrained(directory, { dtype: 'q8', device: 'cpu' });
  assert.is.not(model.model.precision.chosen, 'auto');
  await model.dispose();
});

t('takes dtype wherever a model is loaded, not beside a precision', async () => {
  const narrow = await loadModel(directory, { dtype: 'q8' });
  assert.is.not(narrow.precision.asked, 'auto');
  const embedder = await loadEmbedder(directory, { dtype: { model: 'q4' } });
  assert.is(embedder.precision.chosen, narrow.precision.chosen);
  const wide = await loadEmbedder(directory, { dtype: 'fp32' });
  assert.is(wide.precision.chosen, 'fp32');
  for (const each of [narrow, embedder, wide]) each.dispose();
  assert.is((await rejection(() => loadModel(directory, { dtype: 'q9' as 'q8' }))).code, 'PRECISION');
  const both = { dtype: 'q8', precision: 'fp32' } as const;
  for (const load of [loadModel, loadEmbedder, AutoModel.from_pretrained]) {
    assert.is((await rejection(() => load(directory, both) as Promise<unknown>)).code, 'INVALID_OPTION');
  }
});

t('says nothing above LogLevel.WARNING', async () => {
  const load = () => AutoTokenizer.from_pretrained(directory, { useExternalDataFormat: true });
  const quiet = () => withEnv({ logLevel: LogLevel.ERROR }, async () => void (await load()));
  assert.equal([await warningCodes(quiet), env.logLevel, await warningCodes(load)], [[], LogLevel.WARNING, ['BERTHA_OPTION']]);
});

t('takes options that are about ONNX, with a warning each, and devices under other names', async () => {
  const load = async () => {
    const extract = await pipeline('feature-extraction', directory, {
      quantized: false,
      session_options: { intraOpNumThreads: 1 },
      subfolder: 'onnx',
      model_file_name: 'model',
      device: 'wasm',
      progress_callback: null,
      cache_dir: null,
    });
    assert.equal([extract.model.precision.chosen, extract.model.device.chosen], ['fp32', 'cpu']);
    await extract.dispose();
  };
  assert.equal((await warningCodes(load)).sort(), ['BERTHA_DEVICE', ...Array.from({ length: 4 }, () => 'BERTHA_OPTION')]);
  assert.equal(await warningCodes(load), []);
  const camel = await AutoModel.from_pretrained(directory, { localFilesOnly: true, sessionOptions: {} });
  await camel.dispose();
  assert.is((await rejection(() => AutoModel.from_pretrained(directory, { subfolders: '' } as object))).code, 'INVALID_OPTION');
  await AutoTokenizer.from_pretrained(directory, { dtype: 'q8', device: 'webgpu', local_files_only: true });
});

t('finds models as env says', async () => {
  const local = { localModelPath: path.dirname(directory) };
  await withEnv(local, async () => {
    const tokenizer = await AutoTokenizer.from_pretrained('normalize');
    assert.ok(tokenizer.encode('rain').length > 2);
  });
  await withEnv({ ...local, allowLocalModels: false }, async () => {
    assert.is((await rejection(() => AutoModel.from_pretrained(directory))).code, 'INVALID_ARG');
  });
  const cacheDir = temporaryFolder();
  const server = await HubServer.start('org/model', filesOf(directory));
  setHubEnvironment({ HF_HOME: temporaryFolder() });
  try {
    await withEnv({ remoteHost: `${server.endpoint}/`, cacheDir }, async () => {
      await withEnv({ allowRemoteModels: false }, async () => {
        const offline = await rejection(() => AutoModel.from_pretrained('org/model'));
        assert.equal([offline.code, offline.message.includes(cacheDir)], ['HUB_OFFLINE', true]);
      });
      assert.is((await AutoConfig.from_pretrained('org/model'))['model_type'], 'bert');
      const extract = await pipeline('feature-extraction', 'org/model');
      assert.ok(extract.model.directory.startsWith(cacheDir));
      await extract.dispose();
    });
    assert.ok(server.seen.length > 0);
  } finally {
    await server.stop();
  }
  await withEnv({ remoteHost: 'nonsense', cacheDir }, async () => {
    const error = await rejection(() => AutoModel.from_pretrained('org/other'));
    assert.equal([error.code, /option endpoint/.test(error.message)], ['INVALID_OPTION', true]);
  });
});

t('gives config.json in both spellings', async () => {
  const config = await AutoConfig.from_pretrained(directory);
  assert.equal([config['hidden_size'], config['model_type']], [config['hiddenSize'], 'bert']);
  const model = await AutoModel.from_pretrained(directory);
  assert.is(model.config['hidden_size'], model.config.hiddenSize);
  await model.dispose();
  assert.is((await rejection(() => AutoConfig.from_pretrained(golden('none')))).code, 'MODEL_NOT_FOUND');
});

t('leads ids of conversions to the original repository', async () => {
  setHubEnvironment({ HF_HOME: temporaryFolder() });
  const messageOf = async (id: string) => (await rejection(() => AutoModel.from_pretrained(id, { local_files_only: true }))).message;
  const known = {
    'Xenova/all-MiniLM-L6-v2': 'sentence-transformers/all-MiniLM-L6-v2',
    'onnx-community/all-MiniLM-L6-v2-ONNX': 'sentence-transformers/all-MiniLM-L6-v2',
    'Xenova/bge-small-en-v1.5': 'BAAI/bge-small-en-v1.5',
    'Xenova/bert-base-NER': 'dslim/bert-base-NER',
  };
  for (const [id, original] of Object.entries(known)) assert.match(await messageOf(id), `Expected "${original}"`);

  const files = temporaryFolder(directory);
  editJson(path.join(files, 'config.json'), { _name_or_path: 'org/original' });
  const server = await HubServer.start('Xenova/other', filesOf(files));
  try {
    await withEnv({ remoteHost: server.endpoint }, async () => {
      let message = '';
      const codes = await warningCodes(async () => {
        message = (await rejection(() => pipeline('feature-extraction', 'Xenova/other'))).message;
      });
      assert.match(message, 'org/original');
      assert.equal(codes, ['BERTHA_MODEL']);
    });
  } finally {
    await server.stop();
  }
});

t('has a default model for a task, or names one', async () => {
  setHubEnvironment({ HF_HOME: temporaryFolder(), HF_HUB_OFFLINE: '1' });
  const codes = await warningCodes(async () => {
    const error = await rejection(() => pipeline('rerank'));
    assert.equal([error.code, error.message.includes('"cross-encoder/ms-marco-MiniLM-L6-v2"')], ['HUB_OFFLINE', true]);
    assert.match((await rejection(() => pipeline('zero-shot-classification'))).message, 'typeform/distilbert-base-uncased-mnli');
  });
  assert.equal(codes, ['BERTHA_MODEL', 'BERTHA_MODEL']);
  for (const task of ['multiple-choice', 'replaced-token-detection'] as const) {
    const error = await rejection(() => pipeline(task));
    assert.equal([error.code, /such as "[\w-]+\/[\w-]+"/.test(error.message)], ['INVALID_ARG', true]);
  }
  const extract = await pipeline('feature-extraction');
  assert.equal((await extract('It rains.', { pooling: 'mean' })).dims, [1, 384]);
  await extract.dispose();
});

t('documents the code of every warning, and no other', () => {
  const root = new URL('../../', import.meta.url);
  const codes = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const source = readFileSync(new URL(`src/${name}`, root), 'utf8');
      assert.is(source.split('emitWarning(').length, source.split(/emitWarning\([^;]*\bcode\b/).length, `${name} warns without a code`);
      return /emitWarning|warnOnce/.test(source) ? (source.match(/'BERTHA_[A-Z_]+'/g) ?? []) : [];
    })
    .map((code) => code.slice(1, -1));
  const documented = readFileSync(new URL('docs/transformers-js.md', root), 'utf8').match(/(?<=^\| `)BERTHA_[A-Z_]+(?=`)/gm)!;
  assert.equal([...new Set(codes)].sort(), [...documented].sort());
});

t.run();
