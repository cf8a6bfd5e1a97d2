import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  AutoModel,
  AutoTokenizer,
  downloadModel,
  inspectModel,
  loadEmbedder,
  loadModel,
  loadTokenizer,
  pipeline,
  type Embedder,
} from '../../src/index.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { filesOf, hubHash, HubServer, isLarge, setHubEnvironment } from '../support/hub-server.js';
import { readAsTorch, torchArchive } from '../support/torch-writer.js';

const id = 'org/model';
const { commit } = HubServer;
const smallModel = golden('sentence', 'normalize');

/** Runs with a server of its own that holds a golden model, and an empty cache. */
async function withHub(folder: string, body: (server: HubServer, cacheDir: string) => Promise<void>): Promise<void> {
  const server = await HubServer.start(id, filesOf(folder));
  const home = temporaryFolder();
  setHubEnvironment({ HF_HOME: home, HF_ENDPOINT: server.endpoint });
  try {
    await body(server, path.join(home, 'hub'));
  } finally {
    await server.stop();
  }
}

async function vectorOf(embedder: Embedder): Promise<Float32Array> {
  const { vector } = await embedder.embed('hello guitar');
  embedder.dispose();
  return vector;
}

const expected = await vectorOf(await loadEmbedder(smallModel));

/** Lays files into a cache as Python's huggingface_hub does. */
function cacheAsPython(cacheDir: string, files: Iterable<readonly [string, Buffer]>, revision = 'main'): void {
  const folder = path.join(cacheDir, 'models--org--model');
  for (const [name, content] of files) {
    const blob = path.join(folder, 'blobs', hubHash(content, isLarge(name)));
    const pointer = path.join(folder, 'snapshots', commit, name);
    for (const each of [blob, pointer]) mkdirSync(path.dirname(each), { recursive: true });
    writeFileSync(blob, content);
    symlinkSync(path.relative(path.dirname(pointer), blob), pointer);
  }
  mkdirSync(path.join(folder, 'refs'), { recursive: true });
  writeFileSync(path.join(folder, 'refs', revision), commit);
}

/** What is warned of while `body` runs. */
async function warningsOf(body: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', listen);
  try {
    await body();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', listen);
  }
  return warnings;
}

const load = suite('hub');

load('downloads a model by its id, and asks nobody for it the second time', () =>
  withHub(smallModel, async (server) => {
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    const { length } = server.seen;
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    await loadTokenizer(id);
    assert.is((await inspectModel(id)).loadable, true);
    assert.is(server.seen.length, length);
  }),
);

load("fills the cache in the layout that Python's huggingface_hub reads", () =>
  withHub(smallModel, async (server, cacheDir) => {
    const { directory, commit: got } = await downloadModel(id);
    const folder = path.join(cacheDir, 'models--org--model');
    assert.is(got, commit);
    assert.is(directory, path.join(folder, 'snapshots', commit));
    assert.is(readFileSync(path.join(folder, 'refs', 'main'), 'utf8'), commit);
    for (const [name, content] of server.files) {
      const pointer = path.join(directory, name);
      if (!existsSync(pointer)) continue;
      const target = readlinkSync(pointer);
      assert.not.ok(path.isAbsolute(target));
      assert.is(path.resolve(path.dirname(pointer), target), path.join(folder, 'blobs', hubHash(content, isLarge(name))));
      assert.equal(readFileSync(pointer), content);
    }
    assert.ok(existsSync(path.join(folder, '.no_exist', commit, 'added_tokens.json')));
    assert.equal(readdirSync(path.join(cacheDir, '.locks', 'models--org--model')), []);
  }),
);

load('downloads only the files that a model directory is read from', () =>
  withHub(smallModel, async (server) => {
    server.files.set('pytorch_model.bin', Buffer.from('never'));
    server.files.set('onnx/model.onnx', Buffer.from('never'));
    const { directory } = await downloadModel(id);
    const files = [...filesOf(directory).keys()];
    assert.equal(files.includes('README.md'), false);
    const asked = server.seen.map(({ url }) => url).join('\n');
    assert.not.match(asked, /pytorch_model|onnx|cases\.json|expected/);
    assert.match(asked, /1_Pooling\/config\.json/);
  }),
);

load('downloads no weights for a tokenizer, but what its length limit needs', () =>
  withHub(smallModel, async (server) => {
    const tokenizer = await loadTokenizer(id);
    assert.equal(tokenizer.encode('hello').ids, (await loadTokenizer(smallModel)).encode('hello').ids);
    assert.equal(server.seenByStore, []);
    assert.equal((await AutoTokenizer.from_pretrained(id)).encode('hello'), Array.from(tokenizer.encode('hello').ids));
    await vectorOf(await loadEmbedder(id));
    assert.is(server.seenByStore.length, 1);
  }),
);

