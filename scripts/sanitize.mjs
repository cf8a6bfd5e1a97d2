// Builds with sanitizers and runs what they can see.
//   node scripts/sanitize.mjs address [--built] [TEST...]   the addon with ASan, UBSan and LSan, and the JavaScript tests on it, all or those
//                                                           named, as for `npm test` (FOLDER/ for a folder's)
//   node scripts/sanitize.mjs thread [PART]       the native core as a program (test/native/engine) with TSan
//   node scripts/sanitize.mjs none                the same program without a sanitizer
// --built: as it was compiled last, so that the suite can be run in parts. Set CXX to choose the compiler; Node itself is not instrumented, so TSan cannot watch the addon inside it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { inRoot, packageJson } from './build/project.mjs';
import { compiler, nodeHeadersPrefix } from './build/toolchain.mjs';

const [mode = '', ...rest] = process.argv.slice(2);
const isBuilt = rest.includes('--built');
const filters = rest.filter((name) => name !== '--built');
const { variables: list } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const isCore = (source) => !source.startsWith('native/addon/');
const parts = [
  'engine_test',
  'pool_test',
  'weight_test',
  'queue_test',
  'device_test',
  'program_test',
  'batch_test',
  'training_test',
  'words_test',
  'generation_test',
];
// What a trainer is shares no line with Node-API.
const program = [...parts.map((name) => `test/native/engine/${name}.cc`), 'native/addon/training/trainer.cc'];
const modes = {
  address: {
    // -fno-rtti leaves vptr checks without the types they compare.
    flags: ['-fsanitize=address,undefined', '-fno-sanitize=vptr', '-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer'],
    sources: [...list.bertha_sources, ...list.bertha_addon_sources, ...list.bertha_test_addon_sources],
  },
  thread: { flags: ['-fsanitize=thread'], sources: [...list.bertha_sources.filter(isCore), ...program] },
  none: { flags: [], sources: [...list.bertha_sources.filter(isCore), ...program] },
};
if (!Object.hasOwn(modes, mode)) throw new Error(`Expected one of ${Object.keys(modes).join(', ')} but received ${JSON.stringify(mode)}.`);

const { flags, sources } = modes[mode];
const command = compiler();
const folder = inRoot(`build-${mode}`);
if (!isBuilt) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const objects = sources.map((source) => join(folder, `${basename(source)}.o`));
const nodeApi = spawnSync(process.execPath, ['-p', "require('node-addon-api').include_dir"], {
  cwd: inRoot(),
  encoding: 'utf8',
}).stdout.trim();
const shared = [
  ...list.bertha_cflags.map((flag) => (flag === '-O3' ? '-O1' : flag)),
  '-g',
  ...flags,
  ...[...list.bertha_defines, `BERTHA_BUILDER="${mode}"`, `BERTHA_VERSION="${packageJson.version}"`].map((define) => `-D${define}`),
  ...[
    ...list.bertha_include.map((path) => inRoot(path)),
    inRoot('test', 'native'),
    inRoot(nodeApi),
    join(nodeHeadersPrefix() ?? '/usr', 'include', 'node'),
  ].map((path) => `-I${path}`),
];

async function run(program, args, options = {}) {
  const child = spawn(program, args, { cwd: inRoot(), stdio: ['ignore', 'inherit', 'inherit'], ...options });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`Expected ${basename(program)} to succeed but it ended with ${code}.`);
}

/** What Node.js loses whatever an addon does is named in test/native/leaks-of-node.supp. */
const isOurs = (leak) => leak.includes('bertha');

/** A warning and no error: the address sanitizer did not know the stack that a call which never returns was made on. */
const isNotice = (text) => text.includes('ignoring requested __asan_handle_no_return') && !/ERROR:|runtime error:/.test(text);

/** The reports that concern the addon: every error, and the leaks that its code allocated. */
function judge(folder) {
  const bad = [];
  for (const file of readdirSync(folder).filter((name) => name.startsWith('report'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    // A process that ended by process.exit has not taken V8's heap down: what its objects own counts as leaked then.
    const isAbrupt = /in v8::internal::(?:Heap|MemoryAllocator|MemoryChunk|Page)/.test(text);
    if (isNotice(text)) continue;
    if (!text.includes('LeakSanitizer')) bad.push(text);
    else if (!isAbrupt) bad.push(...text.split('\n\n').filter((part) => /^(?:Direct|Indirect) leak/.test(part) && isOurs(part)));
  }
  return bad;
}

const waiting = sources.map((source, i) => ['-c', source, '-o', objects[i]]);
async function compileAll() {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await run(command, [...shared, ...job]);
}
if (!isBuilt) {
  process.stdout.write(`compiling ${sources.length} files with ${command} ${flags.join(' ')}\n`);
  await Promise.all(Array.from({ length: availableParallelism() }, compileAll));
}

if (mode === 'address') {
  const addon = join(folder, 'bertha.node');
  for (const name of readdirSync(folder)) if (name.startsWith('report')) rmSync(join(folder, name));
  const addons = isBuilt
    ? []
    : [
        ['bertha.node', list.bertha_test_addon_sources],
        ['bertha_test.node', list.bertha_addon_sources],
      ];
  for (const [output, others] of addons)
    // The sanitizers catch exceptions at the border of libstdc++, which must then be a library of its own.
    await run(command, [
      '-shared',
      ...flags,
      '-pthread',
      '-Wl,-z,nodelete',
      `-Wl,--version-script=${inRoot(list.bertha_exports)}`,
      ...objects.filter((_, i) => !others.includes(sources[i])),
      '-o',
      join(folder, output),
    ]);
  const library = (name) => spawnSync(command, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
  const env = {
    ...process.env,
    BERTHA_ADDON: addon,
    BERTHA_SANITIZER: mode,
    LD_PRELOAD: [library('libasan.so'), library('libubsan.so'), library('libstdc++.so.6')].join(' '),
    // Node's own leaks at the end of a process must not change its exit code: reports go to files, which are judged below.
    ASAN_OPTIONS: `detect_leaks=1:allocator_may_return_null=1:log_path=${join(folder, 'report')}`,
    LSAN_OPTIONS: `exitcode=0:print_suppressions=0:suppressions=${inRoot('test', 'native', 'leaks-of-node.supp')}`,
    UBSAN_OPTIONS: 'print_stacktrace=1',
  };
  const tests = filters.length > 0 ? filters : ['!build', '!package', '!loader'];
  if (filters.length === 0)
    process.stdout.write('without build, package and loader: they test compilers, npm and other addons than this one\n');
  let failure;
  await run(process.execPath, ['--import', 'tsx', 'test/run.ts', ...tests], { env }).catch((error) => (failure = error));
  const bad = judge(folder);
  for (const report of bad) process.stdout.write(`${report}\n`);
  process.stdout.write(`${bad.length} reports of the sanitizers\n`);
  if (failure !== undefined) throw failure;
  process.exitCode = bad.length > 0 ? 1 : 0;
} else {
  const test = join(folder, 'engine_test');
  await run(command, [...flags, '-pthread', ...objects, '-o', test]);
  await run(test, filters, { env: { ...process.env, TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' } });
}
