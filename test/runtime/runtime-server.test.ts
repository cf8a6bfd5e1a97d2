import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import type { Stats } from '../../src/index.js';

const t = suite<{ server: ChildProcess; url: string }>('the Fastify handler of the README');
const root = fileURLToPath(new URL('../..', import.meta.url));

t.before(async (context) => {
  assert.ok(existsSync(`${root}dist/index.js`), 'dist/ is missing: npm run build');
  context.server = spawn(process.execPath, ['examples/server.mjs', '0'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  context.url = await new Promise<string>((resolve, reject) => {
    context.server.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    context.server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
});

t.after(({ server }) => void server.kill('SIGKILL'));

function post(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return fetch(`${url}/embed`, signal === undefined ? options : { ...options, signal });
}

async function statsOf(url: string): Promise<Stats> {
  return (await (await fetch(`${url}/stats`)).json()) as Stats;
}

t('answers with a vector for each text, interactive or bulk', async ({ url }) => {
  const response = await post(url, { texts: ['a cat', 'a dog'] });
  assert.is(response.status, 200);
  const vectors = (await response.json()) as number[][];
  assert.equal(
    vectors.map(({ length }) => length),
    [384, 384],
  );
  assert.equal(await (await post(url, { texts: ['a cat', 'a dog'], bulk: true })).json(), vectors);
});

t('answers 422 to what is no text and 504 when the deadline has passed', async ({ url }) => {
  const refused = await post(url, { texts: [7] });
  assert.equal([refused.status, await refused.json()], [422, { error: 'INVALID_ARG' }]);
  const late = await post(url, { texts: ['a cat'], deadlineMs: 0 });
  assert.equal([late.status, await late.json()], [504, { error: 'DEADLINE' }]);
});

t('answers 4xx to every wrong input, and a vector to a text that is no list', async ({ url }) => {
  const headers = { 'content-type': 'application/json' };
  const send = async (body: string | undefined, type: object = headers): Promise<number> =>
    (await fetch(`${url}/embed`, { method: 'POST', headers: { ...type }, ...(body === undefined ? {} : { body }) })).status;
  const wrong: readonly [string | undefined, number][] = [
    ...(['null', '7', '"a cat"', '[]', '{}', '{"texts": null}', '{"texts": 7}', '{"texts": {}}', '{"texts": [["a cat"]]}'] as const).map(
      (body): [string, number] => [body, 422],
    ),
    ['{"texts": ["a cat", null]}', 422],
    ['{"texts": ["a cat"], "deadlineMs": "soon"}', 422],
    ['{"texts": ["a cat"], "deadlineMs": -1}', 422],
    ['{"texts": [', 400],
    ['', 400],
    [JSON.stringify({ texts: ['a'.repeat(2 ** 20)] }), 413],
  ];
  for (const [body, status] of wrong) assert.is(await send(body), status, body?.slice(0, 60));
  assert.is(await send(undefined, {}), 422);
  assert.is(await send('a cat', { 'content-type': 'application/octet-stream' }), 415);
  const one = await post(url, { texts: 'a cat' });
  assert.is(one.status, 200);
  assert.is(((await one.json()) as number[][]).length, 1);
});

t('stops computing when the client leaves', async ({ url }) => {
  const before = (await statsOf(url)).calls.failed;
  const client = new AbortController();
  const texts = new Array<string>(3000).fill('the quick brown fox jumps over the lazy dog near the river bank');
  const call = post(url, { texts, deadlineMs: 60_000 }, client.signal).then(
    () => 'answered',
    () => 'left',
  );
  while ((await statsOf(url)).running === 0);
  client.abort();
  assert.is(await call, 'left');
  for (;;) {
    const { running, queue, calls } = await statsOf(url);
    if (running === 0 && queue.tokens === 0 && calls.failed > before) break;
  }
  assert.is((await post(url, { texts: ['a cat'] })).status, 200);
});

t('finishes what it has begun on SIGTERM and ends with code 0', async ({ server, url }) => {
  const call = post(url, { texts: new Array<string>(1000).fill('a cat sits on the mat'), deadlineMs: 600_000 });
  while ((await statsOf(url)).running === 0);
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  const response = await call;
  assert.is(response.status, 200);
  assert.is(((await response.json()) as unknown[]).length, 1000);
  assert.is(await ended, 0);
});

t('is shown in the README as it is', () => {
  const source = readFileSync(`${root}examples/server.mjs`, 'utf8');
  const handler = source.slice(source.indexOf('const embedder'), source.indexOf("app.get('/stats'")).trim();
  assert.ok(readFileSync(`${root}README.md`, 'utf8').includes(handler));
});

t.run();
