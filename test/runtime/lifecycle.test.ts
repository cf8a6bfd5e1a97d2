import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel, stats, systemInfo, type BerthaError, type Embedder } from '../../src/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { Session } from '../../src/runtime/session.js';
import { eventually, importLibrary, messageOf, realModel, runChild, smallModel, startWorker } from '../support/library.js';
import { skip } from '../support/skip.js';

/** ES2024, which Node.js 20 has and TypeScript's ES2022 library has not. */
type ResizableArrayBuffer = new (length: number, options: { maxByteLength: number }) => ArrayBuffer & { resize(length: number): void };

const t = suite('lifecycle');
const full = process.env['BERTHA_TEST_FULL'] === '1';
/** Sanitizers cost time and memory: what is measured is not judged then. */
const isMeasured = process.env['BERTHA_SANITIZER'] === undefined;
const addon = loadAddon();

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as BerthaError).code;
  }
  return 'none';
}

async function withEmbedder(use: (embedder: Embedder) => Promise<void>): Promise<void> {
  const embedder = await loadEmbedder(smallModel);
  try {
    await use(embedder);
  } finally {
    embedder.dispose();
  }
}

function unexpected(): never {
  throw new Error('expected a rejection');
}

/** Models in memory, once finalizers and calls in flight are done. */
function settledAt(models: number): Promise<void> {
  return eventually(`at most ${models} models instead of ${stats().models}`, () => stats().models <= models);
}

t('A01: every method refuses a disposed embedder or model, and disposing again does nothing', async () => {
  const embedder = await loadEmbedder(smallModel);
  const model = await loadModel(smallModel);
  for (const each of [embedder, model]) {
    each.dispose();
    each.dispose();
    each[Symbol.dispose]();
  }
  await embedder[Symbol.asyncDispose]();
  const encoding = model.tokenizer.encode('hello');
  const calls: (() => unknown)[] = [
    () => embedder.embed('hello'),
    () => embedder.embedSync('hello'),
    () => embedder.embedMany(['hello']).next(),
    () => embedder.memoryUsage(),
    () => model.forward(encoding),
    () => model.session.memoryUsage(),
  ];
  for (const call of calls) assert.is(await codeOf(call), 'DISPOSED', call.toString());
  assert.ok(embedder.dimensions > 0 && embedder.directory === smallModel, 'what is no native state can still be read');
});

