// The cache of packed weights: a hit gives the bits of a miss, and no file, however bad, gives others.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel, stats, systemInfo, type LoadEmbedderOptions, type Precision } from '../../src/index.js';
import { defaultWeightCache, weightCacheDirectory } from '../../src/runtime/options/weight-cache.js';
import { eventually, withoutLeakCheck } from '../support/library.js';

const t = suite('weight cache');
const index = new URL('../../src/index.ts', import.meta.url).href;
const tiny = fileURLToPath(new URL('../golden/sentence/normalize', import.meta.url));
const texts = ['hello guitar', 'the time of year when people come home', ''];
/** After a change of its files a checkpoint is not cached for 2 s: another change could leave the same time. */
const kSettledMs = 2200;

let folder: string;
t.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'bertha-weights-'));
});
t.after(() => rmSync(folder, { recursive: true }));

async function embed(model: string | undefined, options: LoadEmbedderOptions) {
  const { models } = stats();
  const embedder = await loadEmbedder(model, options);
  try {
    const bits = (await embedder.embed(texts)).map(({ vector }) => Array.from(new Uint32Array(vector.buffer, 0, vector.length)));
    return { bits, cache: embedder.weightCache, bytes: embedder.memoryUsage().weights };
  } finally {
    embedder.dispose();
    // A pool thread lets go of the weights a moment after the result; a load meanwhile would share them instead of asking the cache.
    await eventually('the weights to be gone', () => stats().models <= models);
  }
}

/** What it returns, and the warning that it must bring about. */
async function warned<T>(run: () => Promise<T>): Promise<T & { warning: string }> {
  const warning = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  const result = await run();
  const [{ code, message }] = await warning;
  assert.is(code, 'BERTHA_WEIGHT_CACHE');
  return { ...result, warning: message };
}

t('a hit gives the bits of a miss in every precision, from a file of its own', async () => {
  const weightCache = join(folder, 'deep/er');
  const { precisions } = systemInfo().isa;
  for (const model of [tiny, undefined]) {
    for (const precision of precisions as readonly Precision[]) {
      const plain = await embed(model, { precision });
      assert.is(plain.cache, undefined);
      const miss = await embed(model, { precision, weightCache });
      const hit = await embed(model, { precision, weightCache });
      assert.equal([miss.cache?.outcome, hit.cache?.outcome], ['stored', 'hit'], precision);
      assert.is(hit.cache?.path, miss.cache?.path);
      assert.equal(miss.bits, plain.bits);
      assert.equal(hit.bits, plain.bits);
      assert.is(hit.bytes, miss.bytes);
    }
  }
  const files = readdirSync(weightCache);
  assert.is(files.length, 2 * precisions.length);
  assert.ok(files.every((file) => file.endsWith('.weights')));
  assert.is(statSync(join(weightCache, files[0]!)).mode & 0o777, 0o600);
});

t('weights in memory are used before those in a file', async () => {
  const weightCache = join(folder, 'shared');
  const first = await loadEmbedder(tiny);
  assert.equal((await embed(tiny, { weightCache })).cache, { outcome: 'unused' });
  first.dispose();
  assert.throws(() => statSync(weightCache), /ENOENT/);
});

t('a model and its encoder alone, and each instruction set, have files of their own', async () => {
  const weightCache = join(folder, 'own');
  const embedder = await embed(tiny, { weightCache });
  const model = await loadModel(fileURLToPath(new URL('../golden/tiny/bert-mlm', import.meta.url)), { weightCache });
  assert.is(model.weightCache?.outcome, 'stored');
  model.dispose();
  const plain = await child({ isa: 'scalar' });
  const scalar = await child({ isa: 'scalar', weightCache });
  assert.is(scalar.outcome, systemInfo().isa.chosen === 'scalar' ? 'hit' : 'stored');
  assert.equal(scalar.bits, plain.bits);
  const again = await embed(tiny, { weightCache });
  assert.is(again.cache?.outcome, 'hit');
  assert.equal(again.bits, embedder.bits);
});

