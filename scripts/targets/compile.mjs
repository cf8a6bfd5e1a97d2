// Compiles the addons of one target with zig. What is compiled, and how, stands in native/sources.gypi, as for the other builds.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fingerprint, inRoot, listFiles, packageDirectory, packageJson, packageVersion, readState, writeState } from '../build/project.mjs';
import { showLine, showStep } from '../build/terminal.mjs';
import { targets } from './table.mjs';
import { fetchZig, targetsFolder, zigEnvironment, zigVersion } from './zig.mjs';

const readLists = () => JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8')).variables;

/** Where the addon of a target is, with the tests' addon beside it. */
export const addonOf = (name) => join(targetsFolder, name, 'bertha.node');

/** Which object of a target a source becomes. */
export const objectsOf = (name) => (source) => join(targetsFolder, name, 'objects', source.replace(/\.cc$/, '.o'));

function machineFlags({ triple, cpu }) {
  // clang 18 to 20 compile nothing of AVX-512 for 512-bit registers without this; it adds no instruction to what has no AVX-512.
  return ['-target', triple, ...(cpu === 'x64' ? ['-mcpu=x86_64+evex512'] : [])];
}

/** What starts zig as the compiler of a target, and in which environment. */
export const zigCommand = (name) => ({ command: [fetchZig(), 'c++', ...machineFlags(targets[name])], env: zigEnvironment() });

function compileFlags(target) {
  const { bertha_cflags, bertha_defines, bertha_include } = readLists();
  const includes = [
    ...bertha_include.map((folder) => inRoot(folder)),
    join(packageDirectory('node-api-headers'), 'include'),
    packageDirectory('node-addon-api'),
  ];
  return [
    ...machineFlags(target),
    ...(target.link === 'mach-o' ? ['-fvisibility-global-new-delete=source'] : []),
    ...bertha_cflags,
    // So that the linker can leave out what nothing calls; zig adds what debuggers need unless it is told not to.
    ...['-ffunction-sections', '-fdata-sections', '-g0'],
    ...[...bertha_defines, 'BERTHA_BUILDER="zig"', `BERTHA_VERSION="${packageJson.version}"`, 'BUILDING_NODE_EXTENSION'].map(
      (name) => `-D${name}`,
    ),
    ...includes.map((folder) => `-I${folder}`),
  ];
}

function linkFlags(target) {
  const { bertha_ldflags, bertha_exports } = readLists();
  const system = {
    // libc++ is always zig's own, inside.
    elf: [...bertha_ldflags.filter((flag) => flag !== '-static-libstdc++'), `-Wl,--version-script=${inRoot(bertha_exports)}`],
    'mach-o': ['-Wl,-undefined,dynamic_lookup', '-Wl,-dead_strip'],
    pe: ['-Wl,--gc-sections'],
  }[target.link];
  return [...machineFlags(target), '-O3', '-shared', '-s', ...system];
}

function run(zig, args) {
  const child = spawn(zig, ['c++', ...args], { cwd: inRoot(), env: zigEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(log);
      else reject(new Error(log));
    });
  });
}

/** Compiles `sources` side by side; throws every file's errors after all have been tried. */
async function compileAll(zig, name, sources, objectOf) {
  const flags = compileFlags(targets[name]);
  const { bertha_small_sources, bertha_small_cflags } = readLists();
  const failures = [];
  let compiled = 0;
  const queue = [...sources];
  const worker = async () => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      mkdirSync(dirname(objectOf(source)), { recursive: true });
      try {
        const warnings = await run(zig, [
          ...flags,
          ...(bertha_small_sources.includes(source) ? bertha_small_cflags : []),
          '-c',
          source,
          '-o',
          objectOf(source),
        ]);
        for (const warning of warnings.split('\n').filter((line) => /\bwarning:/.test(line))) showLine(warning);
        showStep(`${name}: compiled ${++compiled}/${sources.length} ${source}`);
      } catch (error) {
        failures.push(`${source}\n${error.message}`);
      }
    }
  };
  const jobs = Number(process.env.JOBS) || availableParallelism();
  await Promise.all(Array.from({ length: jobs }, worker));
  if (failures.length > 0)
    throw new Error(`Expected ${sources.length} files to compile for ${name} but ${failures.length} failed:\n${failures.join('\n')}`);
}

/** Builds the target's addon and the tests' one, unless they were made from the same sources by the same compiler. True when it compiled. */
export async function compileTarget(name) {
  const state = `target-${name}`;
  const target = targets[name];
  const lists = readLists();
  const facts = {
    flags: [compileFlags(target), linkFlags(target), lists.bertha_small_sources, lists.bertha_small_cflags],
    zigVersion,
    nodeAddonApi: packageVersion('node-addon-api'),
    headers: packageVersion('node-api-headers'),
  };
  const stamp = fingerprint(listFiles('native'), facts);
  if (existsSync(addonOf(name)) && readState(state)?.stamp === stamp) return false;
  const start = performance.now();
  const zig = fetchZig();
  const objectOf = objectsOf(name);
  const addons = { bertha: lists.bertha_addon_sources, bertha_test: lists.bertha_test_addon_sources };
  await compileAll(zig, name, [...lists.bertha_sources, ...Object.values(addons).flat()], objectOf);
  for (const [addon, sources] of Object.entries(addons)) {
    showStep(`${name}: linking ${addon}.node`);
    const linked = join(targetsFolder, name, 'objects', `${addon}.node`);
    await run(zig, [...linkFlags(target), '-o', linked, ...[...lists.bertha_sources, ...sources].map(objectOf)]);
    renameSync(linked, join(targetsFolder, name, `${addon}.node`));
  }
  writeState(state, { stamp });
  showLine(`${name}: compiled by zig ${zigVersion} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}
