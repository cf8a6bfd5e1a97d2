import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** How a process ended, and the end of what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly said: string;
}

/** `bertha serve` as a process. */
export interface ServeProcess {
  readonly port: number;
  readonly ended: Promise<Ended>;
  terminate(): void;
  /** Resident memory in MiB and open descriptors, when the connections that nobody uses are closed. */
  settled(): Promise<{ readonly memory: number; readonly descriptors: number }>;
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Starts the server on a free port, with `flags` of the command, and waits until it is ready. */
export async function startServer(flags: readonly string[] = []): Promise<ServeProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [main, 'serve', '--port', `${port}`, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)));
  const ended = new Promise<Ended>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, said })));
  for (const end = performance.now() + 180_000; ; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`Expected a server but its process ended with ${child.exitCode}: ${said}`);
    if ((await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true) break;
    if (performance.now() > end) throw new Error(`Expected the server to be ready within three minutes: ${said}`);
  }
  return {
    port,
    ended,
    terminate: () => child.kill('SIGTERM'),
    settled: async () => {
      await sleep(300);
      const resident = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
      return { memory: Number(resident![1]) / 1024, descriptors: readdirSync(`/proc/${child.pid}/fd`).length };
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
