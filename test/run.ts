// Runs test/FOLDER/NAME.test.ts, each file in a process of its own, two at a time, and ends with `N passed, N failed, N skipped`.
//   node --import tsx test/run.ts [NAME...] [!NAME...] [--only TEXT] [--watch]
// NAME: only files whose name contains one of them, FOLDER/ those of a folder; none that contains a !NAME. --only: only tests whose name contains TEXT.
// --watch: again after each change of src, test or native, built before.
// uvu alone exits 0 when nothing ran and counts no skips with reasons; this fails when no test ran, and names what was missing.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { skipMark } from './support/skip.js';

const testDirectory = fileURLToPath(new URL('.', import.meta.url));
const { values: flags, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, watch: { type: 'boolean', default: false } },
});
const fileLimitMs = Number(process.env['BERTHA_TEST_LIMIT_S'] ?? 1800) * 1000;
// Tests start processes in other folders: a relative path would mean another file there.
const addon = process.env['BERTHA_ADDON'] ? { BERTHA_ADDON: resolvePath(process.env['BERTHA_ADDON']) } : {};
const only = flags.only === undefined ? {} : { BERTHA_TEST_ONLY: flags.only };
const jobs = Number(process.env['BERTHA_TEST_JOBS'] ?? Math.min(2, availableParallelism()));
/** They measure time against time, or turns of the event loop: each runs alone, after the others. */
const measuring = new Set(['deadline', 'event-loop', 'tokenizer', 'words-event-loop']);
/** They mostly wait: one after the other beside the others, which have the processors to themselves. */
const waiting = new Set(['hub-faults', 'queue']);
/** They begin first, so that none of them is left over at the end while the other process has nothing to do. */
const longest = ['cuda', 'soak', 'bundlers', 'cli', 'build', 'package', 'precision', 'cli-files', 'stored-bits', 'tokenizer-kinds'];

interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipReasons: readonly string[];
  readonly output: string;
}

function runFile(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' };
    const child = spawn(process.execPath, ['--import', 'tsx', testDirectory + file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...addon, ...color, ...only },
      timeout: fileLimitMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('close', (code, signal) => resolve(readOutcome(file, stdout, stderr, code, signal)));
  });
}

function readOutcome(file: string, stdout: string, stderr: string, code: number | null, signal: string | null): Outcome {
  const count = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(stripColor(stdout))?.[1] ?? 0);
  const lines = stderr.split('\n');
  const skipReasons = lines.filter((line) => line.startsWith(skipMark)).map((line) => line.slice(skipMark.length));
  const noise = lines.filter((line) => !line.startsWith(skipMark)).join('\n');
  const total = count('Total');
  let failed = total - count('Passed');
  let verdict = '';
  if (total === 0 && code === 0 && flags.only !== undefined) return { file, passed: 0, failed: 0, skipReasons, output: '' };
  if (total === 0) {
    failed = 1;
    verdict = `${file}: expected at least one test but none reported (exit code ${code}, signal ${signal})\n`;
  } else if (failed === 0 && code !== 0) {
    failed = 1;
    verdict = `${file}: every test passed, but the process ended with exit code ${code}, signal ${signal}\n`;
  }
  return { file, passed: Math.max(0, count('Passed') - skipReasons.length), failed, skipReasons, output: stdout + noise + verdict };
}

function stripColor(text: string): string {
  return text.replace(/\u001b\[\d+m/g, '');
}

function report(outcome: Outcome, seconds: number): void {
  if (outcome.passed + outcome.failed + outcome.skipReasons.length === 0) return;
  const { passed, failed, skipReasons, output } = outcome;
  const skipped = skipReasons.length > 0 ? `, ${skipReasons.length} skipped` : '';
  const verdict = failed > 0 ? 'FAIL' : 'ok  ';
  process.stdout.write(`${verdict} ${nameOf(outcome.file).padEnd(28)} ${passed} tests${skipped}, ${seconds.toFixed(1)} s\n`);
  if (failed > 0) process.stdout.write(`${output}\n`);
}

/** The name that a filter sees, without the folder. */
function nameOf(file: string): string {
  return basename(file, '.test.ts');
}

/** The file's place in `longest`; all others come after these. */
function rankOf(file: string): number {
  const place = longest.indexOf(nameOf(file));
  return place < 0 ? longest.length : place;
}

/** The test files, the longest first, the others by name: not what packages of their own (test/bundlers) bring along. */
function testFiles(): string[] {
  const folders = readdirSync(testDirectory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = folders.flatMap(({ name }) => readdirSync(testDirectory + name).map((file) => `${name}/${file}`));
  return files.filter((file) => file.endsWith('.test.ts')).sort((a, b) => rankOf(a) - rankOf(b) || nameOf(a).localeCompare(nameOf(b)));
}

async function runAll(): Promise<void> {
  const wanted = filters.filter((filter) => !filter.startsWith('!'));
  const unwanted = filters.filter((filter) => filter.startsWith('!')).map((filter) => filter.slice(1));
  const matches = (file: string, name: string): boolean => (name.includes('/') ? file : nameOf(file)).includes(name);
  const isWanted = (file: string): boolean => wanted.length === 0 || wanted.some((name) => matches(file, name));
  const files = testFiles().filter((file) => isWanted(file) && !unwanted.some((name) => matches(file, name)));
  const outcomes: Outcome[] = [];
  const run = async (queue: string[]): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const start = performance.now();
      const outcome = await runFile(file);
      report(outcome, (performance.now() - start) / 1000);
      outcomes.push(outcome);
    }
  };
  const isBeside = (file: string): boolean => jobs > 1 && waiting.has(nameOf(file));
  const together = files.filter((file) => !measuring.has(nameOf(file)) && !isBeside(file));
  await Promise.all([run(files.filter(isBeside)), ...Array.from({ length: jobs }, () => run(together))]);
  await run(files.filter((file) => measuring.has(nameOf(file))));

  const skipReasons = outcomes.flatMap((outcome) => outcome.skipReasons);
  for (const reason of [...new Set(skipReasons)].sort()) {
    process.stdout.write(`skipped ${skipReasons.filter((other) => other === reason).length}: ${reason}\n`);
  }
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  if (passed + failed + skipReasons.length === 0)
    process.stdout.write(`No test ran: ${[...filters, flags.only ?? ''].join(' ').trim() || testDirectory} matches nothing\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipReasons.length} skipped\n`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

/** Runs again and again: after a change, once nothing has changed for a moment. */
function watchAndRun(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  const again = async (): Promise<void> => {
    if (isRunning) return void (timer = setTimeout(() => void again(), 200));
    isRunning = true;
    const built = spawnSync(process.execPath, ['scripts/prepare.mjs'], { cwd: root, stdio: 'inherit' });
    if (built.status === 0) await runAll();
    process.stdout.write('waiting for a change in src, test or native; Ctrl-C ends\n');
    isRunning = false;
  };
  for (const folder of ['src', 'test', 'native']) {
    watch(resolvePath(root, folder), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => void again(), 200);
    });
  }
  void again();
}

if (flags.watch) watchAndRun();
else await runAll();