t('a damaged file is made anew, with a warning', async () => {
  const weightCache = join(folder, 'damaged');
  const plain = await embed(tiny, { weightCache });
  const file = plain.cache!.path!;
  const whole = readFileSync(file);
  const flipped = (at: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 0x10;
    return bytes;
  };
  const bodyBegins = Number(whole.readBigUInt64LE(8));
  assert.ok(bodyBegins >= 4096 && bodyBegins < whole.length);
  const damages: Readonly<Record<string, Buffer>> = {
    empty: Buffer.alloc(0),
    'another file': Buffer.from('{"a": "file of somebody else"}'.repeat(1000)),
    'magic number': flipped(0),
    'size of the header': flipped(8),
    'size of the key': flipped(16),
    'size of the weights': flipped(24),
    'checksum of the header': flipped(32),
    key: flipped(60),
    'end of the header': flipped(bodyBegins - 1),
    'first weight': flipped(bodyBegins),
    'a weight in the middle': flipped((bodyBegins + whole.length) >> 1),
    'last byte': flipped(whole.length - 1),
    'one byte more': Buffer.concat([whole, Buffer.alloc(1)]),
    'sizes beyond reason': Buffer.concat([whole.subarray(0, 8), Buffer.alloc(24, 0xff), whole.subarray(32)]),
  };
  for (const [name, bytes] of Object.entries(damages)) {
    writeFileSync(file, bytes);
    const { bits, cache, warning } = await warned(() => embed(tiny, { weightCache }));
    assert.is(cache?.outcome, 'stored', name);
    assert.match(warning, /damaged|no file of weights/, name);
    assert.match(warning, file);
    assert.equal(bits, plain.bits, name);
    assert.equal(readFileSync(file), whole, name);
  }
  for (const bytes of [1, 100, bodyBegins - 1, bodyBegins, whole.length - 4096]) {
    truncateSync(file, bytes);
    const { bits, cache } = await warned(() => embed(tiny, { weightCache }));
    assert.equal([cache?.outcome, bits], ['stored', plain.bits], `cut at ${bytes}`);
  }
  rmSync(file);
  mkdirSync(file);
  const { bits, cache } = await warned(() => embed(tiny, { weightCache }));
  assert.equal([cache?.outcome, bits], ['failed', plain.bits], 'a directory');
});

t('a checkpoint that has changed is packed anew, with a warning', async () => {
  const weightCache = join(folder, 'stale');
  const model = join(folder, 'model');
  cpSync(tiny, model, { recursive: true });
  assert.equal((await embed(model, { weightCache })).cache, { outcome: 'unused' }, 'changed just now');
  await sleep(kSettledMs);
  const before = await embed(model, { weightCache });
  assert.is(before.cache?.outcome, 'stored');
  const weights = join(model, 'model.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 3]! ^= 0x10;
  for (let at = bytes.length - 40_000; at < bytes.length; at += 4) bytes[at]! ^= 0x40;
  writeFileSync(weights, bytes);
  await sleep(kSettledMs);
  const expected = await embed(model, {});
  assert.not.equal(expected.bits, before.bits);
  const { bits, cache, warning } = await warned(() => embed(model, { weightCache }));
  assert.is(cache?.outcome, 'stored');
  assert.match(warning, /stale/);
  assert.equal(bits, expected.bits);
  assert.equal(await embed(model, { weightCache }), { ...expected, cache: { outcome: 'hit', path: cache!.path } });
  assert.is(readdirSync(weightCache).length, 1);
});

t('processes that load at once write one whole file and agree', async () => {
  const weightCache = join(folder, 'race');
  const plain = await embed(tiny, {});
  const all = await Promise.all(Array.from({ length: 4 }, () => child({ weightCache })));
  for (const { outcome, bits, warnings } of all) {
    assert.ok(outcome === 'stored' || outcome === 'hit', outcome);
    assert.equal(bits, plain.bits);
    assert.equal(warnings, []);
  }
  assert.is(readdirSync(weightCache).length, 1);
  assert.is((await embed(tiny, { weightCache })).cache?.outcome, 'hit');
});

t('where nothing can be written the model loads all the same, with a warning', async () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  const plain = await embed(tiny, {});
  const { bits, cache, warning } = await warned(() => embed(tiny, { weightCache: join(file, 'below') }));
  assert.equal([cache?.outcome, bits], ['failed', plain.bits]);
  assert.match(warning, /cannot be written/);
});