t('A01: disposing lets long calls finish, refuses new ones at once and can be waited for', async () => {
  const before = stats().models;
  const embedder = await loadEmbedder(realModel);
  const call = embedder.embed(new Array<string>(2000).fill('hello guitar'));
  const model = await loadModel(smallModel);
  const forward = model.forward({ ids: Int32Array.of(2, 3) });
  model.dispose();
  embedder.dispose();
  assert.is(await codeOf(() => embedder.embed('hello')), 'DISPOSED');
  let isDone = false;
  void call.then(() => (isDone = true));
  await embedder[Symbol.asyncDispose]();
  await new Promise(setImmediate);
  assert.ok(isDone, 'asyncDispose came before the call was done');
  assert.is((await call).length, 2000);
  assert.equal((await forward).lastHiddenState.dims[0], 2);
  // A worker lets go of the weights a moment after it has delivered the result.
  for (let turns = 0; turns < 500 && stats().models > before + 1; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(stats().models <= before + 1);
});

t('A02: methods refuse another `this`, and nothing native can be constructed', async () => {
  const model = await loadModel(smallModel);
  const other = { runTimed: Session.prototype.runTimed, memoryUsage: Session.prototype.memoryUsage } as unknown as Session;
  assert.throws(() => other.memoryUsage(), TypeError);
  assert.throws(() => Object.setPrototypeOf({}, Session.prototype).memoryUsage(), TypeError);
  const batch = { inputIds: Int32Array.of(2), tokenTypeIds: Int32Array.of(0), cuSeqlens: Int32Array.of(0, 1) };
  await other.runTimed(batch, [model.values.lastHiddenState]).then(unexpected, (error) => assert.instance(error, TypeError));
  await withEmbedder(async (embedder) => {
    const stolen = { embedSync: embedder.embedSync } as unknown as Embedder;
    assert.throws(() => stolen.embedSync('hello'), TypeError);
  });
  model.dispose();
});

t('A03: options that throw, or dispose, leave everything usable', () =>
  withEmbedder(async (embedder) => {
    const hostile = {
      get normalize(): boolean {
        throw new RangeError('mine');
      },
    };
    await embedder.embed('hello', hostile).then(unexpected, (error: Error) => assert.is(error.message, 'mine'));
    assert.throws(() => embedder.embedSync('hello', hostile), /mine/);
    const other = await loadEmbedder(smallModel);
    const disposing = {
      get normalize(): boolean {
        other.dispose();
        return true;
      },
    };
    assert.is(await codeOf(() => other.embed('hello', disposing)), 'DISPOSED');
    assert.is((await embedder.embed('hello')).tokens, 3);
  }),
);

t('A04: what the caller does to its arrays after the call changes nothing', async () => {
  const model = await loadModel(smallModel);
  const ids = Int32Array.of(2, 5, 6, 3);
  const expected = (await model.forward({ ids: ids.slice() })).lastHiddenState.data;
  const changed = ids.slice();
  const first = model.forward({ ids: changed });
  changed.fill(7);
  const moved = ids.slice();
  const second = model.forward({ ids: moved });
  structuredClone(moved, { transfer: [moved.buffer] });
  const resizable = new (ArrayBuffer as unknown as ResizableArrayBuffer)(16, { maxByteLength: 64 });
  const view = new Int32Array(resizable);
  view.set(ids);
  const third = model.forward({ ids: view });
  resizable.resize(0);
  const shared = new Int32Array(new SharedArrayBuffer(16));
  shared.set(ids);
  const fourth = model.forward({ ids: shared });
  shared.fill(7);
  for (const call of [first, second, third, fourth]) assert.equal((await call).lastHiddenState.data, expected);
  const texts = ['hello', 'guitar'];
  await withEmbedder(async (embedder) => {
    const call = embedder.embed(texts);
    texts.length = 0;
    assert.is((await call).length, 2);
  });
  model.dispose();
});

t('A07: signals and errors end a computing process at once, with the code they should have', async () => {
  const busy = `const embedder = await loadEmbedder(realModel);
    void embedder.embed(new Array(50000).fill('hello guitar '.repeat(20))).catch(() => {});
    setTimeout(() => console.log('busy'), 200);\n`;
  const onLine =
    (signal: NodeJS.Signals, times = 1) =>
    (line: string, kill: (signal: NodeJS.Signals) => void): void => {
      if (line === 'busy') for (let i = 0; i < times; i++) kill(signal);
    };
  const [term, interrupt, thrown] = await Promise.all([
    runChild(busy, { isAbrupt: true, onLine: onLine('SIGTERM') }),
    runChild(busy, { isAbrupt: true, onLine: onLine('SIGINT', 2) }),
    runChild(`${busy}setTimeout(() => { throw new RangeError('mine'); }, 300);`, { isAbrupt: true }),
  ]);
  assert.is(term.signal, 'SIGTERM');
  assert.is(interrupt.signal, 'SIGINT');
  assert.is(thrown.code, 1, thrown.output);
});

t('A06: process.exit waits neither for what computes nor for what is queued', async () => {
  const { code, signal, output } = await runChild(
    `const embedder = await loadEmbedder(realModel, { threads: 1 });
     const texts = new Array(64).fill('hello guitar '.repeat(60));
     for (let i = 0; i < 400; i++) void embedder.embed(texts);
     process.on('exit', () => { const { queue, running } = stats(); console.log(running, queue.tokens > 2_000_000 ? 'much' : queue.tokens); });
     const exitWhenFull = () => (stats().queue.tokens > 2_000_000 ? process.exit(3) : setImmediate(exitWhenFull));
     exitWhenFull();`,
    { isAbrupt: true },
  );
  assert.equal([code, signal, output.trim()], [3, null, '1 much']);
});

const work = `const embedder = await loadEmbedder(smallModel);
  parentPort.postMessage('ready');
  for (;;) await embedder.embed(new Array(200).fill('hello guitar '.repeat(10)));`;

t('A08: workers can be terminated while they load and while they compute', async () => {
  const before = stats().models;
  for (let i = 0; i < (full ? 200 : 20); i++) {
    const worker = startWorker(work);
    if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, (i * 7) % 60));
    else await messageOf(worker);
    await worker.terminate();
  }
  await withEmbedder(async (embedder) => assert.is((await embedder.embed('hello')).tokens, 3));
  await settledAt(before);
});

t('A08: workers can be terminated inside a native call', async () => {
  for (let i = 0; i < 30; i++) {
    const worker = startWorker(`parentPort.postMessage('ready'); for (;;) stats();`);
    await messageOf(worker);
    await new Promise((resolve) => setTimeout(resolve, i % 5));
    await worker.terminate();
  }
  await withEmbedder(async (embedder) => assert.is((await embedder.embed('hello')).tokens, 3));
});

t('A08: a worker may exit while computing, or fail before it loads', async () => {
  const exiting = startWorker(`const embedder = await loadEmbedder(smallModel);
    void embedder.embed(new Array(5000).fill('hello guitar')); setTimeout(() => process.exit(5), 20);`);
  assert.is(await new Promise((resolve) => exiting.once('exit', resolve)), 5);
  const failing = startWorker(`throw new RangeError('mine');`);
  const error = await new Promise<Error>((resolve) => failing.once('error', resolve));
  assert.is(error.message, 'mine');
  await withEmbedder(async (embedder) => assert.is((await embedder.embed('hello')).tokens, 3));
});

