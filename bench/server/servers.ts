import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';

export type ServedPrecision = 'fp32' | 'int8';

/** A server of the bundled model in a process of its own, which stands still unless it is measured. */
export interface Served {
  readonly name: string;
  readonly precision: ServedPrecision;
  readonly isRival: boolean;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  /** Lets its threads run, or stops them so that they take nothing from whoever is measured. */
  resume(): void;
  pause(): void;
}

/** How long a server may take to load. */
const kLoadMs = 300_000;

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The servers that can be measured here at a precision; infinity, which has no int8, where a Python that has it is given. */
export async function startServers(precision: ServedPrecision, threads: number, python: string | undefined): Promise<Served[]> {
  const start = (name: string, isRival: boolean, path: string, command: (port: number) => readonly string[]): Promise<Served> =>
    startServer({ name, isRival, path, precision }, threads, command);
  const main = [process.execPath, file('../../dist/cli/main.js'), 'serve', '--precision', precision, '--log-level', 'silent', '--port'];
  const handler = [process.execPath, '--import', 'tsx', file('transformers-server.ts')];
  const served = [
    await start('bertha serve', false, '/v1/embeddings', (port) => [...main, `${port}`]),
    await start('Fastify over transformers.js', true, '/v1/embeddings', (port) => [
      ...handler,
      JSON.stringify({ port, precision, threads }),
    ]),
  ];
  if (python === undefined || precision !== 'fp32') return served;
  const model = ['--model-id', defaultModelDirectory(), '--served-model-name', 'm', '--dtype', 'float32', '--device', 'cpu'];
  const options = ['--engine', 'torch', '--no-bettertransformer', '--host', '127.0.0.1', '--port'];
  const infinity = [python, '-m', 'infinity_emb.cli', 'v2', ...model, ...options];
  return [...served, await start('infinity', true, '/embeddings', (port) => [...infinity, `${port}`])];
}

async function startServer(
  about: Pick<Served, 'name' | 'isRival' | 'path' | 'precision'>,
  threads: number,
  command: (port: number) => readonly string[],
): Promise<Served> {
  const port = await freePort();
  const [program, ...args] = command(port) as [string, ...string[]];
  const own = { HF_HUB_OFFLINE: '1', DO_NOT_TRACK: '1', OMP_NUM_THREADS: `${threads}`, BERTHA_THREADS: `${threads}` };
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...own } });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)));
  process.once('exit', () => child.kill('SIGKILL'));
  await untilReady(child, `http://127.0.0.1:${port}/health`, about.name, () => said);
  child.kill('SIGSTOP');
  return { ...about, pid: child.pid!, port, resume: () => child.kill('SIGCONT'), pause: () => child.kill('SIGSTOP') };
}

async function untilReady(child: ChildProcess, url: string, name: string, said: () => string): Promise<void> {
  for (const end = performance.now() + kLoadMs; performance.now() < end; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`Expected ${name} to serve but its process ended with ${child.exitCode}: ${said()}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error(`Expected ${name} to serve within ${kLoadMs / 1000} s but it did not: ${said()}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
