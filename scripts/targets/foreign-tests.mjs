// Runs the repository's own test files where neither tsx nor esbuild can: transpiled once into build-targets/tests, each file by a Node.js of
// another system. Used by check:musl and check:windows.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { inRoot, listFiles } from '../build/project.mjs';
import { targetsFolder } from './zig.mjs';

export const testsFolder = join(targetsFolder, 'tests');
const skipMark = '# skipped: ';

/** Transpiles src/, test/ and scripts/ and copies what else is in them: tests write into copies of folders, and a link's copy would be the repository's file. */
export async function stageTests() {
  rmSync(testsFolder, { recursive: true, force: true });
  const isSource = (file) => file.endsWith('.ts') && !file.endsWith('.d.ts');
  const entryPoints = listFiles('src', 'test', 'scripts').filter((file) => isSource(file) && !file.includes('node_modules'));
  await build({
    entryPoints: entryPoints.map((file) => inRoot(file)),
    outdir: testsFolder,
    outbase: inRoot(),
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  const filter = (file) => !isSource(file) && basename(file) !== 'node_modules';
  for (const name of ['src', 'test', 'scripts', 'package.json', 'README.md'])
    cpSync(inRoot(name), join(testsFolder, name), { recursive: true, filter });
  for (const name of ['node_modules', 'weights', 'dist', 'docs'])
    if (existsSync(inRoot(name))) symlinkSync(inRoot(name), join(testsFolder, name));
}

/** The transpiled files of tests by name, with their folder where the name alone is not enough (`native/ops-rows`). */
export function testFiles(names) {
  const all = listFiles('test').filter((file) => file.endsWith('.test.ts'));
  return names.map((name) => {
    const found = all.find((file) => file.endsWith(`/${name}.test.ts`));
    if (found === undefined) throw new Error(`Expected a test file ${name}.test.ts but there is none.`);
    return join(testsFolder, found.replace(/\.ts$/, '.js'));
  });
}

/** Runs a program with its output in a file: node.exe under wine dies where that is a pipe. Resolves to `{ code, output }`. */
export function runToFile(command, args, { env, log, cwd = testsFolder, limitMs = 600_000 }) {
  const fd = openSync(log, 'w');
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', ...env },
    stdio: ['ignore', fd, fd],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  closeSync(fd);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: readFileSync(log, 'utf8') }));
  });
}

/**
 * Runs test files one after the other and prints a line for each, then what was skipped and why, then the sum as test/run.ts does. `start(file)`
 * gives `{ command, args }`. A file that ends without its tests, or not with exit code 0, has failed. Returns the number of failures.
 */
export async function runTests(names, start, env) {
  const sum = { passed: 0, failed: 0, skipped: [] };
  for (const file of testFiles(names)) {
    const { command, args } = start(file);
    const begin = performance.now();
    const { code, output } = await runToFile(command, args, { env, log: `${file}.log` });
    const count = (label) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
    const skipped = output.split(/\r?\n/).filter((line) => line.startsWith(skipMark));
    const total = count('Total');
    const failed = total === 0 || (code !== 0 && total === count('Passed')) ? 1 : total - count('Passed');
    const passed = Math.max(0, count('Passed') - skipped.length);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    process.stdout.write(
      `${failed > 0 ? 'FAIL' : 'ok  '} ${basename(file, '.test.js').padEnd(24)} ${passed} tests${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}, ${seconds} s\n`,
    );
    if (failed > 0) process.stdout.write(`exit code ${code}\n${output}\n`);
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped.push(...skipped.map((line) => line.slice(skipMark.length)));
  }
  for (const reason of [...new Set(sum.skipped)].sort())
    process.stdout.write(`skipped ${sum.skipped.filter((other) => other === reason).length}: ${reason}\n`);
  process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped.length} skipped\n`);
  return sum.failed;
}

/** Ends the check as skipped, naming what is missing and how to get it. */
export function skipCheck(name, missing, remedy) {
  process.stdout.write(`${name} skipped: ${missing}\n  ${remedy}\n`);
  process.exit(process.env.BERTHA_REQUIRE_FOREIGN === '1' ? 1 : 0);
}

/** `command --version` and the like: its output, or undefined where it cannot be started. */
export function versionOf(command, ...args) {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return error === undefined ? `${stdout}${stderr}` : undefined;
}
