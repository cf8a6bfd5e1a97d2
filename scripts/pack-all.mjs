// `npm run pack:all [-- TARGET… | --targets] [--cuda]`: the tarballs that people install, in build/packages/: bertha-encoder, the platform package with
// the prebuilt addon for this machine (or those for the TARGETs of scripts/targets/table.mjs, --targets: for all of them, by zig, which takes half an hour at the first
// time), the same with CUDA (--cuda: needs nvcc, takes some minutes), the weights, the jobs and the server. Prints one line for each: file, packed size,
// unpacked size. The checkout's package.json names none of the platform packages, so that npm ci needs nothing unpublished; the packed one
// names those that are packed with it.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon, builders, cudaOf } from './build/addon.mjs';
import { buildDist } from './build/dist.mjs';
import { buildJobs } from './build/jobs.mjs';
import { buildServer } from './build/server.mjs';
import { inRoot, packageJson } from './build/project.mjs';
import { cudaCompiler, findCommand } from './build/toolchain.mjs';
import { newestGlibc, readAddon } from './targets/check.mjs';
import { addonOf, compileTarget } from './targets/compile.mjs';
import { chooseTargets, targetOf, targets } from './targets/table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { targets: { type: 'boolean', default: false }, cuda: { type: 'boolean', default: false } },
});
const output = inRoot('build', 'packages');
const { platform, arch } = process;
const hostLibc = platform !== 'linux' ? undefined : process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
const hostName =
  targetOf(platform, arch, hostLibc) ??
  [platform, arch, ...(hostLibc === undefined ? [] : [hostLibc === 'glibc' ? 'gnu' : 'musl'])].join('-');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

function stage(name, manifest, files) {
  const folder = join(output, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [from, to] of Object.entries(files)) cpSync(from, join(folder, to), { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

const legal = { [inRoot('LICENSE')]: 'LICENSE', [inRoot('NOTICE')]: 'NOTICE' };
const weightsManifest = readJson(inRoot('packages', 'weights', 'package.json'));

function stageMain(platformNames) {
  // What only a checkout needs stays out.
  const checkoutOnly = ['scripts', 'devDependencies', 'allowScripts', 'gypfile', 'binary'];
  const manifest = Object.fromEntries(Object.entries(packageJson).filter(([key]) => !checkoutOnly.includes(key)));
  manifest.optionalDependencies = Object.fromEntries(platformNames.map((name) => [`@bertha-encoder/${name}`, packageJson.version]));
  // The weights, also in 16 and in 8 bits (npm run weights:small).
  const weights = ['', '-fp16', '-int8'].map((suffix) => weightsManifest.name + suffix);
  const each = (value) => Object.fromEntries(weights.map((name) => [name, value]));
  manifest.peerDependencies = { ...packageJson.peerDependencies, ...each(`^${weightsManifest.version}`) };
  manifest.peerDependenciesMeta = { ...packageJson.peerDependenciesMeta, ...each({ optional: true }) };
  const files = { [inRoot('dist')]: 'dist', [inRoot('src')]: 'src', [inRoot('README.md')]: 'README.md' };
  return stage('bertha-encoder', manifest, { ...files, ...legal });
}

function stagePlatform(platformName, { os, cpu, libc }, addon, readme = 'platform') {
  const template = readFileSync(inRoot('packages', 'platform', 'package.json'), 'utf8');
  const manifest = JSON.parse(template.replaceAll('PLATFORM', platformName).replaceAll('VERSION', packageJson.version));
  Object.assign(manifest, { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) });
  return stage(platformName, manifest, {
    [addon]: 'bertha.node',
    [inRoot('packages', readme, 'README.md')]: 'README.md',
    ...legal,
  });
}

function stageWeights() {
  return stage('weights', weightsManifest, { [inRoot('weights', 'all-MiniLM-L6-v2')]: '.', ...legal });
}

/** A package that a clone compiles in packages/, for the version of this one. */
function stageWorkspace(folder) {
  const manifest = readJson(inRoot('packages', folder, 'package.json'));
  delete manifest.devDependencies;
  const files = Object.fromEntries(['dist', 'src', 'README.md'].map((name) => [inRoot('packages', folder, name), name]));
  return stage(manifest.name, manifest, { ...files, ...legal });
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (result.status !== 0)
    throw new Error(`Expected ${command} ${args.join(' ')} to succeed but it failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** The package of this machine's own build, without what only a debugger needs. zig's builds have none of it. */
function stageHost(name, { output: addon }, readme) {
  const folder = stagePlatform(name, { os: platform, cpu: arch, libc: hostLibc }, addon, readme);
  if (findCommand('strip') !== undefined) run('strip', [platform === 'darwin' ? '-x' : '--strip-unneeded', join(folder, 'bertha.node')]);
  return folder;
}

/** The oldest glibc that has every symbol version the addon asks for. */
function requiredGlibc(folder) {
  const file = join(folder, 'bertha.node');
  const minor = existsSync(file) ? newestGlibc(readAddon(readFileSync(file))) : -1;
  return minor < 0 ? '' : `, needs glibc 2.${minor}`;
}

await buildDist();
await buildJobs();
await buildServer();
// A checkout may be built with CUDA itself: the package for everybody is not.
const cpu = cudaOf('node-gyp') === '0' ? 'node-gyp' : 'cpu';
const targetNames = values.targets || positionals.length > 0 ? chooseTargets(positionals) : [];
const withTargets = targetNames.length > 0;
for (const name of targetNames) await compileTarget(name);
if (!withTargets) await buildAddon(cpu);
const withCuda = values.cuda;
if (withCuda && (platform !== 'linux' || arch !== 'x64' || cudaCompiler() === undefined))
  throw new Error(`Expected nvcc on linux-x64 for --cuda but found ${cudaCompiler() ?? 'none'} on ${platform}-${arch}.`);
if (withCuda) await buildAddon('cuda');
mkdirSync(output, { recursive: true });
for (const file of readdirSync(output)) if (file.endsWith('.tgz')) rmSync(join(output, file));
const cudaName = `${platform}-${arch}-cuda13`;
if (!withCuda) rmSync(join(output, cudaName), { recursive: true, force: true });
const platformNames = withTargets ? targetNames : [hostName];
// What an earlier run left of other systems would be published with this one's.
for (const name of Object.keys(targets)) if (!platformNames.includes(name)) rmSync(join(output, name), { recursive: true, force: true });
const folders = [
  stageMain(platformNames),
  ...targetNames.map((name) => stagePlatform(name, targets[name], addonOf(name))),
  ...(withTargets ? [] : [stageHost(hostName, builders[cpu], 'platform')]),
  ...(withCuda ? [stageHost(cudaName, builders.cuda, 'cuda')] : []),
  stageWeights(),
  stageWorkspace('jobs'),
  stageWorkspace('server'),
];
for (const folder of folders) {
  const [{ filename, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', output], { cwd: folder }),
  );
  const packed = statSync(join(output, filename)).size;
  process.stdout.write(`build/packages/${filename}  ${packed} bytes packed, ${unpackedSize} bytes unpacked${requiredGlibc(folder)}\n`);
}
