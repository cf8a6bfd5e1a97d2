// Worker processes of a queue and what they told.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

export interface WorkerEvent {
  readonly event: string;
  /** Of the unit. */
  readonly number?: number;
  readonly embedded?: number;
  readonly reason?: string;
  readonly isFinal?: boolean;
}

export interface WorkerProcess {
  readonly events: readonly WorkerEvent[];
  readonly stderr: () => string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code once it is gone. */
  readonly gone: Promise<number | null>;
  /** Waits for an event. */
  until(event: string, count?: number): Promise<void>;
}

const running = new Set<ChildProcess>();
const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Scripts of this folder by name, compiled once: a worker then starts in a third of the time that tsx needs. */
const programs = new Map<string, string>();

function programOf(script: string): string {
  const known = programs.get(script);
  if (known !== undefined) return known;
  const entryPoints = [fileURLToPath(new URL(script, import.meta.url))];
  const built = buildSync({
    entryPoints,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
  });
  const program = built.outputFiles[0]!.text;
  programs.set(script, program);
  return program;
}

/** Starts one, of a script beside this file; it has a connection once it tells 'ready'. */
export function startProcess(
  url: string,
  name: string,
  { lockMs = 1000, graceMs = 10_000, script = 'queue-worker.ts' } = {},
): WorkerProcess {
  // Packages are looked for from the folder that it runs in.
  const args = ['--input-type=module', '-', url, name, String(lockMs), String(graceMs)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(programOf(script));
  running.add(child);
  const events: WorkerEvent[] = [];
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (stdout + text).split('\n');
    stdout = lines.pop() ?? '';
    events.push(...lines.map((line) => JSON.parse(line) as WorkerEvent));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const gone = once(child, 'close').then(([code]) => (running.delete(child), code as number | null));
  const of = (event: string): number => events.filter((each) => each.event === event).length;
  return {
    events,
    stderr: () => stderr,
    gone,
    signal: (name) => void child.kill(name),
    async until(event, count = 1) {
      for (let i = 0; of(event) < count; i++) {
        if (child.exitCode !== null || i > 3000) throw new Error(`no '${event}' came: ${JSON.stringify(events.slice(-3))} ${stderr}`);
        await sleep(20);
      }
    },
  };
}

/** Ends those that a failed test has left. */
export async function endProcesses(): Promise<void> {
  const ended = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
}
