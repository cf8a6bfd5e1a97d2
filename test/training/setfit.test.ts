// Few labelled texts: the pairs they make, and a classifier from them.
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import * as assert from 'uvu/assert';
import { addSetFitFlags, setFitOptionsOf } from '../../src/cli/commands/training/setfit-flags.js';
import { loadTextClassifier } from '../../src/learn/index.js';
import { trainSetFit, type SetFitOptions } from '../../src/training/index.js';
import { contrastivePairs } from '../../src/training/setfit/pairs.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('setfit');
const texts = Array.from({ length: 9 }, (_, i) => ({ text: `text ${i}`, label: i < 6 ? 'a' : 'b' }));
const key = ({ anchor, positive }: { anchor: string; positive: string }): string => [anchor, positive].sort().join('|');

t('pairs of one label and of two, as often as the strategy says', () => {
  const [same, different] = [15 + 3, 18];
  for (const [sampling, iterations, ones, zeros] of [
    ['oversampling', undefined, 18, 18],
    ['undersampling', undefined, 18, 18],
    ['unique', undefined, same, different],
    ['oversampling', 5, 45, 45],
  ] as const) {
    const pairs = contrastivePairs(texts, { sampling, iterations, maxPairs: 1000, seed: 3 });
    const labelOf = new Map(texts.map(({ text, label }) => [text, label]));
    for (const { anchor, positive, label } of pairs) {
      assert.is.not(anchor, positive);
      assert.is(label, labelOf.get(anchor) === labelOf.get(positive) ? 1 : 0);
    }
    assert.equal(
      [pairs.filter(({ label }) => label === 1).length, pairs.filter(({ label }) => label === 0).length],
      [ones, zeros],
      sampling,
    );
    if (iterations === undefined) assert.is(new Set(pairs.map(key)).size, same + different);
  }
  const uneven = contrastivePairs(texts.slice(0, 7), { sampling: 'oversampling', maxPairs: 1000, seed: 1 });
  assert.equal([uneven.length, new Set(uneven.map(key)).size], [30, 21], '6 pairs of two labels are repeated to 15');
  const draw = (seed: number) => contrastivePairs(texts, { sampling: 'unique', maxPairs: 1000, seed });
  assert.equal(draw(1), draw(1));
  assert.not.equal(draw(1), draw(2));
});

const rows = ['good film', 'fine film', 'nice play', 'bad film', 'poor film', 'awful play'].map((text, i) => ({
  text,
  label: i < 3 ? 'yes' : 'no',
}));

t('of thousands of texts as many pairs as are wanted', () => {
  const many = Array.from({ length: 3000 }, (_, i) => ({ text: `text ${i}`, label: String(i % 3) }));
  const pairs = contrastivePairs(many, { sampling: 'oversampling', maxPairs: 50, seed: 1 });
  assert.is(pairs.length, 100);
  const labelOf = (text: string): number => Number(text.slice(5)) % 3;
  for (const { anchor, positive, label } of pairs) {
    assert.is.not(anchor, positive);
    assert.is(labelOf(anchor) === labelOf(positive) ? 1 : 0, label);
  }
});

t('a classifier is trained, saved, loaded by its folder alone, and scored', async () => {
  const outputDir = join(temporaryFolder(), 'classifier');
  const options: SetFitOptions = {
    model: golden('tiny', 'bert-nli'),
    trainDataset: rows,
    evalDataset: rows,
    outputDir,
    learningRate: 1e-3,
    numIterations: 4,
    progress: false,
  };
  const { classifier, metrics, pairs } = await trainSetFit(options);
  assert.is(pairs, 48);
  assert.ok(metrics['eval_accuracy']! >= 0.5 && metrics['eval_accuracy']! <= 1);
  const loaded = await loadTextClassifier(outputDir);
  const asked = rows.map(({ text }) => text);
  assert.equal(await loaded.predict(asked), await classifier.predict(asked));
  loaded.dispose();
  const moved = `${outputDir}-moved`;
  renameSync(outputDir, moved);
  const again = await loadTextClassifier(moved);
  assert.equal(await again.predict(asked), await classifier.predict(asked), 'a folder that was moved');
  again.dispose();
  classifier.dispose();
  const codeOf = async (more: object) => (await rejection(() => trainSetFit({ ...options, ...more }))).code;
  assert.is(await codeOf({ trainDataset: rows.slice(0, 3) }), 'INVALID_LABEL');
  assert.is(await codeOf({ trainDataset: [{ text: 'no label' }] }), 'DATASET');
  assert.is(await codeOf({ outputDir: undefined }), 'INVALID_OPTION');
  assert.is(await codeOf({ lora: { r: 4 } }), 'INVALID_OPTION');
  assert.is(await codeOf({ samplingStrategy: 'some' }), 'INVALID_OPTION');
});

t('bertha train setfit makes what bertha classify --classifier reads', async () => {
  const folder = temporaryFolder();
  const [file, output] = [join(folder, 'few.jsonl'), join(folder, 'classifier')];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const bertha = async (...args: string[]) => (await promisify(execFile)(process.execPath, [cliProgram, ...args])).stdout;
  const training = ['--model', golden('tiny', 'bert-nli'), '--train', file, '--eval', file, '--output', output, '--num-iterations', '2'];
  const metrics = JSON.parse(await bertha('train', 'setfit', ...training, '--json', '--no-progress')) as Record<string, number>;
  assert.is(metrics['pairs'], 24);
  assert.ok(metrics['eval_accuracy']! >= 0 && metrics['eval_accuracy']! <= 1);
  const said = JSON.parse(await bertha('classify', 'good film', '--classifier', output, '--format', 'jsonl')) as unknown;
  assert.match(JSON.stringify(said), /"label":"(yes|no)"/);
});

t('the flags of setfit belong to it alone', () => {
  const flagsOf = (...args: string[]): object => addSetFitFlags(new Command('train').exitOverride()).parse(args, { from: 'user' }).opts();
  const given = flagsOf('--sampling-strategy', 'unique', '--num-iterations', '5', '--max-pairs', '100');
  assert.equal(setFitOptionsOf('setfit', given), { samplingStrategy: 'unique', numIterations: 5, maxPairs: 100 });
  assert.equal(setFitOptionsOf('classify', flagsOf()), {});
  assert.throws(() => setFitOptionsOf('classify', given), /--sampling-strategy, which is for setfit/);
});

t.run();
