// S01 to S20 of docs/faults.md, those of one server in this process.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { BerthaError } from 'bertha-encoder';
import { failureOf } from '../../packages/server/src/failures/failures.js';
import { ModelRegistry } from '../../packages/server/src/models/registry.js';
import { exchange, open, post, read, statusOf } from './support/raw.js';
import { golden, serve, serverSuite, tiny, type Serving } from './support/serving.js';

const t = serverSuite('server: faults');
const log: string[] = [];
const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (log.push(chunk.toString()), done()) });
let server: Serving;
const limits = { headersTimeoutMs: 500, requestTimeoutMs: 500, maxBodyBytes: 10_000 };
t.before(async () => void (server = await serve({ models: tiny('embedder'), ...limits, logger: { level: 'info', stream } })));
t.after(() => server.close());
const isWell = async (): Promise<void> => {
  const { status, text } = await server.post('/embed', { inputs: 'hello' });
  assert.is(status, 200, text);
};

t('S01: JSON that is none, is cut off, too deep or meant to change a prototype is refused', async () => {
  const cases: readonly (readonly [body: string, status: number, headers?: Record<string, string>])[] = [
    ['{"inputs": "a"', 400],
    ['', 400],
    ['nonsense', 400],
    ['[1]', 400],
    ['{"inputs": "a"}', 415, { 'content-type': 'text/plain' }],
    ['{"inputs": "a"}', 415, { 'content-type': 'application/json; charset=utf-16' }],
    [`{"inputs": ${'['.repeat(4000)}${']'.repeat(4000)}}`, 400],
    ['{"inputs": "a", "__proto__": {"polluted": 1}}', 400],
    ['{"inputs": "a", "constructor": {"prototype": {"polluted": 1}}}', 400],
    ['{"inputs": "a", "inp\\u0075ts": "b"}', 400],
  ];
  for (const [body, status, headers] of cases) {
    const answer = await exchange(server.address, post('/embed', body, headers));
    assert.is(statusOf(answer), status, `${body.slice(0, 40)}: ${answer.slice(0, 300)}`);
  }
  const invalid = Buffer.concat([Buffer.from('{"inputs": "'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]);
  const head = post('/embed', '', { 'content-length': String(invalid.length) });
  assert.is(statusOf(await exchange(server.address, Buffer.concat([Buffer.from(head), invalid]))), 400);
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
  await isWell();
});

t('S02: bodies over the limit are refused early, with a length, without, and compressed; a wrong length too', async () => {
  const large = JSON.stringify({ inputs: 'a'.repeat(limits.maxBodyBytes) });
  assert.is(statusOf(await exchange(server.address, post('/embed', large))), 413);
  // The length alone is enough, before any of the body has come; no 100 invites it.
  const early = await exchange(server.address, post('/embed', '', { 'content-length': '100000000', expect: '100-continue' }));
  assert.is(statusOf(early), 413, early);
  const chunk = 'a'.repeat(6000);
  const chunked = `POST /embed HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
  assert.is(statusOf(await exchange(server.address, `${chunked}${`1770\r\n${chunk}\r\n`.repeat(3)}0\r\n\r\n`)), 413);
  const bomb = gzipSync(Buffer.alloc(1 << 20, 'a'));
  const zipped = post('/embed', '', { 'content-encoding': 'gzip', 'content-length': String(bomb.length) });
  assert.is(statusOf(await exchange(server.address, Buffer.concat([Buffer.from(zipped), bomb]))), 415);
  const body = '{"inputs": "hello"}';
  const short = post('/embed', body, { 'content-length': '5' });
  assert.is(statusOf(await exchange(server.address, short)), 400);
  const invited = post('/embed', body, { expect: '100-continue' });
  assert.match(await exchange(server.address, invited), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  await isWell();
});

t('S03: inputs that are missing, null, mixed, empty or too many are refused, with the index', async () => {
  const cases: readonly (readonly [body: object, status: number, message: RegExp])[] = [
    [{}, 422, /inputs in the body but it is missing/],
    [{ inputs: null }, 422, /received null/],
    [{ inputs: ['a', 1] }, 422, /index 1 is 1/],
    [{ inputs: Array(2049).fill('a') }, 422, /at most 2048 inputs but received 2049/],
    [{ inputs: '' }, 400, /is empty/],
    [{ inputs: [] }, 400, /is empty/],
    [{ inputs: 'hello '.repeat(600), truncate: false }, 422, /for the text at index 0/],
  ];
  for (const [body, status, message] of cases) {
    const answer = await server.post('/embed', body);
    assert.is(answer.status, status, answer.text);
    assert.match((answer.json as { error: string }).error, message);
  }
});

t('S04: connections that drip headers or a body end in time, and do not stop service', async () => {
  const began = performance.now();
  const dripping = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = await open(server.address);
      socket.write(i % 2 === 0 ? 'POST /embed HTTP/1.1\r\nhost: x\r\n' : post('/embed', '{"inp', { 'content-length': '100' }));
      const drip = setInterval(() => socket.write(i % 2 === 0 ? 'a: b\r\n' : 'x'), 200);
      return read(socket, 8000).finally(() => clearInterval(drip));
    }).concat(isWell().then(() => '')),
  );
  assert.ok(performance.now() - began < 6000);
  assert.equal([...new Set(dripping.slice(0, 100).map(statusOf))], [408]);
  await isWell();
});

t('S05: a full queue answers 429 with Retry-After at once, single texts and batches alike', async () => {
  const full = await serve({ models: [{}], maxRequests: 1 });
  const busy = full.post('/embed', { inputs: Array<string>(300).fill('a long text about nothing '.repeat(8)) });
  await sleep(50);
  for (const inputs of ['hello', ['hello', 'you']]) {
    const began = performance.now();
    const { status, headers, json } = await full.post('/embed', { inputs });
    assert.equal([status, (json as { code: string; error_type: string }).code], [429, 'QUEUE_FULL']);
    assert.ok(Number(headers.get('retry-after')) >= 1 && performance.now() - began < 1000);
  }
  assert.is((await busy).status, 200);
  assert.is((await full.post('/embed', { inputs: 'hello' })).status, 200);
  await full.close();
});

t('S06, S07: work ends with its client, queued or running, and at its deadline; both are counted', async () => {
  const slow = await serve({ models: [{}] });
  const inputs = Array<string>(1500).fill('a long text about nothing '.repeat(20));
  const controller = new AbortController();
  const gone = fetch(`${slow.address}/embed`, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
    headers: { 'content-type': 'application/json' },
    signal: controller.signal,
  }).catch(() => 'gone');
  await sleep(400);
  const inFlight = async (): Promise<number> => Number(/^bertha_requests_in_flight (\d+)/m.exec((await slow.get('/metrics')).text)![1]);
  assert.is(await inFlight(), 1);
  const late = await slow.post('/embed', { inputs: inputs.slice(0, 600) }, { 'x-deadline-ms': '150' });
  assert.equal([late.status, late.headers.get('x-should-retry')], [504, 'false'], late.text);
  controller.abort();
  assert.is(await gone, 'gone');
  const began = performance.now();
  while ((await inFlight()) > 0) {
    assert.ok(performance.now() - began < 3000, 'the work of a client that has gone goes on');
    await sleep(20);
  }
  assert.match((await slow.get('/metrics')).text, /te_request_failure\{err="disconnected"\} 1/);
  assert.is((await slow.post('/embed', { inputs: 'hello' }, { 'x-deadline-ms': '0' })).status, 422);
  await slow.close();
});

t('S10: keys that are missing, wrong, long or sent twice are refused, without reading the body; probes need none', async () => {
  const locked = await serve({ models: tiny('embedder'), apiKeys: ['secret-one', 'secret-two'] });
  const body = '{"inputs": "hello"}';
  const answer = (headers: Record<string, string>) => exchange(locked.address, post('/embed', body, headers));
  for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Basic secret-one', `Bearer ${'x'.repeat(8000)}`, 'secret-one']) {
    const text = await answer(authorization === '' ? {} : { authorization });
    assert.is(statusOf(text), 401, authorization.slice(0, 30));
    assert.not.match(text, /secret/);
  }
  const twice = post('/embed', body, { authorization: 'Bearer wrong' }).replace('\r\n\r\n', '\r\nauthorization: Bearer secret-one\r\n\r\n');
  assert.is(statusOf(await exchange(locked.address, twice)), 401);
  for (const authorization of ['Bearer secret-one', 'bearer secret-two', 'Bearer Bearer secret-two']) {
    assert.is(statusOf(await answer({ authorization })), 200);
  }
  // The body never comes: the refusal does.
  assert.is(statusOf(await exchange(locked.address, post('/embed', '', { 'content-length': '100' }))), 401);
  for (const path of ['/livez', '/readyz', '/health', '/ping', '/', '/metrics', '/openapi.json'])
    assert.is((await locked.get(path)).status, 200, path);
  assert.is((await locked.get('/v1/models')).status, 401);
  await locked.close();
});

t('S11: no origin is allowed unless it was named', async () => {
  const preflight = (address: string, origin: string) =>
    exchange(
      address,
      `OPTIONS /embed HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: ${origin}\r\naccess-control-request-method: POST\r\n\r\n`,
    );
  assert.not.match(await preflight(server.address, 'https://a.example'), /access-control-allow-origin/i);
  const open = await serve({ models: tiny('embedder'), corsOrigins: ['https://a.example'] });
  assert.match(await preflight(open.address, 'https://a.example'), /access-control-allow-origin: https:\/\/a\.example\r\n/i);
  for (const origin of ['https://b.example', 'null'])
    assert.not.match(await preflight(open.address, origin), /access-control-allow-origin/i);
  await open.close();
});

t('S12: smuggled requests, wrong chunks, huge headers, old versions and unknown methods are refused', async () => {
  const body = '{"inputs": "hello"}';
  const both = post('/embed', body, { 'transfer-encoding': 'chunked' });
  assert.is(statusOf(await exchange(server.address, both)), 400);
  const chunked = post('/embed', '', { 'transfer-encoding': 'chunked' }).replace(/content-length: 0\r\n/, '');
  assert.is(statusOf(await exchange(server.address, `${chunked}ZZ\r\nhello\r\n0\r\n\r\n`)), 400);
  assert.is(statusOf(await exchange(server.address, post('/embed', body, { 'x-large': 'a'.repeat(20_480) }))), 431);
  assert.is(statusOf(await exchange(server.address, post('/embed', body).replace('HTTP/1.1', 'HTTP/1.0'))), 200);
  const pipelined = await exchange(server.address, post('/embed', body, { connection: 'keep-alive' }) + post('/embed', body));
  assert.is(pipelined.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']) {
    const text = await exchange(server.address, `${method} /embed HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    assert.equal([statusOf(text), /\r\nallow: POST\r\n/i.test(text)], [405, true], method);
  }
  assert.is(statusOf(await exchange(server.address, 'HEAD /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')), 200);
  for (const path of ['/../etc/passwd', '/v1/..%2fmetrics', '//embed', '/embed/', '/%00', '/models/../metrics', '/nothing']) {
    const status = statusOf(await exchange(server.address, post(path, body)));
    assert.ok([400, 404, 405].includes(status), `${path}: ${status}`);
  }
  await isWell();
});

