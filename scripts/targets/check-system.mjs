// What check:musl and check:windows share: which test files run there, and how.
import { existsSync } from 'node:fs';
import { inRoot } from '../build/project.mjs';
import { addonOf, compileTarget } from './compile.mjs';
import { runTests, skipCheck, stageTests } from './foreign-tests.mjs';

const quick = [
  'native/ops-rows',
  'native/ops-linear',
  'checkpoint/safetensors',
  'tokenizer/tokenizer-files',
  'tokenizer/tokenizer-special',
  'embedding/embed',
];
const full = [
  'native/ops-activations',
  'native/ops-attention',
  'native/ops-gated',
  'native/precision-linear',
  'embedding/stored-bits',
  'tokenizer/tokenizer-models',
  'training/training-step',
  'word-vectors/word-vectors',
];

/** The environment in which tests find an addon and the shared files, by the paths of the system they run on. */
export function testEnvironment(addon, pathOf = (path) => path) {
  const shared = process.env.BERTHA_SHARED || inRoot('..', 'shared');
  return { BERTHA_ADDON: pathOf(addon), ...(existsSync(shared) ? { BERTHA_SHARED: pathOf(shared) } : {}) };
}

/**
 * Builds the addon of `target` and runs test files with it on another system, more of them with --full. Tests
 * that start processes are not among them: musl's loader, or wine, would have to start those too.
 * `prepare()` gives the system: its name, the command that runs its programs, its `node`, its environment, and how it names a file of this
 * one; or it ends the check as skipped. `checkMore(system)` follows with --full and returns the number of failures.
 */
export async function checkSystem({ check, target, prepare, checkMore }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') skipCheck(check, 'linux-x64', `This is ${process.platform}-${process.arch}.`);
  const system = await prepare();
  const { name, command, node, env, pathOf } = system;
  await compileTarget(target);
  await stageTests();
  process.stdout.write(`${name}\n`);
  const isFull = process.argv.includes('--full');
  const start = (file) => ({ command, args: [node, pathOf(file)] });
  const failed = await runTests(isFull ? [...quick, ...full] : quick, start, {
    ...env,
    ...testEnvironment(addonOf(target), pathOf),
  });
  const failedMore = isFull ? await checkMore(system) : 0;
  process.exitCode = failed + failedMore > 0 ? 1 : 0;
}
