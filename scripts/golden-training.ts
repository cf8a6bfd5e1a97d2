// Compares learning with reference values, on each instruction set of this machine: a line a comparison, exit code 1 when any of them fails.
//   npm run golden:training -- [DIR] [--isa NAME...]
// DIR is a folder in the layout of test/golden-training (the default), whose README says what is in it and what the tolerances are, or of
// test/golden-generation, of which the gradients are compared.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BerthaError } from '../src/errors.js';
import { loadAddon } from '../src/runtime/addon.js';
import { checkLora } from './golden-training/adapters.js';
import { checkGradients, checkTrajectory, type Line } from './golden-training/learning.js';
import { checkWriting } from './golden-training/writing.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { isa: { type: 'string', multiple: true }, here: { type: 'boolean', default: false } },
});
const root = resolve(positionals[0] ?? fileURLToPath(new URL('../test/golden-training', import.meta.url)));

/** Whether the folder is of models that write: its gradients stand in one list of cases. */
const isOfWriters = existsSync(join(root, 'gradients', 'cases.json'));

/** Parts that tests compare, and the tests. */
const tested: Readonly<Record<string, string>> = {
  'schedules.json': 'training-arguments',
  'events.json': 'training-events',
  'metrics.json': 'metrics/',
  'random.json': 'philox',
  numerics: 'ops-',
  'masking.json': 'pretraining/masking',
  wordpiece: 'pretraining/wordpiece',
};

if (values.here) process.exitCode = (await compareLearning()) > 0 ? 1 : 0;
else process.exitCode = compareAll() > 0 ? 1 : 0;

/** Gradients, LoRA and trajectories in this process; returns how many failed. */
async function compareLearning(): Promise<number> {
  const { chosen, precisions } = loadAddon().isa();
  let failed = 0;
  const tell = async (what: string, lines: AsyncGenerator<Line>): Promise<void> => {
    try {
      for await (const { name, ok, text } of lines) {
        process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${chosen} ${what} ${name}: ${text}\n`);
        if (!ok) failed++;
      }
    } catch (error) {
      if (error instanceof BerthaError && error.code === 'PRECISION') {
        process.stdout.write(`not yet: ${what}: ${error.message}\n`);
        return;
      }
      process.stdout.write(`FAILED ${chosen} ${what}: ${String(error)}\n`);
      failed++;
    }
  };
  if (isOfWriters) {
    await tell('gradients', checkWriting(join(root, 'gradients'), 'fp32'));
    if (precisions.includes('bf16')) await tell('gradients bf16', checkWriting(join(root, 'gradients'), 'bf16'));
    return failed;
  }
  for (const folder of folders('gradients')) {
    await tell('gradients', checkGradients(folder, 'fp32'));
    if (precisions.includes('bf16')) await tell('gradients bf16', checkGradients(folder, 'bf16'));
  }
  for (const folder of folders('lora')) await tell('lora', checkLora(folder));
  for (const folder of folders('trajectories')) await tell('trajectories', checkTrajectory(folder));
  return failed;
}

function folders(part: string): string[] {
  const folder = join(root, part);
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];
}

/** Everything, each instruction set in a process of its own; returns how many failed. */
function compareAll(): number {
  let failed = 0;
  const run = (args: readonly string[], env: Readonly<Record<string, string>>): void => {
    const { status } = spawnSync(process.execPath, ['--import', 'tsx', ...args], { stdio: 'inherit', env: { ...process.env, ...env } });
    if (status !== 0) failed++;
  };
  for (const isa of values.isa ?? loadAddon().isa().available) run([fileURLToPath(import.meta.url), root, '--here'], { BERTHA_ISA: isa });
  const names = isOfWriters ? [] : Object.entries(tested).filter(([part]) => existsSync(join(root, part)));
  if (names.length > 0) {
    run([fileURLToPath(new URL('../test/run.ts', import.meta.url)), ...names.map(([, name]) => name)], { BERTHA_GOLDEN_TRAINING: root });
  }
  process.stdout.write(failed === 0 ? 'all ok\n' : `${failed} failed\n`);
  return failed;
}