const embedOnce = `const embedder = await loadEmbedder(smallModel);
  const { vector } = await embedder.embed(workerData);
  parentPort.postMessage({ vector, users: embedder.memoryUsage().users });
  await new Promise((resolve) => parentPort.once('message', resolve));
  embedder.dispose();`;

t('A09, A11: sixteen workers load and embed at once, from one copy of the weights', () =>
  withEmbedder(async (embedder) => {
    const expected = (await embedder.embed('hello guitar')).vector;
    await eventually('the models of earlier tests to be gone', () => embedder.memoryUsage().users === 1);
    const { weights } = embedder.memoryUsage();
    const before = { models: stats().models, bytes: addon.allocatedBytes(), users: embedder.memoryUsage().users };
    const workers = Array.from({ length: 16 }, () => startWorker(embedOnce, 'hello guitar'));
    const results = (await Promise.all(workers.map(messageOf))) as { vector: Float32Array; users: number }[];
    for (const { vector } of results) assert.equal(vector, expected);
    assert.ok(stats().models <= before.models, 'the workers have weights of their own');
    assert.ok(addon.allocatedBytes() - before.bytes < 16 * weights);
    assert.is(Math.max(...results.map(({ users }) => users)), 17);
    await Promise.all(
      workers.map((worker) => {
        worker.postMessage('end');
        return new Promise((resolve) => worker.once('exit', resolve));
      }),
    );
    await eventually('the workers to give the weights back', () => embedder.memoryUsage().users <= before.users);
  }),
);

t('A09: workers come and go one after the other', async () => {
  for (let i = 0; i < (full ? 50 : 10); i++) {
    const worker = startWorker(embedOnce, 'hello');
    await messageOf(worker);
    worker.postMessage('end');
    await new Promise((resolve) => worker.once('exit', resolve));
  }
});

t('A09: the addon may be loaded by a worker first, and outlives it', async () => {
  const { code, output } = await runChild(`
    const { Worker } = await import('node:worker_threads');
    const run = () => new Promise((resolve, reject) => {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(
        'const { loadEmbedder } = await import(' + JSON.stringify(library) + ');' +
        'const e = await loadEmbedder(' + JSON.stringify(smallModel) + '); console.log((await e.embed("hello")).tokens);')));
      worker.on('error', reject);
      worker.on('exit', resolve);
    });
    await run();
    await run();
    const embedder = await loadEmbedder(smallModel);
    console.log((await embedder.embed('hello')).tokens);`);
  assert.equal([code, output.trim()], [0, '3\n3\n3'], output);
});

t('A10: arrays of another realm count', async () => {
  const model = await loadModel(smallModel);
  const ids = runInNewContext('Int32Array.of(2, 5, 3)') as Int32Array;
  assert.equal((await model.forward({ ids })).lastHiddenState, (await model.forward({ ids: Int32Array.of(2, 5, 3) })).lastHiddenState);
  const texts = runInNewContext('["hello", "guitar"]') as string[];
  await withEmbedder(async (embedder) => assert.is((await embedder.embed(texts)).length, 2));
  model.dispose();
});

t('A11: models loaded twice share their weights, and the last one gives them back', async () => {
  const models = stats().models;
  const bytes = addon.allocatedBytes();
  const [first, second, limited] = await Promise.all([loadModel(realModel), loadModel(realModel), loadModel(realModel, { threads: 1 })]);
  // A model of an earlier test may still be on its way out.
  await eventually('one copy with three users', () => first.session.memoryUsage().users === 3);
  const { weights } = first.session.memoryUsage();
  assert.ok(addon.allocatedBytes() - bytes < 1.5 * weights);
  first.dispose();
  const results = await Promise.all([second, limited].map((model) => model.forward({ ids: Int32Array.of(101, 7592, 102) })));
  assert.equal(results[0], results[1]);
  second.dispose();
  limited.dispose();
  await settledAt(models);
  await eventually('the memory to be back', () => addon.allocatedBytes() - bytes < 4096);
});

t('A11: a model forgotten without dispose is given back by the garbage collector', async () => {
  const { code, output } = await runChild(
    `for (let i = 0; i < 3; i++) await (await loadEmbedder(smallModel)).embed('hello');
     for (let i = 0; i < 200 && stats().models > 0; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
     console.log(stats().models);`,
    { flags: ['--expose-gc'] },
  );
  assert.equal([code, output.trim()], [0, '0']);
});

