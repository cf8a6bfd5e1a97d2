// Few labelled texts: the pairs they make, and a classifier from them.
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadTextClassifier } from '../../src/learn/index.js';
import { trainSetFit, type SetFitOptions } from '../../src/training/index.js';
import { contrastivePairs } from '../../src/training/setfit/pairs.js';
import { golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
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

t('a classifier is trained, saved, loaded by its folder alone, and scored', async () => {
  const rows = ['good film', 'fine film', 'nice play', 'bad film', 'poor film', 'awful play'].map((text, i) => ({
    text,
    label: i < 3 ? 'yes' : 'no',
  }));
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
  classifier.dispose();
  const codeOf = async (more: object) => (await rejection(() => trainSetFit({ ...options, ...more }))).code;
  assert.is(await codeOf({ trainDataset: rows.slice(0, 3) }), 'INVALID_LABEL');
  assert.is(await codeOf({ trainDataset: [{ text: 'no label' }] }), 'DATASET');
  assert.is(await codeOf({ outputDir: undefined }), 'INVALID_OPTION');
  assert.is(await codeOf({ samplingStrategy: 'some' }), 'INVALID_OPTION');
});

t.run();
