// Compiles the CUDA backend with the emulator in place of a GPU: needs neither nvcc nor CUDA headers.   node scripts/cuda-emulated.mjs
//   build/cuda-emulated/bertha.node      the addon: BERTHA_ADDON=build/cuda-emulated/bertha.node, device 'cuda'
//   build/cuda-emulated/kernels_test     every op against float64
//   build/cuda-emulated/emulator_test    broken kernels that the emulator must catch
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './build/lock.mjs';
import { inRoot, packageJson } from './build/project.mjs';
import { compiler, nodeHeadersPrefix } from './build/toolchain.mjs';

const folder = inRoot('build', 'cuda-emulated');
const flagsFile = join(folder, 'flags.json'); // newer than an object: other flags
const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const prefix = nodeHeadersPrefix();
if (prefix === undefined) throw new Error('Expected include/node beside the node binary but did not find it.');
const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
const [program, ...compilerArguments] = compiler().split(' ');
const flags = [
  ...compilerArguments,
  ...variables.bertha_cflags.filter((flag) => flag !== '-O3'),
  '-O2',
  '-Wno-unknown-pragmas',
  ...variables.bertha_defines.map((define) => `-D${define}`),
  '-DBERTHA_CUDA=1',
  '-DBERTHA_CUDA_EMULATED=1',
  '-DBERTHA_BUILDER="emulated"',
  `-DBERTHA_VERSION="${packageJson.version}"`,
  ...['native', 'test/native', addonApi].map((path) => `-I${path.startsWith('/') ? path : inRoot(path)}`),
  `-isystem${join(prefix, 'include', 'node')}`,
];

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1;
const objectOf = (source) => join(folder, `${source.replaceAll('/', '_')}.o`);

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: inRoot(), stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`Expected ${args.at(-1)} to compile but it did not.`))));
  });
}

/** Compiles unless the object is newer than all that its last compilation read. */
async function compile(source) {
  const object = objectOf(source);
  const depends = `${object}.d`;
  const inputs =
    modified(depends) > 0 ? readFileSync(depends, 'utf8').replaceAll('\\\n', ' ').split(/\s+/).slice(1).filter(Boolean) : undefined;
  const fresh = inputs?.every((input) => {
    const time = modified(input);
    return time > 0 && time < modified(object);
  });
  if (fresh && modified(flagsFile) < modified(object)) return;
  await run([...flags, '-MMD', '-MF', depends, '-c', inRoot(source), '-o', `${object}.new`]);
  renameSync(`${object}.new`, object);
}

async function link(output, sources, linkFlags) {
  const target = join(folder, output);
  await run([...sources.map(objectOf), ...linkFlags, '-pthread', '-o', `${target}.new`]);
  renameSync(`${target}.new`, target);
}

mkdirSync(folder, { recursive: true });
const text = JSON.stringify([program, flags]);
if (modified(flagsFile) < 0 || readFileSync(flagsFile, 'utf8') !== text) writeFileSync(flagsFile, text);
const emulated = [...variables.bertha_cuda_host_sources, ...variables.bertha_cuda_emulated_sources];
const engine = ['native/engine/allocator.cc', 'native/engine/program.cc'];
const tests = ['test/native/cuda/kernels_test.cc', 'test/native/cuda/emulator_test.cc'];
await withLock(join(folder, 'lock'), build);

async function build() {
  const queue = [...new Set([...variables.bertha_sources, ...emulated, ...tests])];
  await Promise.all(
    Array.from({ length: 2 }, async () => {
      for (let source = queue.shift(); source !== undefined; source = queue.shift()) await compile(source);
    }),
  );
  await link(
    'bertha.node',
    [...variables.bertha_sources, ...emulated],
    ['-shared', `-Wl,--version-script=${inRoot(variables.bertha_exports)}`],
  );
  for (const test of tests) {
    await link(test.split('/').at(-1).replace('.cc', ''), [test, ...emulated, ...engine], []);
  }
}
