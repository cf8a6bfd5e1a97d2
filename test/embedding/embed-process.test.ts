import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import { withoutLeakCheck } from '../support/library.js';

const t = suite('embed in processes and workers');
const index = new URL('../../src/index.ts', import.meta.url).href;
const model = fileURLToPath(new URL('../golden/sentence/normalize', import.meta.url));

/** Runs a module with `embedder` loaded and returns how it ended. */
function child(
  body: string,
  environment: Record<string, string> = {},
): Promise<{ code: number | null; signal: string | null; output: string; ms: number }> {
  const script = `import { loadEmbedder } from ${JSON.stringify(index)};
const embedder = await loadEmbedder(${JSON.stringify(model)});
const texts = new Array(50000).fill('hello guitar '.repeat(10));
${body}`;
  return new Promise((resolve) => {
    const started = performance.now();
    const node = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      env: { ...process.env, ...withoutLeakCheck, ...environment },
    });
    let output = '';
    node.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    node.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    node.on('close', (code, signal) => resolve({ code, signal, output, ms: performance.now() - started }));
  });
}

t('process.exit while computing ends the process at once with its code', async () => {
  const { code, signal, output } = await child(`
    void embedder.embed(texts);
    setTimeout(() => {
      const asked = performance.now();
      process.on('exit', () => console.log('exit asked'));
      setTimeout(() => {}, 60000);
      process.exit(7);
    }, 100);`);
  assert.equal([code, signal], [7, null], output);
  assert.match(output, 'exit asked');
});

t('an uncaught error while computing ends the process with code 1', async () => {
  const { code, output } = await child(`void embedder.embed(texts); setTimeout(() => { throw new RangeError('mine'); }, 100);`);
  assert.is(code, 1, output);
  assert.match(output, 'RangeError: mine');
});

t('a process ends by itself when its last vector is there, disposed or not', async () => {
  const { code, output } = await child(`console.log((await embedder.embed('hello')).tokens);`);
  assert.equal([code, output.trim()], [0, '3']);
});

t('a worker embeds as the main thread does, beside it and after another worker was terminated', async () => {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};
    register();
    const { loadEmbedder } = await import(workerData.index);
    const embedder = await loadEmbedder(workerData.model);
    parentPort.postMessage('loaded');
    const results = await embedder.embed(workerData.texts);
    parentPort.postMessage(results.map(({ vector }) => vector));
    embedder.dispose();`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const start = (texts: string[]) => new Worker(url, { workerData: { index, model, texts } });
  const message = (worker: Worker) =>
    new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });

  const terminated = start(new Array<string>(50_000).fill('hello guitar '.repeat(10)));
  await message(terminated);
  await terminated.terminate();

  const texts = ['hello', '', 'guitar hello'];
  const embedder = await loadEmbedder(model);
  const workers = [start(texts), start(texts), start(texts)];
  const vectors = await Promise.all(
    workers.map(async (worker) => {
      await message(worker);
      return (await message(worker)) as Float32Array[];
    }),
  );
  const expected = (await embedder.embed(texts)).map(({ vector }) => vector);
  for (const result of vectors) assert.equal(result, expected);
  embedder.dispose();
  await Promise.all(workers.map((worker) => worker.terminate()));
});

t.run();