for (const [what, folder, weights] of [
  ['shards', golden('tiny', 'bert-sharded'), /model-00001-of-\d+\.safetensors/],
  ['Dense modules', golden('sentence', 'dense'), /2_Dense\/model\.safetensors/],
  ['modules in the new layout', golden('sentence', 'new-layout'), /2_Dense\/model\.safetensors/],
] as const) {
  load(`downloads ${what}`, () =>
    withHub(folder, async (server) => {
      assert.equal(await vectorOf(await loadEmbedder(id)), await vectorOf(await loadEmbedder(folder)));
      assert.match(server.seenByStore.map(({ url }) => url).join('\n'), weights);
    }),
  );
}

load('takes a directory of that name before the Hub', () =>
  withHub(smallModel, async (server) => {
    const before = process.cwd();
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'org'));
    symlinkSync(smallModel, path.join(folder, 'org', 'model'));
    process.chdir(folder);
    try {
      await vectorOf(await loadEmbedder(id));
    } finally {
      process.chdir(before);
    }
    assert.equal(server.seen, []);
  }),
);

load('takes branches, references and commits as revision, each remembered by itself', () =>
  withHub(smallModel, async (server, cacheDir) => {
    (await loadModel(id, { revision: 'refs/pr/1' })).dispose();
    assert.is(readFileSync(path.join(cacheDir, 'models--org--model', 'refs', 'refs', 'pr', '1'), 'utf8'), commit);
    assert.not.ok(existsSync(path.join(cacheDir, 'models--org--model', 'refs', 'main')));
    const { length } = server.seen;
    (await AutoModel.from_pretrained(id, { revision: commit })).model.dispose();
    (await loadModel(id, { revision: 'refs/pr/1' })).dispose();
    assert.is(server.seen.length, length);
    const { code, message } = await rejection(() => loadModel(id, { revision: 'v9' }));
    assert.is(code, 'HUB_NOT_FOUND');
    assert.match(message, /no such revision/);
  }),
);

load('keeps the cached commit until downloadModel is called, then goes on to the new one', () =>
  withHub(smallModel, async (server) => {
    await downloadModel(id);
    server.commit = '1'.repeat(40);
    const model = await loadModel(id);
    assert.match(model.directory, commit);
    model.dispose();
    const { length } = server.seenByStore;
    const { directory } = await downloadModel(id);
    assert.match(directory, server.commit);
    // The same content is the same blob.
    assert.is(server.seenByStore.length, length);
    const newer = await loadModel(id);
    assert.match(newer.directory, server.commit);
    newer.dispose();
  }),
);

load('reports progress in the shapes of transformers.js', () =>
  withHub(smallModel, async () => {
    const events: { status: string; file?: string; progress?: number; loaded?: number; total?: number; task?: string; model?: string }[] =
      [];
    const run = await pipeline('feature-extraction', id, { progress_callback: (event) => void events.push(event) });
    await run.dispose();
    const ofWeights = events.filter(({ file }) => file === 'model.safetensors');
    assert.equal([...new Set(ofWeights.map(({ status }) => status))], ['initiate', 'download', 'progress', 'done']);
    const whole = ofWeights.filter(({ status }) => status === 'progress').at(-1)!;
    assert.equal([whole.progress, whole.loaded], [100, whole.total]);
    const sums = events.filter(({ status }) => status === 'progress_total');
    assert.is(sums.at(-1)!.progress, 100);
    assert.ok(sums.every(({ progress }, i) => i === sums.length - 1 || progress! < 100));
    assert.equal(events.at(-1), { status: 'ready', task: 'feature-extraction', model: id });
  }),
);

load('copies instead of linking where links are unwanted', () =>
  withHub(smallModel, async () => {
    process.env['HF_HUB_DISABLE_SYMLINKS'] = '1';
    const { directory } = await downloadModel(id);
    assert.ok(lstatSync(path.join(directory, 'model.safetensors')).isFile());
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
  }),
);

