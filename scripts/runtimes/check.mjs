// `npm run check:runtimes`: what npm run pack:all makes, installed afresh under every runtime and used as an application would (program.mjs), against the numbers
// of the Node.js that runs this. The binaries come as npm packages into build/runtimes/cache.
//   npm run check:runtimes -- [--quick] [--weights fp16|int8] [NAME...]
// NAME: a version of Node.js (20.19.0, 22, 24, 26), bun or deno. --quick: Bun and Deno. --weights: the small weights of
// npm run weights:small in place of those in float32.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inRoot, packageJson } from '../build/project.mjs';
import { targetOf } from '../targets/table.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, weights: { type: 'string' } },
});
const names = positionals.length > 0 ? positionals : flags.quick ? ['bun', 'deno'] : ['20.19.0', '22', '24', '26', 'bun', 'deno'];
const folder = inRoot('build', 'runtimes');
const packages = inRoot('build', 'packages');
const { platform, arch } = process;
const models = ['bert-mlm', 'bert-base-noprefix'];
const installed = new Set();
const target = targetOf(platform, arch, process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc');

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.error !== undefined) throw result.error;
  return result;
}

function must(command, args, options) {
  const result = run(command, args, options);
  if (result.status !== 0)
    throw new Error(`Expected ${command} ${args.join(' ')} to succeed but it failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** A binary out of an npm package, kept between runs. */
function binary(name, file) {
  const place = join(folder, 'cache', name.replace(/\W+/g, '-'));
  const path = join(place, 'node_modules', name.replace(/(?<=.)@.*$/, ''), ...file);
  if (!existsSync(path)) {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{ "private": true }\n');
    must('npm', [
      'install',
      '--silent',
      '--no-audit',
      '--no-fund',
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--prefix',
      place,
      name,
    ]);
  }
  return path;
}

/** How a runtime installs packages and starts a program. */
function runtimeOf(name) {
  const npm = (cwd, files) =>
    must('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...files], { cwd });
  if (name === 'bun') {
    const bun = binary(`@oven/bun-${platform}-${arch}@1`, ['bin', 'bun']);
    return {
      command: bun,
      flags: [],
      installer: 'bun',
      install: (cwd, files) => must(bun, ['add', '--ignore-scripts', ...files], { cwd }),
    };
  }
  if (name === 'deno') {
    const deno = binary(`@deno/${platform}-${arch}-glibc@2`, ['deno']);
    return { command: deno, flags: ['run', '--allow-all', '--node-modules-dir=manual'], installer: 'npm', install: npm };
  }
  return {
    command: name === 'here' ? process.execPath : binary(`node-${platform}-${arch}@${name}`, ['bin', 'node']),
    flags: [],
    installer: 'npm',
    install: npm,
  };
}

/** The tarballs, made where they are missing or older than what they hold. */
function tarballs() {
  const own = () => (existsSync(packages) ? readdirSync(packages).filter((file) => file.endsWith('.tgz')) : []);
  const find = (start) => own().find((file) => file.startsWith(start));
  const wanted = () =>
    [
      `bertha-encoder-${packageJson.version}`,
      `bertha-encoder-${target}-${packageJson.version}`,
      'bertha-encoder-weights-all-minilm-l6-v2-1',
    ].map(find);
  const newest = Math.max(
    ...[
      ['dist', 'index.js'],
      ['build', 'Release', 'bertha.node'],
    ].map((parts) => (existsSync(inRoot(...parts)) ? statSync(inRoot(...parts)).mtimeMs : Infinity)),
  );
  if (wanted().some((file) => file === undefined || statSync(join(packages, file)).mtimeMs < newest))
    must(process.execPath, [inRoot('scripts', 'pack-all.mjs')]);
  const files = wanted();
  if (flags.weights !== undefined) files[2] = find(`bertha-encoder-weights-all-minilm-l6-v2-${flags.weights}-`);
  if (files.includes(undefined))
    throw new Error('Expected the tarballs in build/packages but some are missing: npm run pack:all, npm run weights:small.');
  return files.map((file) => join(packages, file));
}

/** A new folder with the packages, the program and its models: one for npm's runtimes, one for Bun. */
function applicationOf({ installer, install }, files) {
  const place = join(folder, `application-${installer}`);
  if (installed.has(place)) return place;
  installed.add(place);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "name": "application", "private": true, "type": "module" }\n');
  install(place, files);
  for (const file of ['program.mjs', 'worker.mjs']) cpSync(inRoot('scripts', 'runtimes', file), join(place, file));
  for (const model of models) cpSync(inRoot('test', 'golden', 'tiny', model), join(place, model), { recursive: true });
  return place;
}

function runIn(name, files) {
  const runtime = runtimeOf(name);
  const { command, flags: start } = runtime;
  const place = applicationOf(runtime, files);
  const began = performance.now();
  const env = { ...process.env, DENO_DIR: join(folder, 'cache', 'deno-dir'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  for (const variable of ['BERTHA_ADDON', 'BERTHA_MODEL_DIR', 'NODE_OPTIONS']) delete env[variable];
  const { status, stdout, stderr, signal } = run(
    command,
    [...start, join(place, 'program.mjs'), ...models.map((model) => join(place, model)), join(place, `trained-${name}`)],
    {
      cwd: place,
      env,
    },
  );
  const seconds = (performance.now() - began) / 1000;
  const [version] = /\d+\.\d+\.\d+/.exec(must(command, ['--version']));
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) return { version, seconds, failed: `exit ${status ?? signal}\n${stdout}${stderr}` };
  return { version, seconds, status, steps: JSON.parse(line).steps, stderr };
}

const files = tarballs();
const reference = runIn('here', files);
const failures = [];
const show = (text) => process.stdout.write(`${text}\n`);

function judge(name, { version, seconds, failed, status, steps = {}, stderr }) {
  if (failed !== undefined) failures.push(`${name}: ${failed}`);
  if (status !== undefined && status !== 0 && !Object.values(steps).some((step) => step?.error))
    failures.push(`${name}: exit ${status}\n${stderr}`);
  let same = 0;
  for (const [step, expected] of Object.entries(reference.steps ?? {})) {
    const [got, wanted] = [steps[step], expected].map((value) => JSON.stringify(value));
    if (got === wanted && !expected?.error) same++;
    else failures.push(`${name}, ${step}:\n  expected ${wanted}\n  received ${steps[step]?.error ?? got}`);
  }
  show(
    `${name.padEnd(8)} ${version.padEnd(12)} ${same} of ${Object.keys(reference.steps ?? {}).length} steps as under Node.js ${process.version}, ${seconds.toFixed(1)} s`,
  );
}

judge('here', reference);
for (const name of names) judge(name, runIn(name, files));
for (const place of installed) rmSync(place, { recursive: true, force: true });
if (failures.length > 0) {
  process.stderr.write(`${failures.join('\n')}\n`);
  process.exitCode = 1;
}
