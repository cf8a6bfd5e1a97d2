import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { BerthaError } from 'bertha-encoder';
import { readCommandLine } from '../../packages/server/src/command/flags.js';
import { RateLimit } from '../../packages/server/src/http/rate-limit.js';
import { serve, serverSuite, tiny } from './support/serving.js';

const t = serverSuite('server: flags');
const folder = mkdtempSync(join(tmpdir(), 'bertha-flags-'));
t.after(() => rmSync(folder, { recursive: true }));
const read = (args: readonly string[], env: Record<string, string> = {}) => readCommandLine(args, env);
const tls = (name: string): string => fileURLToPath(new URL(`support/tls/${name}.pem`, import.meta.url));

/** The error of a command line that is wrong. */
function wrong(args: readonly string[], env: Record<string, string> = {}): { readonly code: string; readonly message: string } {
  try {
    read(args, env);
  } catch (error) {
    assert.instance(error, BerthaError);
    return error as BerthaError;
  }
  throw new Error(`the command line was accepted: ${args.join(' ')}`);
}

t('takes the flags of text-embeddings-inference by its names', () => {
  const { options, ignored } = read([
    ...['--model-id', 'org/name', '--revision', 'main', '--dtype=float16', '--hostname', '0.0.0.0', '-p', '8080', '--auto-truncate'],
    ...['--max-concurrent-requests', '9', '--max-client-batch-size', '33', '--payload-limit', '1000', '--cors-allow-origin', '*'],
    ...['--max-batch-tokens', '1', '--pooling', 'mean', '--json-output', '--prometheus-port', '9000', '--otlp-endpoint', 'x'],
    ...['--hf-token', 'secret', '--huggingface-hub-cache', 'cache', '--default-prompt', 'query: ', '--api-key', 'one'],
  ]);
  const { models, autoTruncate, host, port, maxRequests, maxInputs, maxBodyBytes, corsOrigins, defaultPrompt, apiKeys } = options;
  assert.equal(
    [autoTruncate, host, port, maxRequests, maxInputs, maxBodyBytes, corsOrigins, defaultPrompt, apiKeys],
    [true, '0.0.0.0', 8080, 9, 33, 1000, ['*'], 'query: ', ['one']],
  );
  const [{ model, precision, token, cacheDir, revision }] = models as [NonNullable<typeof models>[number]];
  assert.equal([model, precision, token, cacheDir, revision], ['org/name', 'fp16-weights', 'secret', 'cache', 'main']);
  assert.equal(ignored, ['--max-batch-tokens', '--pooling', '--json-output', '--otlp-endpoint', '--prometheus-port']);
});

t('its variables stand for flags, and a flag comes before its variable', () => {
  const env = { MODEL_ID: 'dir', AUTO_TRUNCATE: 'false', PAYLOAD_LIMIT: '7', JSON_OUTPUT: 'true', RATE_LIMIT: '60' };
  const { options, ignored } = read(['--payload-limit', '8'], env);
  const { autoTruncate, maxBodyBytes, maxRequestsAMinute, models } = options;
  assert.equal([autoTruncate, maxBodyBytes, maxRequestsAMinute, ignored], [false, 8, 60, ['JSON_OUTPUT']]);
  assert.is(models![0]!.model, 'dir');
  // What the library reads by itself, in its own order, is not handed on.
  const { token, cacheDir, threads } = read([], { ...env, HF_TOKEN: 'a', HUGGINGFACE_HUB_CACHE: 'b', BERTHA_THREADS: '3' }).options
    .models![0]!;
  assert.equal([token, cacheDir, threads], [undefined, undefined, undefined]);
});

t('--threads, --device and --precision hold for the bundled model and each of its heads', () => {
  const { models } = read(['--threads', '2', '--precision', 'int8', '--device', 'auto']).options;
  assert.is(models!.length, 4);
  for (const { threads, precision, device } of models!) assert.equal([threads, precision, device], [2, 'int8', 'auto']);
  assert.is(read([]).options.models, undefined);
});

