import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { spearman } from '../../src/metrics/index.js';
import { loadAddon } from '../../src/runtime/addon.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { skip } from '../support/skip.js';
import { isFull } from '../support/full.js';

const t = suite('sts');
const root = fileURLToPath(new URL('../..', import.meta.url));
const pairs = path.resolve(root, process.env['BERTHA_SHARED'] ?? '../shared', 'eval/sts/sts-dev.csv');

const run = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', path.join(root, 'scripts/sts.ts'), ...args], { encoding: 'utf8' });

t('spearman is 1 for the same order, -1 for the reverse and shares ranks among equals', () => {
  assert.is(spearman([1, 2, 3, 10], [0, 5, 6, 7]), 1);
  assert.is(spearman([1, 2, 3, 10], [4, 3, 2, 1]), -1);
  // Ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 4.5, 4.5, 3: the deviations' products sum to 3.75, their squares to 9.5 each.
  assert.ok(Math.abs(spearman([1, 2, 2, 3, 5], [2, 1, 4, 4, 3]) - 3.75 / 9.5) < 1e-12);
});

t('the bundled model ranks the pairs of STS-B dev with 86.716', () => {
  if (!existsSync(pairs)) return skip('no STS-B pairs: set BERTHA_SHARED');
  const { chosen, available } = loadAddon().isa();
  if (chosen !== available.at(-1) && !isFull) return skip('STS-B on every instruction set: set BERTHA_TEST_FULL=1');
  const { status, stdout, stderr } = run(pairs, '--expect', '86.716');
  assert.is(status, 0, stdout + stderr);
});

t('exits with 1 for a missing file, a malformed line and another result', () => {
  const folder = temporaryFolder();
  assert.is(run(path.join(folder, 'none.csv')).status, 1);
  const file = path.join(folder, 'pairs.csv');
  const line = (score: string, first: string, second: string) => `a\tb\tc\td\t${score}\t${first}\t${second}`;
  writeFileSync(file, `${line('5', 'A cat.', 'A cat!')}\nno columns\n`);
  assert.is(run(file).status, 1);
  writeFileSync(file, [line('5', 'A cat.', 'A cat!'), line('3', 'A cat.', 'A small dog.'), line('0', 'A cat.', 'Tax law.')].join('\n'));
  assert.is(run(file, '--expect', '100').status, 0);
  assert.is(run(file, '--expect', '99').status, 1);
});

t.run();