t('S13: a request that fails leaves those of its batch alone', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => server.post('/embed', i % 10 === 7 ? { inputs: [[1, 99_999_999]] } : { inputs: `hello ${i}` })),
  );
  assert.equal(
    answers.map(({ status }) => status),
    answers.map((_, i) => (i % 10 === 7 ? 422 : 200)),
  );
});

t('S14: numbers that are not finite are 500, without the engine’s words, and three in a row end readiness', () => {
  const error = new BerthaError('NON_FINITE', 'secret of the engine');
  const { status, code, message } = failureOf(error, 'id-7');
  assert.equal([status, code, /id-7/.test(message), /secret/.test(message)], [500, 'NON_FINITE', true, false]);
  const registry = new ModelRegistry([], () => undefined);
  const problems = [error, error, undefined, error, error, error].map((outcome) => {
    registry.noteOutcome(outcome);
    return registry.faultProblem !== undefined;
  });
  assert.equal(problems, [false, false, false, false, false, true]);
});

t('S14: what explanations end with is told: a model without gradients is 424, steps that are too few are 422', () => {
  const told = (['NO_GRADIENT', 'NOT_CONVERGED'] as const).map((code) => failureOf(new BerthaError(code, 'Expected …'), 'id-7'));
  assert.equal(
    told.map(({ status, type, message }) => [status, type, message]),
    [
      [424, 'Backend', 'Expected …'],
      [422, 'Validation', 'Expected …'],
    ],
  );
});

