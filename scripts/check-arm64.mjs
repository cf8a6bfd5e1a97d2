// `npm run check:arm64 [-- --quick] [--addon FILE]`: compiles the addon for arm64 with a cross compiler and runs tests of its kernels under
// qemu, on a processor model for each set of instructions. --quick: what CI has time for. --addon: another build instead, zig's say.
// AARCH64_CXX names the compiler (default aarch64-linux-gnu-g++). Without qemu or an arm64 Node.js the tests are skipped by name.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addonFile, buildArm64, fetchNode } from './arm64/build.mjs';
import { inRoot } from './build/project.mjs';
import { testEnvironment } from './targets/check-system.mjs';
import { runTests, skipCheck, stageTests, testsFolder, versionOf } from './targets/foreign-tests.mjs';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, addon: { type: 'string' } } });
const emulator = 'qemu-aarch64-static';

/** The sets that a processor must be found to have, and those whose tests run on it. */
const processors = [
  { processor: 'cortex-a72', sets: ['scalar', 'neon'], run: ['neon'] },
  { processor: 'neoverse-n1', sets: ['scalar', 'neon', 'neon_dotprod'], run: ['neon_dotprod'] },
  { processor: 'max', sets: ['scalar', 'neon', 'neon_dotprod', 'neon_i8mm', 'neon_bf16'], run: ['neon_i8mm', 'neon_bf16'] },
];
const ops = ['rows', 'activations', 'attention', 'attention-positions', 'linear', 'gated'].map((name) => `ops-${name}`);
const learning = ['adamw', 'attention-grad', 'linear-grad', 'losses', 'rows-grad'].map((name) => `training/ops-${name}`);
/** What a set adds to the one before it: its products, whole models, the bits they had. */
const added = ['precision-linear', 'training/ops-linear-grad', 'training-step-bf16', 'stored-bits'];
const whole = [...ops, ...learning, ...added.filter((name) => !learning.includes(name)), 'philox', 'vectors-search', 'embedding/embed'];
const quick = { neon: ['ops-rows', 'ops-activations', 'ops-linear', 'precision-linear'], neon_bf16: ['ops-attention', 'precision-linear'] };

function testsOf(set) {
  if (values.quick) return quick[set] ?? ['precision-linear'];
  return set === 'neon' ? whole : added;
}

function checkSets(node, env, { processor, sets }) {
  const source = `process.stdout.write(require(${JSON.stringify(env.BERTHA_ADDON)}).isa().available.join(' '))`;
  const { stdout, stderr } = spawnSync(emulator, ['-cpu', processor, node, '-e', source], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (stdout === sets.join(' ')) return 0;
  process.stderr.write(`${processor}: expected the sets ${sets.join(' ')} but received ${stdout || stderr}\n`);
  return 1;
}

/** The models with float64 reference values, by the script that prints a line for each. */
function checkGolden(run, env) {
  const { status } = spawnSync(emulator, [...run, join(testsFolder, 'scripts', 'golden.js'), inRoot('test', 'golden')], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return status === 0 ? 0 : 1;
}

async function checkUnderQemu(addon) {
  if (versionOf(emulator, '--version') === undefined)
    skipCheck('tests for arm64', `no ${emulator}`, 'Debian, Ubuntu: apt-get install qemu-user-static');
  const node = fetchNode();
  const env = { QEMU_LD_PREFIX: process.env.QEMU_LD_PREFIX || '/usr/aarch64-linux-gnu', ...testEnvironment(addon) };
  await stageTests();
  let failures = 0;
  for (const each of processors) {
    failures += checkSets(node, env, each);
    for (const isa of each.run) {
      process.stdout.write(`\n== arm64: ${isa} on ${each.processor}\n`);
      const run = ['-cpu', each.processor, node];
      const own = { ...env, BERTHA_ISA: isa };
      failures += await runTests(testsOf(isa), (file) => ({ command: emulator, args: [...run, file] }), own);
      if (!values.quick) failures += checkGolden(run, own);
    }
  }
  return failures;
}

try {
  if (values.addon === undefined) await buildArm64(values.quick);
  process.exitCode = (await checkUnderQemu(resolve(values.addon ?? addonFile))) > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
