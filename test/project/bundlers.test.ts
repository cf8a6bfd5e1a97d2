import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { isFull } from '../support/full.js';
import { checkout, runNode } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

// What docs/bundlers.md says, done. The tools lie in a folder of their own: npm ci --prefix test/bundlers --ignore-scripts.
const folder = join(checkout, 'test', 'bundlers');
const modules = join(folder, 'node_modules');
const output = join(folder, 'build');
const away = mkdtempSync(join(tmpdir(), 'bertha-bundles-'));
const addon = resolve(process.env['BERTHA_ADDON'] || join(checkout, 'build', 'Release', 'bertha.node'));
const model = join(checkout, 'test', 'golden', 'sentence', 'normalize');
const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
const platform = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;

const t = suite('bundlers');
let expected: unknown;

/** The package as npm installs it, with a small model in place of the bundled one. */
function installPackage(): void {
  for (const name of ['bertha-encoder', '@bertha-encoder']) rmSync(join(modules, name), { recursive: true, force: true });
  const place = (name: string, files: Readonly<Record<string, string>>, manifest: object): void => {
    mkdirSync(join(modules, name), { recursive: true });
    for (const [to, from] of Object.entries(files)) cpSync(from, join(modules, name, to), { recursive: true });
    writeFileSync(join(modules, name, 'package.json'), JSON.stringify(manifest));
  };
  const main = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as object;
  place('bertha-encoder', { dist: join(checkout, 'dist') }, main);
  place(`@bertha-encoder/${platform}`, { 'bertha.node': addon }, { name: `@bertha-encoder/${platform}`, version });
  const weights = '@bertha-encoder/weights-all-minilm-l6-v2';
  place(weights, { '.': model }, { name: weights, version: '1.0.0' });
}

/** Whether a tool is there; the test that it is for says otherwise what is missing. */
function has(...names: readonly string[]): boolean {
  const missing = names.filter((name) => !existsSync(join(modules, name)));
  if (missing.length > 0) skip(`${missing.join(', ')} not installed: npm ci --prefix test/bundlers --ignore-scripts`);
  return missing.length === 0;
}

async function run(args: readonly string[], { cwd = folder, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  const { code, output: printed } = await runNode(cwd, args, env);
  assert.is(code, 0, printed);
  return printed;
}

/** What a program prints last, as JSON. */
const lastLine = (printed: string): unknown => JSON.parse(printed.trim().split('\n').at(-1) ?? '');

/** A program of another runtime than Node.js, whose npm package holds one binary a platform. */
async function runOther(binary: string, args: readonly string[]): Promise<string> {
  const child = spawn(binary, args, { cwd: folder });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const code = await new Promise((done) => child.on('close', done));
  assert.is(code, 0, printed);
  return printed;
}

t.before(async () => {
  if (!existsSync(modules)) return;
  installPackage();
  expected = lastLine(await run([join('apps', 'embed.mjs')]));
  assert.ok(Array.isArray((expected as { vector?: unknown }).vector), JSON.stringify(expected));
});

t.after(() => {
  for (const path of [away, output, join(modules, 'bertha-encoder'), join(modules, '@bertha-encoder')]) {
    rmSync(path, { recursive: true, force: true });
  }
});

const bundlers: readonly (readonly [bundler: string, file: string, packages: readonly string[]])[] = [
  ['webpack', 'webpack.cjs', ['webpack']],
  ['vite', 'vite.mjs', ['vite']],
  ['esbuild-esm', 'esbuild.mjs', []],
  ['esbuild-cjs', 'esbuild.cjs', []],
  ['rollup-esm', 'rollup.mjs', ['rollup', '@rollup/plugin-node-resolve']],
  ['rollup-cjs', 'rollup.cjs', ['rollup', '@rollup/plugin-node-resolve']],
];

for (const [bundler, file, packages] of bundlers) {
  t(`${bundler}: a bundle is built without warnings and finds its files`, async () => {
    if (!has('bertha-encoder', ...packages)) return;
    assert.is(await run(['build.mjs', bundler, 'embed.mjs', join(output, file)]), '');
    assert.equal(lastLine(await run([join(output, file)])), expected);
  });

  t(`${bundler}: a bundle that was carried away finds packages below the working directory, or says what to do`, async () => {
    if (!has('bertha-encoder', ...packages)) return;
    // The bundle may hold the address of the source it was made of, which is not there on another machine.
    const hidden = ['bertha-encoder', '@bertha-encoder'].map(
      (name) => [join(modules, name), join(away, name.replace('@', 'scope-'))] as const,
    );
    const bundle = join(away, bundler, file);
    mkdirSync(dirname(bundle), { recursive: true });
    cpSync(join(output, file), bundle);
    for (const [from, to] of hidden) renameSync(from, to);
    try {
      const bare = lastLine(await run([bundle], { cwd: away })) as { code: string; message: string };
      assert.is(bare.code, 'MODEL_NOT_FOUND');
      assert.match(bare.message, 'set BERTHA_MODEL_DIR');
      const withModel = lastLine(await run([bundle], { cwd: away, env: { BERTHA_MODEL_DIR: model } })) as typeof bare;
      assert.is(withModel.code, 'ADDON_LOAD');
      assert.match(withModel.message, 'set BERTHA_ADDON');
      assert.equal(lastLine(await run([bundle], { cwd: away, env: { BERTHA_MODEL_DIR: model, BERTHA_ADDON: addon } })), expected);
      const below = join(away, 'below');
      mkdirSync(join(below, 'node_modules'), { recursive: true });
      cpSync(hidden[1]![1], join(below, 'node_modules', '@bertha-encoder'), { recursive: true });
      assert.equal(lastLine(await run([bundle], { cwd: below })), expected);
    } finally {
      for (const [from, to] of hidden) renameSync(to, from);
    }
  });
}

t('esbuild: a bundle takes its files from beside it when configure says so', async () => {
  if (!has('bertha-encoder')) return;
  const home = join(away, 'configured');
  assert.is(await run(['build.mjs', 'esbuild-esm', 'configured.mjs', join(home, 'program.mjs')]), '');
  cpSync(addon, join(home, 'bertha.node'));
  cpSync(model, join(home, 'model'), { recursive: true });
  assert.equal(lastLine(await run([join(home, 'program.mjs')], { cwd: away })), expected);
});

/** Starts a server of Next.js, asks it for /embed and stops it. */
async function askNext(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, ...env, NEXT_TELEMETRY_DISABLED: '1', PORT: '0', HOSTNAME: '127.0.0.1' },
  });
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let printed = '';
      const look = (text: string): void => {
        printed += text;
        const [url] = /http:\/\/(?:localhost|127\.0\.0\.1):[1-9]\d*/.exec(printed) ?? [];
        if (url !== undefined && /Ready/.test(printed)) resolve(url);
      };
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', look);
      child.on('close', () => reject(new Error(printed)));
    });
    return await (await fetch(`${address}/embed`)).json();
  } finally {
    child.kill('SIGKILL');
  }
}