t('S15: paths and models of requests become no labels', async () => {
  const labelsOf = (text: string): string[] => [...new Set(Array.from(text.matchAll(/\{[^}]*\}/g), ([label]) => label))].sort();
  const before = labelsOf((await server.get('/metrics')).text);
  await Promise.all(Array.from({ length: 30 }, (_, i) => server.post(`/random-${i}`, { model: `m-${i}`, inputs: 'a' })));
  await Promise.all(Array.from({ length: 30 }, (_, i) => server.post('/v1/embeddings', { model: `m-${i}`, input: 'a' })));
  assert.equal(labelsOf((await server.get('/metrics')).text), before);
});

t('S16: the log holds no text, no key and no escape sequence of a request', async () => {
  log.length = 0;
  const path = '/%1b%5b31m-red%0a{"level":60}';
  await server.post(
    '/embed',
    { inputs: 'a very private text' },
    { authorization: 'Bearer my-key', 'x-request-id': 'bad id\u001b[31m'.replace('\u001b', '!') },
  );
  await exchange(server.address, post(path, '{"inputs": "another private text"}'));
  const lines = log.join('');
  assert.ok(lines.includes('"route":"/embed"'), lines);
  for (const secret of ['private text', 'my-key', 'bad id', '\u001b', 'red']) assert.not.ok(lines.includes(secret), secret);
  for (const line of lines.trim().split('\n')) JSON.parse(line);
});

