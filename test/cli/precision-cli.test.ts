import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { systemInfo } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';

const t = suite('precision commands');
const tiny = golden('tiny/bert-base-noprefix');

function bertha(...args: string[]) {
  return spawnSync(process.execPath, [cliProgram, ...args], { encoding: 'utf8' });
}

t('calibrate writes the file that int8 then uses', () => {
  const folder = temporaryFolder(tiny);
  const texts = path.join(folder, 'texts.txt');
  writeFileSync(texts, 'hello\n\nhello guitar\n');
  const done = bertha('calibrate', folder, '--file', texts, '--corpus', 'greetings');
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stdout, '2 texts');
  assert.ok(existsSync(path.join(folder, 'bertha_calibration.safetensors')));
  const used = bertha('compare', folder, '--precision', 'int8');
  assert.is(used.status, 0, used.stderr);
  assert.match(used.stdout, 'calibrated on greetings (2 texts)');
  assert.is(bertha('calibrate', folder).status, 2);
  const missing = bertha('calibrate', folder, '--file', path.join(folder, 'none'));
  assert.is(missing.status, 1);
  assert.match(missing.stderr, 'IO');
});

t('bench measures every precision with one thread and all, and gives advice', () => {
  const done = bertha('bench', tiny, '--seconds', '1', '--json');
  assert.is(done.status, 0, done.stderr);
  const { machine, measurements, advice } = JSON.parse(done.stdout) as {
    machine: { isa: string };
    measurements: { precision: string; threads: number; mixedTextsPerSecond: number; single: { tokens: number; medianMs: number }[] }[];
    advice: string[];
  };
  const { isa, threads } = systemInfo();
  assert.is(machine.isa, isa.chosen);
  assert.is(measurements.length, isa.precisions.length * (threads.pool === 1 ? 1 : 2));
  assert.equal([...new Set(measurements.map(({ precision }) => precision))], [...isa.precisions]);
  for (const { mixedTextsPerSecond, single } of measurements) {
    assert.ok(mixedTextsPerSecond > 0);
    assert.ok(single.length > 0 && single.every(({ medianMs }) => medianMs > 0));
  }
  assert.ok(advice.length >= 2);
  const table = bertha('bench', tiny, '--seconds', '1', '--precision', 'fp32');
  assert.is(table.status, 0, table.stderr);
  assert.match(table.stdout, 'mixed texts/s');
  assert.match(table.stdout, 'One short text at a time');
});

t('embed --precision auto says what it chose and why', () => {
  const done = bertha('embed', '--model', tiny, '--precision', 'auto', '--format', 'jsonl', 'hello');
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stderr, /^(fp32|fp16-weights|bf16|int8): /);
  assert.is(done.stdout.trim().split('\n').length, 1);
});

t('zero, fractional and unknown values are wrong usage', () => {
  for (const args of [
    ['bench', tiny, '--seconds', '0'],
    ['bench', tiny, '--seconds', '1.5'],
    ['compare', tiny, '--with', tiny, '--threads', '0'],
    ['compare', tiny, '--with', tiny, '--threads', '1e9'],
    ['compare', tiny, '--with', tiny, '--tolerance', '-1'],
    ['compare', tiny, '--with', tiny, '--tolerance', 'much'],
    ['compare', tiny],
    ['bench', tiny, '--precision', 'fp12'],
    ['compare', tiny, '--with', tiny, '--reference', 'x.jsonl'],
  ]) {
    assert.is(bertha(...args).status, 2, args.join(' '));
  }
});

t('quantize writes a model that the other commands read', () => {
  const target = path.join(temporaryFolder(), 'int8');
  const made = bertha('quantize', tiny, target, '--dtype', 'int8');
  assert.is(made.status, 0, made.stderr);
  assert.match(made.stdout, /matrices and tables are int8, with no calibration/);
  const embedded = bertha('embed', '--model', target, 'hello');
  assert.is(embedded.status, 0, embedded.stderr);
  assert.match(bertha('inspect', target).stdout, 'I8');
  const refused = bertha('embed', '--model', target, '--precision', 'fp32', 'hello');
  assert.match(refused.stderr, 'PRECISION');
  const measured = bertha('bench', target, '--seconds', '1', '--json');
  assert.is(measured.status, 0, measured.stderr);
  const { measurements } = JSON.parse(measured.stdout) as { measurements: { precision: string }[] };
  assert.equal(new Set(measurements.map(({ precision }) => precision)), new Set(['int8']));
  assert.is(bertha('quantize', tiny, target).status, 2);
});

t('doctor finds the bundled model well in 16 and in 8 bits', () => {
  for (const dtype of ['fp16', 'int8']) {
    const target = path.join(temporaryFolder(), dtype);
    assert.is(bertha('quantize', defaultModelDirectory(), target, '--dtype', dtype).status, 0);
    const env = { ...process.env, BERTHA_MODEL_DIR: target };
    const { status, stdout } = spawnSync(process.execPath, [cliProgram, 'doctor', '--json'], { encoding: 'utf8', env });
    const { ok, 'self-test': test } = JSON.parse(stdout) as { ok: boolean; 'self-test': { model: string; difference: number } };
    assert.equal([status, ok, test.model], [0, true, target], stdout);
    assert.ok(test.difference > 1e-6, 'other weights give other numbers');
  }
});

t.run();