t('what a killed process left behind is removed', async () => {
  const weightCache = join(folder, 'left');
  mkdirSync(weightCache);
  const old = join(weightCache, '0123456789abcdef.weights.tmp-abcdef');
  writeFileSync(old, 'half');
  utimesSync(old, 0, 0);
  writeFileSync(`${old}2`, 'half of what another process writes now');
  assert.is((await embed(tiny, { weightCache })).cache?.outcome, 'stored');
  assert.equal(
    readdirSync(weightCache).filter((name) => name.includes('tmp')),
    ['0123456789abcdef.weights.tmp-abcdef2'],
  );
});

t('the folder is the option, BERTHA_WEIGHT_CACHE, XDG_CACHE_HOME, or in the home', async () => {
  const kept = { ...process.env };
  try {
    delete process.env['BERTHA_WEIGHT_CACHE'];
    delete process.env['XDG_CACHE_HOME'];
    assert.is(weightCacheDirectory(), undefined);
    assert.is(weightCacheDirectory(true), join(homedir(), '.cache/bertha'));
    process.env['XDG_CACHE_HOME'] = 'relative';
    assert.is(defaultWeightCache(), join(homedir(), '.cache/bertha'));
    process.env['XDG_CACHE_HOME'] = '/somewhere';
    assert.is(weightCacheDirectory(true), '/somewhere/bertha');
    for (const on of ['1', 'true']) {
      process.env['BERTHA_WEIGHT_CACHE'] = on;
      assert.is(weightCacheDirectory(), '/somewhere/bertha');
    }
    process.env['BERTHA_WEIGHT_CACHE'] = '/else';
    assert.is(weightCacheDirectory(), '/else');
    assert.is(weightCacheDirectory('/mine'), '/mine');
    assert.is(weightCacheDirectory(false), undefined);
    for (const off of ['', '0', 'false']) {
      process.env['BERTHA_WEIGHT_CACHE'] = off;
      assert.is(weightCacheDirectory(), undefined);
    }
  } finally {
    for (const name of ['BERTHA_WEIGHT_CACHE', 'XDG_CACHE_HOME']) {
      if (kept[name] === undefined) delete process.env[name];
      else process.env[name] = kept[name];
    }
  }
  for (const weightCache of ['', 1, {}]) {
    const error = await loadEmbedder(tiny, { weightCache } as unknown as LoadEmbedderOptions).catch((error: unknown) => error);
    assert.is((error as { code?: string }).code, 'INVALID_OPTION');
  }
});

interface ChildResult {
  readonly outcome: string | undefined;
  readonly bits: number[][];
  readonly warnings: readonly string[];
}

/** The same in a process of its own. */
function child({ weightCache, isa }: { readonly weightCache?: string; readonly isa?: string }): Promise<ChildResult> {
  const script = `import { loadEmbedder } from ${JSON.stringify(index)};
const warnings = [];
process.on('warning', ({ message }) => warnings.push(message));
const embedder = await loadEmbedder(${JSON.stringify(tiny)}, ${JSON.stringify({ weightCache })});
const bits = (await embedder.embed(${JSON.stringify(texts)})).map(({ vector }) => Array.from(new Uint32Array(vector.buffer, 0, vector.length)));
await new Promise(setImmediate);
console.log(JSON.stringify({ outcome: embedder.weightCache?.outcome, bits, warnings }));`;
  return new Promise((resolve, reject) => {
    const node = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      env: { ...process.env, ...withoutLeakCheck, ...(isa === undefined ? {} : { BERTHA_ISA: isa }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    node.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    node.on('error', reject);
    node.on('close', () => resolve(JSON.parse(output) as ChildResult));
  });
}

t.run();