t('S17: a model loaded anew under load loses no request, and a broken one leaves the old one in its place', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-reload-'));
  cpSync(golden('sentence/normalize'), folder, { recursive: true });
  const reloading = await serve({ models: [{ name: 'mine', model: folder }] });
  let isDone = false;
  const statuses: number[] = [];
  const loop = async (): Promise<void> => {
    while (!isDone) statuses.push((await reloading.post('/embed', { inputs: ['hello', 'you'] })).status);
  };
  const loops = [loop(), loop(), loop()];
  for (let i = 0; i < 3; i++) await reloading.reload('mine');
  writeFileSync(join(folder, 'config.json'), '{');
  await reloading.reload('mine').then(
    () => assert.unreachable(),
    (error: BerthaError) => assert.is(error.code, 'CONFIG'),
  );
  isDone = true;
  await Promise.all(loops);
  assert.equal([[...new Set(statuses)], statuses.length > 3], [[200], true]);
  assert.is((await reloading.post('/embed', { inputs: 'hello' })).status, 200);
  await reloading.close();
  rmSync(folder, { recursive: true });
});

t('S19: ten times what the queue takes is answered, by vectors or by 429, and service is normal at once', async () => {
  const small = await serve({ models: [{}], maxQueuedTokens: 600 });
  const text = 'a text about nothing '.repeat(10);
  const answers = await Promise.all(Array.from({ length: 120 }, () => small.post('/embed', { inputs: text })));
  const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
  assert.is(count(200) + count(429), 120);
  assert.ok(count(200) >= 5 && count(429) >= 5, `${count(200)} answered, ${count(429)} refused`);
  assert.is((await small.post('/embed', { inputs: text })).status, 200);
  await small.close();
});

t('S20: an event loop that stood still fails no deadline of later requests, and /livez tells', async () => {
  await server.get('/livez');
  const end = performance.now() + 1200;
  while (performance.now() < end);
  await sleep(100);
  const { status, json } = await server.get('/livez');
  assert.equal([status, (json as { event_loop_lag_ms: number }).event_loop_lag_ms >= 1000], [200, true]);
  const { status: later } = await server.post('/embed', { inputs: 'hello' }, { 'x-deadline-ms': '5000' });
  assert.is(later, 200);
});

t.run();