t('A12: a hundred thousand dropped results fit a heap of 64 MB', async () => {
  const { code, output } = await runChild(
    `const embedder = await loadEmbedder(smallModel);
     const texts = new Array(1000).fill('hello');
     let most = 0;
     for (let i = 0; i < ${full ? 100 : 20}; i++) { await embedder.embed(texts); most = Math.max(most, process.memoryUsage.rss()); }
     console.log(most < ${isMeasured ? 400e6 : 4e9} ? 'bounded' : most);`,
    { flags: ['--max-old-space-size=64'] },
  );
  assert.equal([code, output.trim()], [0, 'bounded']);
});

t('A15: the pool is sized by affinity, quota and environment, and wrong sizes are refused', async () => {
  for (const threads of [0, -1, 1e6, Number.NaN, 1.5, '2'])
    assert.is(await codeOf(() => loadEmbedder(smallModel, { threads: threads as number })), 'INVALID_OPTION');
  const show = `const embedder = await loadEmbedder(smallModel); await embedder.embed('hello'); console.log(stats().workers);`;
  assert.is((await runChild(show, { environment: { BERTHA_THREADS: '3' } })).output.trim(), '3');
  assert.match((await runChild(show, { environment: { BERTHA_THREADS: 'many' } })).output, 'BERTHA_THREADS=many: expected a whole number');
  const { threads } = systemInfo();
  assert.ok(threads.pool >= 1 && threads.pool <= threads.affinity);
  if (process.platform !== 'linux') return skip('taskset');
  assert.is((await runChild(show, { through: ['taskset', '-c', '0'], environment: { BERTHA_THREADS: '' } })).output.trim(), '1');
});

t('A17: a forked process and a cluster worker start clean beside a computing parent', () =>
  withEmbedder(async (embedder) => {
    const busy = embedder.embed(new Array<string>(5000).fill('hello guitar'));
    const folder = mkdtempSync(join(tmpdir(), 'bertha-cluster-'));
    const child = join(folder, 'child.mjs');
    writeFileSync(
      child,
      `${importLibrary}const embedder = await loadEmbedder(smallModel);
      console.log((await embedder.embed('hello')).tokens); process.exit(0);`,
    );
    const { code, output } = await runChild(
      `
      const { default: cluster } = await import('node:cluster');
      const embedder = await loadEmbedder(smallModel);
      console.log((await embedder.embed('hello')).tokens);
      cluster.setupPrimary({ exec: process.env.CHILD, execArgv: [] });
      if (cluster.isPrimary) await new Promise((resolve) => cluster.fork().on('exit', resolve));
      process.exit(0);`,
      { isAbrupt: true, environment: { CHILD: child } },
    );
    rmSync(folder, { recursive: true, force: true });
    assert.equal([code, output.trim().split('\n')], [0, ['3', '3']], output);
    await busy;
  }),
);

t('A19: JavaScript keeps its denormal numbers', () =>
  withEmbedder(async (embedder) => {
    const tiny = Number.MIN_VALUE;
    embedder.embedSync('hello');
    assert.ok(tiny * 3 > tiny && 1e-310 / 10 > 0);
    await embedder.embed('hello');
    assert.ok(tiny * 3 > tiny && 1e-310 / 10 > 0);
  }),
);

t('A20: callbacks that throw end their call with their error; callbacks that dispose let it finish', async () => {
  await withEmbedder(async (embedder) => {
    const mine = (): never => {
      throw new RangeError('mine');
    };
    await embedder.embed('hello', { onTimings: mine }).then(unexpected, (error: Error) => assert.is(error.message, 'mine'));
    const stream = embedder.embedMany(new Array<string>(600).fill('hello'), { onProgress: mine });
    let count = 0;
    try {
      for await (const embedding of stream) count += embedding.tokens > 0 ? 1 : 0;
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).message, 'mine');
    }
    assert.is(count, 256);
    assert.is((await embedder.embed('hello')).tokens, 3);
  });
  const other = await loadEmbedder(smallModel);
  assert.is((await other.embed('hello', { onTimings: () => other.dispose() })).tokens, 3);
  assert.is(await codeOf(() => other.embed('hello')), 'DISPOSED');
});

t('A21: two copies of the addon work side by side', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-copy-'));
  try {
    const require = createRequire(import.meta.url);
    const original = process.env['BERTHA_ADDON'] ?? new URL('../../build/Release/bertha.node', import.meta.url).pathname;
    copyFileSync(original, join(folder, 'bertha.node'));
    const copy = require(join(folder, 'bertha.node')) as typeof addon;
    const before = copy.stats().completedCalls;
    await withEmbedder(async (embedder) => assert.is((await embedder.embed('hello')).tokens, 3));
    assert.is(copy.stats().completedCalls, before, 'the copies share state');
    assert.is(copy.isa().chosen, addon.isa().chosen);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

t.run();
