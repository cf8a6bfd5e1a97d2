// S08 and S09 of docs/faults.md: the command in a process of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import { golden } from './support/serving.js';

const t = suite('server: process');
const folder = mkdtempSync(join(tmpdir(), 'bertha-serve-'));
const running = new Set<ChildProcess>();
t.after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  /** Waits until the output has it, and returns the first group. */
  readonly until: (pattern: RegExp) => Promise<string>;
}

function start(args: readonly string[], env: Record<string, string> = {}, shell?: string): Started {
  const command = [process.execPath, cliProgram, 'serve', '--log-level', 'warn', ...args];
  const options = { env: { ...process.env, NO_COLOR: '1', ...env } };
  const child =
    shell === undefined
      ? spawn(command[0]!, command.slice(1), options)
      : spawn('sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command], options);
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (data: string) => (text += data));
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => (running.delete(child), resolve(code))));
  const until = async (pattern: RegExp): Promise<string> => {
    for (const began = performance.now(); performance.now() - began < 30_000; await sleep(20)) {
      const found = pattern.exec(text);
      if (found !== null) return found[1] ?? '';
      if (child.exitCode !== null) break;
    }
    throw new Error(`expected ${pattern} in:\n${text}`);
  };
  return { child, ended, output: () => text, until };
}

const tinyArgs = ['--port', '0', '--model', `mine=${golden('sentence/normalize')}`];
const addressPattern = /serves at (http:\S+);/;
const post = (address: string, body: object): Promise<number> =>
  fetch(`${address}/embed`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
  );

t('S08: SIGTERM under load answers what was asked, takes nothing after, and exits with 0', async () => {
  const { child, ended, until, output } = start(['--port', '0'], { DRAIN_MS: '20000' });
  const address = await until(addressPattern);
  await until(/(ready): /);
  const inputs = Array<string>(20).fill('a text about nothing '.repeat(20));
  const outcomes: (number | string)[] = [];
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      try {
        outcomes.push(await post(address, { inputs }));
      } catch (error) {
        // A connection that nobody accepts any more; one that breaks within an answer would be another error.
        outcomes.push(((error as Error).cause as { code?: string }).code ?? String(error));
        isOver = true;
      }
    }
  };
  const loops = Array.from({ length: 8 }, loop);
  await sleep(500);
  const began = performance.now();
  child.kill('SIGTERM');
  await sleep(50);
  const ready = await fetch(`${address}/readyz`).then(({ status }) => status);
  assert.is(ready, 503);
  const code = await ended;
  assert.ok(performance.now() - began < 30_000, 'connections without a request held the process');
  await Promise.all(loops);
  assert.is(code, 0, output());
  const kinds = [...new Set(outcomes)].filter((each) => each !== 200 && each !== 503 && each !== 'ECONNREFUSED');
  assert.equal(kinds, [], JSON.stringify(outcomes));
  assert.ok(outcomes.filter((each) => each === 200).length >= 8);
});

t('S08: a second SIGTERM ends the process at once, and one while models are loaded ends it with 0', async () => {
  const { child, ended, until } = start(['--port', '0']);
  const address = await until(addressPattern);
  await until(/(ready): /);
  const asked = post(address, { inputs: Array<string>(2000).fill('a long text about nothing '.repeat(20)) }).catch(() => 'broken');
  await sleep(400);
  child.kill('SIGTERM');
  await sleep(200);
  const began = performance.now();
  child.kill('SIGTERM');
  assert.is(await ended, 143);
  assert.ok(performance.now() - began < 3000);
  assert.is(await asked, 'broken');
  const loading = start(['--port', '0']);
  await loading.until(addressPattern);
  loading.child.kill('SIGTERM');
  assert.is(await loading.ended, 0);
});

t('S09: a port in use, a host that is none and flags that are wrong end with a message and a code', async () => {
  const first = start(tinyArgs);
  const { port } = new URL(await first.until(addressPattern));
  const model = tinyArgs.slice(2);
  const cases: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['--port', port, ...model], 1, /error IO: The server cannot listen: .*EADDRINUSE/],
    [['--host', '203.0.113.77', '--port', '0', ...model], 1, /error IO: The server cannot listen: .*EADDRNOTAVAIL/],
    [['--port', '70000'], 2, /error USAGE: Expected a whole number from 0 to 65535 for --port/],
    [['--prot', '1'], 2, /error USAGE: .*--prot/],
    [['--port', '0', '--model', join(folder, 'missing')], 1, /missing could not be loaded/],
  ];
  await Promise.all(
    cases.map(async ([args, code, message]) => {
      const { ended, output } = start(args);
      assert.is(await ended, code, output());
      assert.match(output(), message);
    }),
  );
  first.child.kill('SIGTERM');
  assert.is(await first.ended, 0);
});

t('S09: a process without descriptors left takes connections again when others close', async () => {
  const { child, ended, until } = start(tinyArgs, {}, 'ulimit -n 400');
  const address = await until(addressPattern);
  await until(/(ready): /);
  const { port, hostname } = new URL(address);
  const sockets = Array.from({ length: 500 }, () => connect(Number(port), hostname).on('error', () => undefined));
  await sleep(300);
  for (const socket of sockets) socket.destroy();
  await sleep(100);
  assert.is(await post(address, { inputs: 'hello' }), 200);
  child.kill('SIGINT');
  assert.is(await ended, 0);
});

t('serves on a unix socket, where a process that is gone left one too', async () => {
  const path = join(folder, 'socket');
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const { child, ended, until } = start(['--uds-path', path, ...tinyArgs.slice(2)]);
    await until(/(ready): mine/);
    const status = await new Promise((resolve, reject) => {
      const sent = request({ socketPath: path, path: '/readyz' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });
    assert.is(status, 200);
    child.kill(signal);
    await ended;
  }
  assert.not.ok(existsSync(path));
});

t('--help lists every flag, with the variable that stands for it', async () => {
  const { ended, output } = start(['--help']);
  assert.is(await ended, 0);
  for (const part of ['--model [NAME=]DIR|ID', 'MAX_CLIENT_BATCH_SIZE', '--api-key-file', '--tls-cert'])
    assert.ok(output().includes(part), part);
});

t.run();
