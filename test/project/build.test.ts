import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { checkout, makeMiniCheckout, runNode, type Finished } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';

const folder = makeMiniCheckout();
const output = join(folder, 'build', 'Release', 'bertha.node');
const prepare = (env: NodeJS.ProcessEnv = {}): Promise<Finished> => runNode(folder, ['scripts/prepare.mjs'], env);
const compiles = (finished: Finished): number => finished.output.split('compiled the addon').length - 1;
const addonSource = join(folder, 'native', 'addon.cc');
const headersBesideNode = existsSync(join(dirname(dirname(process.execPath)), 'include', 'node', 'node_version.h'));

/** What a child process finds in the addon: a process keeps the first version of a file that it loaded. */
function readAddon(file: string): unknown {
  const script = `console.log(JSON.stringify(require(${JSON.stringify(file)})))`;
  return JSON.parse(spawnSync(process.execPath, ['--eval', script], { encoding: 'utf8' }).stdout);
}

const t = suite('build');
t.after(() => rmSync(folder, { recursive: true, force: true }));

t('compiles dist and an addon that knows its builder and version', async () => {
  const { code, output: text } = await prepare();
  assert.is(code, 0, text);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  assert.equal(readAddon(output), { builder: 'node-gyp', version });
  assert.ok(existsSync(join(folder, 'dist', 'index.js')));
});

t('does nothing, in under a second, when nothing changed', async () => {
  const before = statSync(output).mtimeMs;
  const runs = [await prepare(), await prepare(), await prepare()];
  assert.equal(
    runs.map((run) => run.output),
    ['', '', ''],
  );
  const fastest = Math.min(...runs.map((run) => run.seconds)); // the machine may be busy with other tests
  assert.ok(fastest < 1, `took ${fastest} s`);
  assert.is(statSync(output).mtimeMs, before);
});

t('does nothing when only the time of a source changed', async () => {
  utimesSync(addonSource, new Date(), new Date());
  assert.is((await prepare()).output, '');
});

t('compiles again when a source changed', async () => {
  appendFileSync(addonSource, '// changed\n');
  assert.is(compiles(await prepare()), 1);
  assert.is((await prepare()).output, '');
});

t('compiles again with other compiler flags', async () => {
  assert.is(compiles(await prepare({ CXXFLAGS: '-DBERTHA_OTHER' })), 1);
  assert.is(compiles(await prepare()), 1);
});

t('compiles TypeScript again, and drops files of deleted sources', async () => {
  writeFileSync(join(folder, 'src', 'extra.ts'), 'export const extra = 1;\n');
  assert.match((await prepare()).output, 'compiled TypeScript');
  assert.ok(existsSync(join(folder, 'dist', 'extra.js')));
  rmSync(join(folder, 'src', 'extra.ts'));
  assert.match((await prepare()).output, 'compiled TypeScript');
  assert.not(existsSync(join(folder, 'dist', 'extra.js')));
});

t('remembers that CUDA was asked for or refused', async () => {
  const flags = (): unknown => JSON.parse(readFileSync(join(folder, 'build', 'state', 'flags.json'), 'utf8'));
  assert.is((await prepare({ BERTHA_CUDA: '0' })).code, 0);
  assert.equal(flags(), { asked: '0' });
  assert.is((await prepare()).output, '');
  const refused = await prepare({ BERTHA_CUDA: 'yes' });
  assert.is(refused.code, 1);
  assert.match(refused.output, 'Expected 0, 1 or emulated for BERTHA_CUDA but received yes');
});

