// What features, splits and classifiers refuse, row by row of the design's table of bad input.
import * as assert from 'uvu/assert';
import { CountVectorizer, LogisticRegression, stratifiedKFold, TfidfVectorizer, trainTestSplit } from '../../src/learn/index.js';
import { codeOf, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('bad input of learn');

/** The warnings of the process while `work` runs. */
async function warningsOf(work: () => unknown): Promise<string[]> {
  const warnings: string[] = [];
  const hear = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', hear);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener('warning', hear);
  return warnings;
}

t('a fit that does not converge warns with iterations and gradient, and says so', async () => {
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), 1000 * Math.cos(i * 3), 1e-3 * Math.sin(i * i)]);
  const y = x.map((_, i) => i % 3);
  const model = new LogisticRegression({ maxIter: 2, tol: 1e-12 });
  const warnings = await warningsOf(() => model.fit(x, y));
  assert.equal([model.converged, model.nIter], [false, 2]);
  assert.is(warnings.length, 1);
  assert.match(warnings[0]!, /\b2\b/);
  assert.match(warnings[0]!, /gradient/);
  const converged = new LogisticRegression();
  assert.equal(
    await warningsOf(() =>
      converged.fit(
        x.map(([first]) => [first!]),
        y,
      ),
    ),
    [],
  );
  assert.ok(converged.converged);
});

t('splits that leave a side empty, classes of one member, more folds than members', async () => {
  const rows = [1, 2, 3, 4];
  const split = (options: object) => codeOf(() => trainTestSplit([rows], options));
  assert.equal([{ testSize: 4 }, { trainSize: 1, testSize: 4 }, { testSize: 0 }, { testSize: 1.5 }, { testSize: 9 }].map(split), [
    ...new Array<string>(5).fill('INVALID_OPTION'),
  ]);
  assert.is(split({ stratify: ['a', 'a', 'a', 'b'] }), 'INVALID_ARG');
  assert.is(
    codeOf(() => stratifiedKFold(['a', 'a', 'b', 'b'], { nSplits: 3 })),
    'INVALID_ARG',
  );
  const [warning] = await warningsOf(() => stratifiedKFold(['a', 'a', 'a', 'b'], { nSplits: 3 }));
  assert.match(warning!, /1 rows, fewer than the 3 folds/);
});

t('counts that nothing is left of, and options that contradict each other', async () => {
  const texts = ['one two', 'two three', 'three four'];
  const fit = (options: object) => rejection(() => new CountVectorizer(options).fit(texts)).then(({ code }) => code);
  assert.is(await fit({ minDf: 3, maxDf: 2 }), 'INVALID_OPTION');
  assert.is(await fit({ minDf: 3 }), 'EMPTY_INPUT');
  assert.is(await fit({ tokenPattern: /\d+/u }), 'EMPTY_INPUT');
  assert.is(await fit({ stopWords: ['one', 'two', 'three', 'four'] }), 'EMPTY_INPUT');
  assert.is((await rejection(() => new TfidfVectorizer().fit([]))).code, 'EMPTY_INPUT');
  for (const options of [{ ngramRange: [2, 1] }, { ngramRange: [0, 1] }, { tokenPattern: /(a)(b)/u }, { vocabulary: ['a', 'a'] }]) {
    assert.is(codeOf(() => new CountVectorizer(options as object)) ?? (await fit(options)), 'INVALID_OPTION');
  }
  assert.is((await rejection(() => new CountVectorizer().transform(texts))).code, 'INVALID_ARG');
});

t.run();
