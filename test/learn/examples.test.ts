import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

// The articles' programs as a user runs them, against the built package and on the bundled model.
const t = suite('examples of classifiers');
const root = fileURLToPath(new URL('../..', import.meta.url));
const tried = new Set<string>();

async function run(name: string, ...args: string[]): Promise<string> {
  tried.add(name);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [`examples/learn/${name}`, ...args], { cwd: root });
  assert.is(stderr, '');
  return stdout;
}

t('chinese-bert-features.mjs prints accuracy and report of the sentences held back', async () => {
  const report = String.raw`accuracy (\d\.\d\d)\n +precision +recall +f1-score +support\n\n +好评( +\d\.\d\d){3} +6\n +差评( +\d\.\d\d){3} +6\n\n +accuracy +\1 +12\n`;
  const output = await run('chinese-bert-features.mjs');
  assert.match(output, new RegExp(String.raw`^\[CLS\] .* \[SEP\]\nfeatures: 48 x 384\n${report}`));
  assert.ok(Number(/accuracy (\S+)/.exec(output)![1]) > 0.6);
  assert.match(await run('chinese-bert-features.mjs', golden('tiny', 'bert-chinese')), new RegExp(report));
});

t('five-features.mjs prints a table in which BERT is ahead of the counts', async () => {
  const output = await run('five-features.mjs');
  const score = String.raw` +(\d+) +(\d\.\d{3})\n`;
  const names = ['one-hot', 'bag of words', 'word2vec', 'GloVe', 'BERT', String.raw`BERT \+ word2vec`];
  const found = new RegExp(`^features +columns +accuracy\n${names.join(score)}${score}$`).exec(output);
  assert.ok(found, output);
  const [columns, accuracy] = [1, 2].map((first) =>
    found
      .slice(first)
      .filter((_, i) => i % 2 === 0)
      .map(Number),
  ) as [number[], number[]];
  assert.equal([columns[0], ...columns.slice(2)], [columns[1], 50, 50, 384, 434]);
  assert.ok(accuracy[4]! > accuracy[1]! + 0.2, output);
});

t('leaves no example untried', () => {
  assert.equal(readdirSync(`${root}examples/learn`).sort(), [...tried].sort());
});

t.run();