t('compiles once when two start at the same time', async () => {
  appendFileSync(addonSource, '// changed again\n');
  const both = await Promise.all([prepare(), prepare()]);
  assert.equal(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.is(
    both.reduce((sum, finished) => sum + compiles(finished), 0),
    1,
  );
});

t('takes over the lock of a process that died', async () => {
  const lock = join(folder, 'build', 'state', 'node-gyp.lock');
  const died = spawnSync(process.execPath, ['--eval', '0']).pid;
  writeFileSync(lock, `${died} 1`);
  appendFileSync(addonSource, '// changed after a crash\n');
  assert.is(compiles(await prepare()), 1);
  assert.not(existsSync(lock));
});

t('does not take a process with a reused id for the holder of the lock', async () => {
  if (process.platform !== 'linux') return skip('process start times (Linux)');
  writeFileSync(join(folder, 'build', 'state', 'node-gyp.lock'), `${process.pid} 1`);
  appendFileSync(addonSource, '// changed after another crash\n');
  assert.is(compiles(await prepare()), 1);
});

t('shows what the compiler said, fails, and keeps the addon that worked', async () => {
  const source = readFileSync(addonSource, 'utf8');
  writeFileSync(addonSource, `${source}\nthis is not C++\n`);
  const { code, output: text } = await prepare();
  assert.is(code, 1);
  assert.match(text, /addon\.cc:\d+:\d+: error/);
  assert.ok(readAddon(output));
  writeFileSync(addonSource, source);
  assert.is(compiles(await prepare()), 1);
});

t('downloads nothing where the headers lie beside the node binary', async () => {
  if (!headersBesideNode) return skip('Node.js headers beside the node binary');
  const home = mkdtempSync(join(tmpdir(), 'bertha-home-'));
  rmSync(join(folder, 'build'), { recursive: true, force: true });
  const nowhere = 'http://127.0.0.1:9';
  const { code, output: text } = await prepare({
    HOME: home,
    npm_config_userconfig: '/dev/null',
    https_proxy: nowhere,
    http_proxy: nowhere,
  });
  assert.is(code, 0, text);
  assert.not(existsSync(join(home, '.cache', 'node-gyp')));
  rmSync(home, { recursive: true, force: true });
});

t('names the tools that are missing and how to get them', async () => {
  rmSync(output);
  const { code, output: text } = await prepare({ PATH: '/nowhere', CXX: '' });
  assert.is(code, 1);
  assert.match(text, 'did not find a C++17 compiler, make, Python 3');
  assert.match(text, 'apt-get install g++ make python3');
});

t('builds nothing, and says so, without development dependencies', async () => {
  const bare = makeMiniCheckout();
  rmSync(join(bare, 'node_modules'));
  const { code, output: text } = await runNode(bare, ['scripts/prepare.mjs']);
  assert.is(code, 0);
  assert.match(text, 'development dependencies are not installed');
  rmSync(bare, { recursive: true, force: true });
});

t('compiles the same list with cmake-js, in a folder of its own', async () => {
  if (spawnSync('cmake', ['--version']).status !== 0) return skip('cmake');
  const { code, output: text } = await runNode(folder, ['scripts/build-cmake.mjs']);
  assert.is(code, 0, text);
  const addon = readAddon(join(folder, 'build-cmake', 'Release', 'bertha.node')) as { builder: string };
  assert.is(addon.builder, 'cmake-js');
  assert.is((await runNode(folder, ['scripts/build-cmake.mjs'])).output, '');
});

t('npx in the checkout rebuilds nothing after npm ci', async () => {
  const outputs = ['build/Release/bertha.node', 'dist/cli/main.js', 'build/state/node-gyp.json', 'build/state/dist.json'];
  const times = (): number[] => outputs.map((file) => statSync(join(checkout, file)).mtimeMs);
  const npx = join(
    dirname(createRequire(import.meta.url).resolve('npm/package.json', { paths: [join(dirname(dirname(process.execPath)), 'lib')] })),
    'bin',
    'npx-cli.js',
  );
  // An npm cache of its own: npx runs prepare when it meets a checkout for the first time.
  const cache = mkdtempSync(join(tmpdir(), 'bertha-npx-'));
  const flags = { CXXFLAGS: process.env['CXXFLAGS'] ?? '' };
  const current = await runNode(checkout, ['scripts/prepare.mjs'], flags);
  assert.is(current.code, 0, current.output);
  const before = times();
  const { code, output: text } = await runNode(checkout, [npx, '--yes', 'bertha', '--version'], {
    ...flags,
    npm_config_cache: cache,
    npm_config_offline: 'true',
  });
  assert.is(code, 0, text);
  assert.match(text, /^\d+\.\d+\.\d+/m);
  assert.equal(times(), before);
  rmSync(cache, { recursive: true, force: true });
});

t.run();
