import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';

export type ServedPrecision = 'fp32' | 'int8';

/** A server of the bundled model in a process of its own. */
export interface Served {
  readonly name: string;
  readonly url: string;
  readonly path: string;
  readonly isRival: boolean;
  /** Lets its threads run, or stops them so that they take nothing from whoever is measured. */
  resume(): void;
  pause(): void;
  /** Processor seconds that it has used. */
  processor(): number;
  stop(): void;
}

/** How long a server may take to load. */
const kLoadMs = 120_000;
const kTicksPerSecond = 100;

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The servers that can be measured here at a precision; infinity where a Python that has it is given. */
export async function startServers(precision: ServedPrecision, threads: number, python: string | undefined): Promise<Served[]> {
  const own = [file('../../dist/cli/main.js'), 'serve', '--precision', precision, '--log-level', 'silent'];
  const bertha = await start(`bertha serve ${precision}`, false, '/v1/embeddings', threads, (port) => [
    process.execPath,
    ...own,
    '--port',
    `${port}`,
  ]);
  const handler = await start(`Fastify over transformers.js ${precision}`, true, '/v1/embeddings', threads, (port) => {
    return [process.execPath, '--import', 'tsx', file('transformers-server.ts'), JSON.stringify({ port, precision, threads })];
  });
  const served = [bertha, handler];
  if (python !== undefined && precision === 'fp32') {
    const model = ['--model-id', defaultModelDirectory(), '--served-model-name', 'm', '--dtype', 'float32', '--device', 'cpu'];
    const options = ['--engine', 'torch', '--no-bettertransformer', '--host', '127.0.0.1'];
    const command = [python, '-m', 'infinity_emb.cli', 'v2', ...model, ...options];
    served.push(await start('infinity fp32', true, '/embeddings', threads, (port) => [...command, '--port', `${port}`]));
  }
  return served;
}

async function start(
  name: string,
  isRival: boolean,
  path: string,
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
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, `${url}/health`, name, () => said);
  child.kill('SIGSTOP');
  return {
    name,
    url,
    path,
    isRival,
    resume: () => child.kill('SIGCONT'),
    pause: () => child.kill('SIGSTOP'),
    processor: () => processorSeconds(child.pid!),
    stop: () => child.kill('SIGKILL'),
  };
}

async function untilReady(child: ChildProcess, url: string, name: string, said: () => string): Promise<void> {
  for (const end = performance.now() + kLoadMs; performance.now() < end; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`Expected ${name} to serve but its process ended with ${child.exitCode}: ${said()}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error(`Expected ${name} to serve within ${kLoadMs / 1000} s but it did not: ${said()}`);
}

/** User and system time of a process and its threads. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
