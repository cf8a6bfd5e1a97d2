// What `bertha serve` listens on besides a plain port: HTTPS, a socket of systemd, a unix socket.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect as connectTls } from 'node:tls';
import * as assert from 'uvu/assert';
import { cliProgram } from '../support/cli.js';
import { open, post, read, statusOf } from './support/raw.js';
import { golden, serve, serverSuite, tiny } from './support/serving.js';

const t = serverSuite('server: sockets');
const folder = mkdtempSync(join(tmpdir(), 'bertha-sockets-'));
const running = new Set<ChildProcess>();
t.after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
const tls = (name: string): string => fileURLToPath(new URL(`support/tls/${name}.pem`, import.meta.url));
const ca = readFileSync(tls('cert'), 'utf8');
const pair = { cert: ca, key: readFileSync(tls('key'), 'utf8') };
const model = ['--model', `mine=${golden('sentence/normalize')}`];

/** Asks for a path; status and body. */
function get(
  options: RequestOptions & { readonly ca?: string },
  isSecure = false,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = (isSecure ? requestHttps : requestHttp)({ agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    sent.on('error', reject).end();
  });
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  readonly until: (pattern: RegExp) => Promise<void>;
}

/** Runs the command; `program` runs it through a shell, or hands it a socket. */
function start(args: readonly string[], { fd, shell }: { readonly fd?: number; readonly shell?: string } = {}): Started {
  const command = [process.execPath, cliProgram, 'serve', '--log-level', 'warn', ...args];
  // The process that listens has to have the id that LISTEN_PID names: a shell that becomes it has.
  const [program, ...rest] = shell === undefined ? command : ['sh', '-c', `${shell}; exec "$@"`, 'sh', ...command];
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])] });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => (running.delete(child), resolve(code))));
  const ended = Promise.race([closed, sleep(60_000, null, { ref: false })]);
  const until = async (pattern: RegExp): Promise<void> => {
    const end = performance.now() + 30_000;
    while (!pattern.test(text)) {
      if (performance.now() > end || child.exitCode !== null) throw new Error(`expected ${pattern} in:\n${text}`);
      await sleep(20);
    }
  };
  return { child, ended, output: () => text, until };
}

t('HTTPS answers clients that know the certificate, and nobody without TLS', async () => {
  const server = await serve({ models: tiny('embedder'), tls: pair });
  assert.match(server.address, /^https:/);
  const { port } = new URL(server.address);
  const at = { port, host: '127.0.0.1', path: '/readyz', servername: 'localhost' };
  assert.is((await get({ ...at, ca }, true)).status, 200);
  await get(at, true).then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.match(String(error.code), /SELF_SIGNED/),
  );
  await get(at).then(
    () => assert.unreachable(),
    (error: NodeJS.ErrnoException) => assert.match(String(error.code), /ECONNRESET|HPE_INVALID/),
  );
  assert.is((await get({ ...at, ca }, true)).status, 200);
});

t('HTTPS has the limits of HTTP: headers that drip, and those that are too large', async () => {
  const server = await serve({ models: tiny('embedder'), tls: pair, headersTimeoutMs: 500 });
  const { port } = new URL(server.address);
  const secure = async (bytes: string): Promise<string> => {
    const socket = connectTls({ port: Number(port), host: '127.0.0.1', servername: 'localhost', ca });
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write(bytes);
    await Promise.race([once(socket, 'close'), sleep(8000)]);
    socket.destroy();
    return text;
  };
  assert.match(await secure('GET /readyz HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1\.1 408/);
  assert.match(await secure(`GET /readyz HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
});

t('the command serves HTTPS, and ends with 2 for a key of another certificate', async () => {
  const [good, bad] = ['key', 'other-key'].map((key) => start(['--port', '0', ...model, '--tls-cert', tls('cert'), '--tls-key', tls(key)]));
  assert.is(await bad!.ended, 2, bad!.output());
  assert.match(bad!.output(), /error USAGE: Expected a certificate and its key/);
  await good!.until(/serves at https:/);
  good!.child.kill('SIGTERM');
  assert.is(await good!.ended, 0, good!.output());
});

t('serves on the socket that systemd hands over, and takes what waited on it', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen({ port: 0, host: '127.0.0.1', backlog: 64 }, resolve));
  const { port } = listener.address() as { port: number };
  const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const started = start(model, { fd, shell: 'LISTEN_PID=$$; LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS' });
  await started.until(/serves at file descriptor 3/);
  await started.until(/ready: mine/);
  listener.close(); // the other process has its own descriptor of the socket
  assert.is((await get({ port, host: '127.0.0.1', path: '/readyz' })).status, 200);
  started.child.kill('SIGTERM');
  assert.is(await started.ended, 0, started.output());
});

t(
  'a unix socket: another server’s is not taken, a file that is none stays, one that is left over goes; its permissions are the process’s',
  async () => {
    const path = join(folder, 'socket');
    const first = start(['--uds-path', path, ...model], { shell: 'umask 077' });
    await first.until(/ready: mine/);
    assert.equal([lstatSync(path).isSocket(), lstatSync(path).mode & 0o077], [true, 0]);
    assert.is((await get({ socketPath: path, path: '/readyz' })).status, 200);
    const second = start(['--uds-path', path, ...model]);
    assert.is(await second.ended, 1, second.output());
    assert.match(second.output(), /error IO: The server cannot listen: .*EADDRINUSE/);
    assert.is((await get({ socketPath: path, path: '/readyz' })).status, 200);
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(existsSync(path));
    const third = start(['--uds-path', path, ...model]);
    await third.until(/ready: mine/);
    third.child.kill('SIGTERM');
    assert.is(await third.ended, 0);
    assert.not.ok(existsSync(path));
    const plain = join(folder, 'plain.txt');
    writeFileSync(plain, 'not a socket');
    const fourth = start(['--uds-path', plain, ...model]);
    assert.is(await fourth.ended, 1, fourth.output());
    assert.is(readFileSync(plain, 'utf8'), 'not a socket');
  },
);

t('S08: a connection that was accepted just before the server closed gets its answer, and none is accepted after', async () => {
  const server = await serve({ models: tiny('embedder') });
  const accepted = once(server.app.server, 'connection');
  const socket = await open(server.address);
  await accepted;
  const closed = server.close();
  while (server.app.server.listening) await new Promise(setImmediate);
  socket.write(post('/embed', '{"inputs":"water"}'));
  const answer = await read(socket);
  assert.is(statusOf(answer), 200, answer);
  assert.match(answer, /connection: close/i);
  await closed;
  const late = await fetch(`${server.address}/health`).catch((error: Error) => (error.cause as { code?: string }).code);
  assert.is(late, 'ECONNREFUSED');
});

t('S08: connections that wait to be accepted while the server closes get their answers', async () => {
  const server = await serve({ models: tiny('embedder') });
  const { hostname, port } = new URL(server.address);
  const sockets = Array.from({ length: 40 }, () => connect(Number(port), hostname));
  for (const socket of sockets) socket.on('error', () => undefined).write(post('/embed', '{"inputs":"water"}'));
  const closed = server.close();
  const statuses = (await Promise.all(sockets.map((socket) => read(socket)))).map(statusOf);
  assert.equal(statuses, Array<number>(40).fill(200));
  await closed;
});

t.run();
