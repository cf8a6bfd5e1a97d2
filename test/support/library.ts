import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Outside of the package nothing finds the addon by itself.
const addon = process.env['BERTHA_ADDON'] ?? join(root, 'build', 'Release', 'bertha.node');

/** A small sentence-transformers model. */
export const smallModel = join(root, 'test', 'golden', 'sentence', 'normalize');
/** The bundled model: real work. */
export const realModel = join(root, 'weights', 'all-MiniLM-L6-v2');

/** Modules as one JavaScript file, so that a process or worker loads them in milliseconds. Returns its URL. */
async function bundle(...modules: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-library-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, 'library.mjs');
  const contents = modules.map((module) => `export * from './${module}';`).join('\n');
  // For what CommonJS packages require of Node.js.
  const banner = {
    js: `import { createRequire } from 'node:module';\nconst require = createRequire(${JSON.stringify(join(root, 'package.json'))});`,
  };
  await build({ stdin: { contents, resolveDir: root }, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error', banner });
  return pathToFileURL(outfile).href;
}

/** Imports everything public from the bundle; for the source of processes and workers. */
export const importLibrary = `const library = ${JSON.stringify(await bundle('src/index.ts'))};
const { loadEmbedder, loadModel, stats } = await import(library);
const smallModel = ${JSON.stringify(smallModel)}, realModel = ${JSON.stringify(realModel)};
`;

/** Imports all of training, and `LearningModel`, as `training`; for the source of processes and workers. */
export async function importTraining(): Promise<string> {
  const url = await bundle('src/training/index.ts', 'src/training/program/learning-model.ts');
  return `const training = await import(${JSON.stringify(url)});\n`;
}

/** Imports all of word vectors as `words`; for the source of processes and workers. */
export async function importWords(): Promise<string> {
  return `const words = await import(${JSON.stringify(await bundle('src/word-vectors/index.ts'))});\n`;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly ms: number;
}

/** How a child process is started and what happens to it. */
export interface ChildOptions {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** It ends by process.exit, a signal or an error, when nothing is given back: a leak sanitizer must not look then. */
  readonly isAbrupt?: boolean;
  /** A command that runs node, such as `['taskset', '-c', '0']`. */
  readonly through?: readonly string[];
  /** Called with each line of its output. */
  readonly onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Environment of processes that end abruptly; see `scripts/sanitize.mjs`. */
export const withoutLeakCheck = { ASAN_OPTIONS: `${process.env['ASAN_OPTIONS'] ?? ''}:detect_leaks=0` };

/** Runs a module in a process of its own until it ends. The library is imported as `importLibrary` says. */
export function runChild(
  body: string,
  { flags = [], environment = {}, isAbrupt = false, through = [], onLine }: ChildOptions = {},
): Promise<Ended> {
  const [command, ...args] = [...through, process.execPath, ...flags, '--input-type=module', '--eval', importLibrary + body];
  const started = performance.now();
  const child = spawn(command!, args, {
    env: { ...process.env, BERTHA_ADDON: addon, ...(isAbrupt ? withoutLeakCheck : {}), ...environment },
  });
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const line of chunk.toString().split('\n')) if (line !== '') onLine?.(line, (signal) => child.kill(signal));
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output, ms: performance.now() - started }));
  });
}

/** Starts a worker_thread on a module; it has the library, `parentPort` and `workerData`. */
export function startWorker(body: string, workerData: unknown = {}): Worker {
  const source = `import { parentPort, workerData } from 'node:worker_threads';\n${importLibrary}${body}`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData,
    env: { ...process.env, BERTHA_ADDON: addon },
  });
}

/** The next message of a worker; rejects when it fails or ends first. */
export function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
}

/** Resolves once a condition holds, looking every few milliseconds; rejects after a while. */
export async function eventually(what: string, holds: () => boolean, limitMs = 20_000): Promise<void> {
  for (const end = performance.now() + limitMs; !holds();) {
    if (performance.now() > end) throw new Error(`expected within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
