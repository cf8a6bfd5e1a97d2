import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { checkout, runNode } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';
import { bundledSpecs } from '../../packages/server/src/models/served-model.js';
import { golden, serve, serverSuite, type Serving } from './support/serving.js';

// examples/server with the real clients, which lie in test/adapters: npm ci --prefix test/adapters --ignore-scripts --omit=optional.
const t = serverSuite('server: examples');
const modules = join(checkout, 'test', 'adapters', 'node_modules');
const isInstalled = existsSync(join(modules, 'voyageai'));
/** The examples among the clients, as npm would have it. */
const folder = join(modules, '.examples-server');
let server: Serving;
t.before(async () => {
  server = await serve({
    models: [...bundledSpecs, { name: 'reranker', model: golden('tiny/bert-cross-encoder') }],
    apiKeys: ['example-key'],
  });
  if (isInstalled) cpSync(join(checkout, 'examples', 'server'), folder, { recursive: true });
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Packages that a client needs, and what its example prints. */
const examples: Readonly<Record<string, RegExp>> = {
  'openai.mjs': /^found: Parcels.* 0\.\d+ \(\d+ tokens\)\n$/,
  'langchain.mjs': /^found: Click on "Forgot password".*page: 3/,
  'ai-sdk.mjs': /^found: Parcels.*\(\d+ tokens\)\nbest: .* 0\.\d+\n$/,
  'cohere.mjs': /^sizes: 384 384 48\nbest: .* 0\.\d+\n$/,
  'voyage.mjs': /^vectors: 3 of 384 \(\d+ tokens\)\nbest: .* 0\.\d+\n$/,
  'huggingface.mjs': /^vectors: 2 of 384\nsentiment: positive 0\.\d+\nentities: .*Alice.*Paris.*\n$/i,
  'chroma.mjs': /^vectors: 2 of 384\n$/,
  'fetch.mjs': /^positive 0\.\d+\nnegative 0\.\d+\nvectors: 1000\n$/i,
};

t('every example is tried', () => {
  const known = [...Object.keys(examples), 'create-server.mjs', 'clients.py'].sort();
  assert.equal(readdirSync(join(checkout, 'examples', 'server')).sort(), known);
});

for (const [name, printed] of Object.entries(examples)) {
  t(`${name} runs against the server`, async () => {
    if (!isInstalled) return skip('clients not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional');
    const { code, output } = await runNode(folder, [join(folder, name), server.address], { API_KEY: 'example-key' });
    assert.is(code, 0, output);
    assert.match(output, printed);
  });
}

t('create-server.mjs serves until SIGTERM', async () => {
  const child = spawn(process.execPath, [join(checkout, 'examples', 'server', 'create-server.mjs'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const closed = new Promise((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/ready: /.test(output)) resolve();
    });
  });
  try {
    const address = /serves at (http:\S+)/.exec(output)?.[1];
    const answer = await fetch(`${address}/hello`);
    assert.equal(((await answer.json()) as { models: string[] }).models[0], 'all-MiniLM-L6-v2');
  } finally {
    child.kill('SIGTERM');
  }
  assert.is(await closed, 0);
});

t('clients.py prints an answer of each client that is installed, or says which is not', async () => {
  const child = spawn('python3', [join(checkout, 'examples', 'server', 'clients.py'), server.address], {
    env: { ...process.env, API_KEY: 'example-key' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve).once('error', () => resolve(null)));
  if (code === null) return skip('no python3 on this machine');
  assert.is(code, 0, output);
  assert.match(
    output,
    /^(?:openai: 3 vectors of 384|not installed: openai)\n(?:cohere: .+|not installed: cohere)\n(?:huggingface_hub: \(3, 384\)|not installed: \w+)\n$/,
  );
});

t.run();
