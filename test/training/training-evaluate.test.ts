import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { classifyText, loadModel } from '../../src/index.js';
import { evaluateModel } from '../../src/training/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('training evaluate');
const folder = mkdtempSync(join(tmpdir(), 'bertha-evaluate-'));
t.after(() => rmSync(folder, { recursive: true }));

const directory = golden('tiny/bert-sequence-classification');
const texts = ['the cat', 'a dog sat', 'on the mat', 'what a film', 'no', 'yes yes', 'a b c', 'the end of it', 'zebra'];

function bertha(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

t('the labels that a model predicts give an accuracy of 1, others what share is right', async () => {
  const model = await loadModel(directory, { heads: true });
  try {
    const said = await classifyText(model, texts);
    const rows = texts.map((text, i) => ({ text, label: said[i]!.labels[0]!.label }));
    const right = await evaluateModel(model, 'text-classification', rows, { batchSize: 4 });
    assert.equal([right.rows, right.metrics['accuracy']], [9, 1]);
    const id = model.config.label2id.get(rows[0]!.label)!;
    const wrong = await evaluateModel(model, 'text-classification', [{ ...rows[0]!, label: (id + 1) % 3 }, ...rows.slice(1)]);
    assert.equal(wrong.metrics['accuracy'], 8 / 9);
  } finally {
    model.dispose();
  }
});

t('the command prints JSON or a table, and ends with 0, 1 or 2', () => {
  const file = join(folder, 'rows.csv');
  writeFileSync(file, 'review,label\nthe cat,negative\na dog,2\n');
  const run = bertha('evaluate', 'classify', '--model', directory, '--file', file, '--column', 'text=review', '--json');
  assert.is(run.status, 0, run.stderr);
  assert.equal(Object.keys(JSON.parse(run.stdout) as object), ['accuracy', 'f1', 'precision', 'recall', 'matthews']);
  writeFileSync(file, 'review,label\nthe cat,negative\na dog,7\n');
  const broken = bertha('evaluate', 'classify', '--model', directory, '--file', file);
  assert.is(broken.status, 1);
  assert.match(broken.stderr, /DATASET: Expected one of the 3 labels .* for line 3 of .*rows\.csv/);
  assert.is(bertha('evaluate', 'guess', '--file', file).status, 2);
});

t.run();