t('switches may go without a value', () => {
  for (const [args, expected] of [
    [['--split-special-tokens'], true],
    [['--split-special-tokens', '--port', '1'], true],
    [['--split-special-tokens=false'], false],
    [['--split-special-tokens', 'true'], true],
    [[], undefined],
  ] as const)
    assert.is(read(args).options.splitSpecialTokens, expected, args.join(' '));
});

t('keys come from flags, from the variable and from a file, one a line', () => {
  const file = join(folder, 'keys');
  writeFileSync(file, 'one\n\n  two  \r\nthree');
  assert.equal(read(['--api-key-file', file, '--api-key', 'a', '--api-key', 'b']).options.apiKeys, ['a', 'b', 'one', 'two', 'three']);
  assert.equal(read([], { API_KEY: 'x, y', API_KEY_FILE: file }).options.apiKeys, ['x', 'y', 'one', 'two', 'three']);
  assert.match(wrong(['--api-key-file', join(folder, 'none')]).message, /The file of --api-key-file cannot be read/);
});

t('a certificate comes with its own key', () => {
  const { tls: given } = read(['--tls-cert', tls('cert'), '--tls-key', tls('key')]).options;
  assert.match(String(given!.cert), 'BEGIN CERTIFICATE');
  const cases: readonly (readonly [args: readonly string[], code: string, message: RegExp])[] = [
    [['--tls-cert', tls('cert')], 'USAGE', /both --tls-cert and --tls-key/],
    [['--tls-key', tls('key')], 'USAGE', /both --tls-cert and --tls-key/],
    [['--tls-cert', tls('cert'), '--tls-key', tls('other-key')], 'USAGE', /Expected a certificate and its key/],
    [['--tls-cert', tls('key'), '--tls-key', tls('key')], 'USAGE', /Expected a certificate and its key/],
    [['--tls-cert', join(folder, 'none'), '--tls-key', tls('key')], 'IO', /The file of --tls-cert cannot be read/],
  ];
  for (const [args, code, message] of cases) {
    const error = wrong(args);
    assert.is(error.code, code);
    assert.match(error.message, message);
  }
});

t('a socket of systemd is taken by the process that it is meant for', () => {
  const own = String(process.pid);
  assert.is(read([], { LISTEN_PID: own, LISTEN_FDS: '1' }).options.fd, 3);
  assert.is(read([], { LISTEN_PID: '1', LISTEN_FDS: '1' }).options.fd, undefined);
  assert.is(read([], { LISTEN_PID: own, LISTEN_FDS: '0' }).options.fd, undefined);
});

t('a rate is kept to by each caller for itself, fills evenly, and forgets callers', () => {
  const limit = new RateLimit(60);
  const taken = Array.from({ length: 61 }, () => limit.take('a', 0));
  assert.equal([taken.slice(0, 60).every((wait) => wait === 0), taken[60]], [true, 1000]);
  assert.is(limit.take('b', 0), 0);
  assert.equal([limit.take('a', 999) > 0, limit.take('a', 1000), limit.take('a', 1000) > 0], [true, 0, true]);
  for (let i = 0; i < 20_000; i++) limit.take(`caller ${i}`, 0);
  assert.is(limit.take('a', 1000), 0);
});

t('--rate-limit refuses with 429 and Retry-After, by key, however it is written; probes are free', async () => {
  const server = await serve({ models: tiny('embedder'), maxRequestsAMinute: 2, apiKeys: ['one', 'two'] });
  const ask = async (authorization: string) => server.post('/embed', { inputs: 'hello' }, { authorization });
  const statuses = [];
  for (const key of ['Bearer one', 'bearer  one', 'Bearer Bearer one', 'Bearer two']) statuses.push((await ask(key)).status);
  assert.equal(statuses, [200, 200, 429, 200]);
  const { headers, json } = await ask('Bearer one');
  assert.equal([(json as { code: string }).code, Number(headers.get('retry-after')) >= 1], ['rate_limited', true]);
  for (let i = 0; i < 4; i++) assert.is((await server.get('/readyz')).status, 200);
});

t.run();