load('refuses names that are neither directories nor ids, and asks nobody', () =>
  withHub(smallModel, async (server) => {
    for (const name of [
      'org/..',
      'a/../b',
      'a..b',
      'a--b',
      'org/model.git',
      'org /model',
      '-org/model',
      'org/.model',
      'ö/x',
      'a/',
      `o/${'x'.repeat(96)}`,
    ]) {
      const { code } = await rejection(() => loadModel(name));
      assert.is(code, name === 'a/' ? 'MODEL_NOT_FOUND' : 'INVALID_ARG', name);
      assert.is((await rejection(() => downloadModel(name))).code, 'INVALID_ARG', name);
    }
    for (const name of ['../org/model', './model', '/org/model', 'a/b/c', 'C:\\model', ''])
      assert.is((await rejection(() => loadModel(name))).code, 'MODEL_NOT_FOUND', name);
    for (const revision of ['../main', 'a..b', '', 'a//b', '/main', 'a b', 'main.lock', '.hidden']) {
      assert.is((await rejection(() => loadModel(id, { revision }))).code, 'INVALID_OPTION', revision);
    }
    assert.is((await rejection(() => loadModel(id, { cache_dir: '/tmp' } as object))).code, 'INVALID_OPTION');
    assert.is((await rejection(() => downloadModel(3 as unknown as string))).code, 'INVALID_ARG');
    assert.equal(server.seen, []);
  }),
);

load('tells before a download that there are no weights', () =>
  withHub(smallModel, async (server, cacheDir) => {
    server.files.delete('model.safetensors');
    server.files.delete('expected.safetensors');
    server.files.set('tf_model.h5', Buffer.from('never'));
    const { code, message } = await rejection(() => loadModel(id));
    assert.is(code, 'MODEL_NOT_FOUND');
    assert.match(message, /model\.safetensors or pytorch_model\.bin.*"tf_model\.h5"/);
    assert.not.ok(existsSync(cacheDir));
  }),
);

/** The files of the model with its weights as torch.save has them. */
async function torchFiles(): Promise<[string, Buffer][]> {
  const weights = torchArchive(await readAsTorch(path.join(smallModel, 'model.safetensors'), false));
  return [['pytorch_model.bin', weights]];
}

load('downloads pytorch_model.bin where main has no safetensors, whatever pull requests offer, and asks nobody the second time', () =>
  withHub(smallModel, async (server) => {
    const safetensors = new Map(server.files);
    server.files.delete('model.safetensors');
    server.files.delete('expected.safetensors');
    for (const [name, content] of await torchFiles()) server.files.set(name, content);
    server.pullRequests.set('refs/pr/3', { commit: '3'.repeat(40), files: safetensors });
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    const { length } = server.seen;
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    assert.is(server.seen.length, length);
    assert.not.match(server.seen.map(({ url }) => url).join(), /refs/);
    server.files.set('pytorch_model.bin', Buffer.from('pickle'));
    server.commit = '4'.repeat(40);
    await downloadModel(id);
    assert.is((await rejection(() => loadModel(id))).code, 'UNSAFE_FORMAT');
  }),
);

load('takes the newest pull request that adds safetensors where main has no weights to read, and says so', () =>
  withHub(smallModel, async (server, cacheDir) => {
    const safetensors = new Map(server.files);
    server.files.delete('model.safetensors');
    server.files.delete('expected.safetensors');
    server.files.set('flax_model.msgpack', Buffer.from('never'));
    server.pullRequests.set('refs/pr/10', { commit: '5'.repeat(40), files: safetensors });
    server.pullRequests.set('refs/pr/11', { commit: '6'.repeat(40), files: new Map(server.files) });
    server.pullRequests.set('refs/pr/9', { commit: '7'.repeat(40), files: safetensors });
    const warnings = await warningsOf(async () => assert.equal(await vectorOf(await loadEmbedder(id)), expected));
    assert.match(warnings.join(), /"refs\/pr\/10".*anyone.*5{40}/);
    const refs = path.join(cacheDir, 'models--org--model', 'refs');
    assert.is(readFileSync(path.join(refs, 'main'), 'utf8'), commit);
    assert.equal(readdirSync(path.join(refs, 'refs', 'pr')), ['10']);
    const { length } = server.seen;
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    await loadTokenizer(id);
    assert.equal(await vectorOf(await loadEmbedder(id, { localFilesOnly: true })), expected);
    assert.is(server.seen.length, length);
    assert.is((await downloadModel(id)).commit, '5'.repeat(40));
    const { code } = await rejection(() => loadModel(id, { revision: commit }));
    assert.is(code, 'MODEL_NOT_FOUND');
  }),
);

load('writes nothing outside the cache, whatever the repository names its files', () =>
  withHub(golden('tiny', 'bert-sharded'), async (server, cacheDir) => {
    server.files.set('../../../escaped.json', Buffer.from('{}'));
    server.files.set('modules.json', Buffer.from(JSON.stringify([{ type: 'sentence_transformers.models.Transformer', path: '../..' }])));
    assert.is((await rejection(() => loadModel(id))).code, 'INDEX_PATH');
    server.files.delete('modules.json');
    server.commit = '2'.repeat(40);
    const index = { weight_map: { 'embeddings.word_embeddings.weight': '../../../escaped.safetensors' } };
    server.files.set('model.safetensors.index.json', Buffer.from(JSON.stringify(index)));
    server.files.set('../../../escaped.safetensors', Buffer.from('x'));
    assert.is((await rejection(() => loadModel(id))).code, 'INDEX_PATH');
    assert.equal(readdirSync(path.dirname(cacheDir)), ['hub']);
    assert.equal(readdirSync(cacheDir).sort(), ['.locks', 'models--org--model']);
  }),
);

