// The kernels as g++ and as zig compile them, in turns, op by op: bench/kernels.cc linked with the objects of both builds (npm run build; npm run
// build:targets -- linux-x64-gnu), g++'s twice, which shows the noise.
//   npm run bench:compilers -- [--turns 5] [options, see bench/kernels.cc]       BERTHA_ISA chooses the instruction set
// Ends with exit code 1 when an op of zig's is slower by more than 2 % beyond the noise.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inRoot } from '../scripts/build/project.mjs';
import { compiler } from '../scripts/build/toolchain.mjs';
import { compileTarget, objectsOf, zigCommand } from '../scripts/targets/compile.mjs';
import { runOrFail } from '../scripts/targets/wheels.mjs';

const tolerance = 0.02;
const target = 'linux-x64-gnu';
const args = process.argv.slice(2);
const turnsAt = args.indexOf('--turns');
const turns = turnsAt < 0 ? 5 : Number(args.splice(turnsAt, 2)[1]);

const { variables: lists } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const kernels = lists.bertha_sources.filter((source) => /^native\/cpu\/(isa\/|peak\.)/.test(source));
const folder = inRoot('build', 'bench', 'compilers');

/** The program of one build: its kernels as they are, the bench itself by the same compiler. */
function link(name, [command, ...flags], objects, env) {
  const program = join(folder, name);
  mkdirSync(program, { recursive: true });
  const include = [...lists.bertha_include, 'bench'].map((path) => `-I${inRoot(path)}`);
  const own = ['bench/kernels.cc', 'bench/kernels/backward.cc'].map((source) => {
    const object = join(program, `${basename(source)}.o`);
    runOrFail(command, [...flags, ...lists.bertha_cflags, ...include, '-c', inRoot(source), '-o', object], { env });
    return object;
  });
  const missing = objects.find((object) => !existsSync(object));
  if (missing !== undefined) throw new Error(`Expected the object ${missing} but it is not there. Run npm run build first.`);
  runOrFail(command, [...flags, ...own, ...objects, '-pthread', '-o', join(program, 'kernels')], { env });
  return join(program, 'kernels');
}

/** Microseconds of each op, by its block and name, into the least of all turns. */
function measure(program, best) {
  let block = '';
  for (const line of runOrFail(program, args).split('\n')) {
    if (/^\S+, \d+ tokens in texts of \d+/.test(line)) block = line;
    const [, op, shape, us] = /^ {2}(\S.*?) {2,}(\d+(?:x\d+)?) +([\d.]+) +[\d.]+ +[\d.]+%/.exec(line) ?? [];
    if (op === undefined) continue;
    const name = `${block.replace(' in texts of ', '/')}: ${op} ${shape}`;
    best.set(name, Math.min(best.get(name) ?? Infinity, Number(us)));
  }
}

await compileTarget(target);
const gccObjects = kernels.map((source) => inRoot('build', 'Release', 'obj.target', 'bertha_core', source.replace(/\.cc$/, '.o')));
const gcc = link('gcc', compiler().split(' '), gccObjects, process.env);
const zig = zigCommand(target);
const programs = { gcc, again: gcc, zig: link('zig', zig.command, kernels.map(objectsOf(target)), zig.env) };
const best = Object.fromEntries(Object.keys(programs).map((name) => [name, new Map()]));
for (let turn = 0; turn < turns; turn++) for (const [name, program] of Object.entries(programs)) measure(program, best[name]);

if (best.gcc.size === 0) throw new Error(`Expected times of ops but the program printed none in ${turns} turns.`);
const slower = [];
process.stdout.write(`${'us, best of all turns'.padEnd(60)}     g++     zig   ratio   noise\n`);
for (const [name, us] of best.gcc) {
  const [again, other] = [best.again.get(name), best.zig.get(name)];
  const base = Math.min(us, again);
  const noise = Math.abs(us - again) / base;
  const isSlower = other / base > 1 + tolerance + noise;
  if (isSlower) slower.push(name);
  const cells = [
    base.toFixed(1).padStart(8),
    other.toFixed(1).padStart(8),
    (other / base).toFixed(3).padStart(8),
    `  ±${noise.toFixed(3)}`,
  ];
  process.stdout.write(`${name.padEnd(60)}${cells.join('')}${isSlower ? '  SLOWER' : ''}\n`);
}
process.stdout.write(`${slower.length} of ${best.gcc.size} ops are slower by more than ${100 * tolerance} % beyond the noise\n`);
process.exitCode = slower.length > 0 ? 1 : 0;