const next = join(modules, 'next', 'dist', 'bin', 'next');
const nextApp = join(folder, 'next-app');

/** Builds the app and returns what the build printed and where it lies. */
async function buildNext(
  name: string,
  flags: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ printed: string; folder: string }> {
  rmSync(join(nextApp, 'build', name), { recursive: true, force: true });
  const printed = await run([next, 'build', ...flags], {
    cwd: nextApp,
    env: { NEXT_APP_DIST: join('build', name), NEXT_TELEMETRY_DISABLED: '1', ...env },
  });
  assert.not.match(printed, /warn|failed|critical/i, printed);
  return { printed, folder: join(nextApp, 'build', name) };
}

t('Next.js with Turbopack: builds without warnings and answers the first request', async () => {
  if (!has('bertha-encoder', 'next')) return;
  await buildNext('turbopack', []);
  const answer = await askNext([next, 'start'], nextApp, { NEXT_APP_DIST: join('build', 'turbopack') });
  assert.equal(answer, expected);
});

t('Next.js with webpack: a standalone build answers away from the project', async () => {
  if (!isFull) return skip('only with BERTHA_TEST_FULL=1');
  if (!has('bertha-encoder', 'next')) return;
  const { folder: built } = await buildNext('webpack', ['--webpack'], { NEXT_APP_STANDALONE: '1' });
  cpSync(join(built, 'standalone'), join(away, 'standalone'), { recursive: true, verbatimSymlinks: true });
  assert.equal(await askNext(['server.js'], join(away, 'standalone', 'next-app'), {}), expected);
});

t('Jest: CommonJS, as it comes', async () => {
  if (!has('bertha-encoder', 'jest')) return;
  const config = JSON.stringify({ testMatch: ['**/*.test.cjs'] });
  assert.match(await run([join(modules, 'jest', 'bin', 'jest.js'), '--rootDir', 'jest', `--config=${config}`]), 'Tests:       2 passed');
});

t('Jest: ES modules', async () => {
  if (!has('bertha-encoder', 'jest')) return;
  const config = JSON.stringify({ testMatch: ['**/*.test.mjs'] });
  const jest = ['--experimental-vm-modules', join(modules, 'jest', 'bin', 'jest.js'), '--rootDir', 'jest', `--config=${config}`];
  assert.match(await run(jest), 'Tests:       2 passed');
});

for (const pool of ['forks', 'vmThreads']) {
  t(`Vitest: pool ${pool}`, async () => {
    if (!has('bertha-encoder', 'vitest')) return;
    const printed = await run([join(modules, 'vitest', 'vitest.mjs'), 'run', '--root', 'vitest', '--pool', pool], {
      env: { NO_COLOR: '1' },
    });
    assert.match(printed, /Tests {2}2 passed/);
  });
}

t('Bun bundles it', async () => {
  if (!has('bertha-encoder', '@oven/bun-linux-x64')) return;
  const bun = join(modules, '@oven', 'bun-linux-x64', 'bin', 'bun');
  await runOther(bun, ['build', '--target', 'node', join('apps', 'embed.mjs'), '--outfile', join(output, 'bun.mjs')]);
  assert.equal(lastLine(await run([join(output, 'bun.mjs')])), expected);
});

t.run();