load.run();

const python = suite('hub cache of Python');

python('is found by HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME and XDG_CACHE_HOME, and needs no network', async () => {
  const files = [...filesOf(smallModel)];
  const folder = temporaryFolder();
  for (const [name, cacheDir] of [
    ['HF_HUB_CACHE', folder],
    ['HUGGINGFACE_HUB_CACHE', folder],
    ['HF_HOME', path.join(folder, 'hub')],
    ['XDG_CACHE_HOME', path.join(folder, 'huggingface', 'hub')],
  ] as const) {
    rmSync(folder, { recursive: true });
    cacheAsPython(cacheDir, files);
    // Nothing listens on port 1.
    setHubEnvironment({ [name]: folder, HF_ENDPOINT: 'http://127.0.0.1:1' });
    assert.equal(await vectorOf(await loadEmbedder(id)), expected, name);
  }
  setHubEnvironment({ HF_HUB_CACHE: folder, HF_HUB_OFFLINE: '1' });
  assert.is((await rejection(() => loadModel(id))).code, 'HUB_OFFLINE');
  cacheAsPython(path.join(folder, 'own'), files, 'v1');
  const model = await loadModel(id, { cacheDir: path.join(folder, 'own'), revision: 'v1' });
  assert.match(model.directory, commit);
  model.dispose();
});

python('without modules.json is completed once, since transformers never asks for it', () =>
  withHub(smallModel, async (server, cacheDir) => {
    const ofTransformers = /^(?:config\.json|model\.safetensors|tokenizer.*|vocab\.txt|special_tokens_map\.json)$/;
    cacheAsPython(
      cacheDir,
      [...server.files].filter(([name]) => ofTransformers.test(name)),
    );
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    assert.equal(server.seenByStore, []);
    const { length } = server.seen;
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    assert.is(server.seen.length, length);
  }),
);

python('without modules.json is used with a warning where the Hub cannot or must not be asked', () =>
  withHub(golden('tiny', 'bert-mlm'), async (server, cacheDir) => {
    cacheAsPython(cacheDir, server.files);
    const load = async (): Promise<void> => (await loadModel(id)).dispose();
    server.fault = (_, response) => response.writeHead(503).end() !== undefined;
    assert.match((await warningsOf(load)).join(), /as cached in .* modules\.json: .*503/);
    process.env['HF_HUB_OFFLINE'] = 'yes';
    assert.match((await warningsOf(load)).join(), /HF_HUB_OFFLINE is set/);
    server.fault = () => false;
    delete process.env['HF_HUB_OFFLINE'];
    assert.equal(await warningsOf(load), []);
  }),
);

python('with a dangling link is repaired', () =>
  withHub(smallModel, async (server, cacheDir) => {
    cacheAsPython(cacheDir, server.files);
    rmSync(path.join(cacheDir, 'models--org--model', 'blobs', hubHash(server.files.get('model.safetensors')!, true)));
    assert.equal(await vectorOf(await loadEmbedder(id)), expected);
    assert.is(server.seenByStore.length, 1);
  }),
);

for (const [variable, value] of [
  ['HF_HUB_OFFLINE', '1'],
  ['HF_HUB_OFFLINE', 'True'],
  ['TRANSFORMERS_OFFLINE', 'ON'],
] as const) {
  python(`is all there is with ${variable}=${value}`, () =>
    withHub(smallModel, async (server) => {
      process.env[variable] = value;
      const download = (): Promise<unknown> => downloadModel(id);
      for (const action of [() => loadModel(id), () => loadTokenizer(id), download]) {
        const { code, message } = await rejection(action);
        assert.is(code, 'HUB_OFFLINE');
        assert.match(message, variable);
        if (action !== download) assert.match(message, `There is no directory ${JSON.stringify(id)}`);
      }
      assert.equal(server.seen, []);
      process.env[variable] = '0';
      await loadTokenizer(id);
      assert.not.equal(server.seen, []);
    }),
  );
}

python('is all there is with localFilesOnly', () =>
  withHub(smallModel, async (server) => {
    assert.match((await rejection(() => loadModel(id, { localFilesOnly: true }))).message, /localFilesOnly forbids/);
    assert.is((await rejection(() => pipeline('feature-extraction', id, { local_files_only: true }))).code, 'HUB_OFFLINE');
    assert.equal(server.seen, []);
  }),
);

python.run();
