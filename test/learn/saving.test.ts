import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as assert from 'uvu/assert';
import {
  CountVectorizer,
  KMeans,
  KNeighborsClassifier,
  LogisticRegression,
  OneHotEncoder,
  PCA,
  segmentWords,
  StandardScaler,
  TfidfVectorizer,
} from '../../src/learn/index.js';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors-writer.js';
import { editJson, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('saved estimators');
const x = Array.from({ length: 60 }, (_, i) => Array.from({ length: 5 }, (_, j) => Math.sin(i * 3 + j * j) * (j + 1) + (i % 3)));
const texts = ['A cat sat.', 'The cat and the dog', 'No dogs, no cats', 'fish 鱼 \ud800', 'the end'];
const rowsOf = (rows: readonly ArrayLike<number>[]) => rows.map((row) => Array.from(row));

for (const [kind, labels] of [
  ['strings', ['b', '鱼', '\u{1f600}']],
  ['numbers', [-1, 0.5, 7]],
  ['booleans', [true, false]],
] as const) {
  t(`a logistic regression on ${kind} is the same after save and load`, async () => {
    const y = x.map((_, i) => labels[i % labels.length]!);
    const options = { C: Infinity, classWeight: new Map([[labels[0]!, 2]]), tol: 1e-3, maxIter: 500, warmStart: true };
    const model = await new LogisticRegression(options).fit(x, y);
    const folder = path.join(temporaryFolder(), 'made', 'here');
    await model.save(folder);
    assert.equal(readdirSync(folder).sort(), ['classifier.json', 'classifier.safetensors']);
    const loaded = await LogisticRegression.load(folder);
    assert.equal(loaded.fitted, model.fitted);
    assert.equal(loaded.options, model.options);
    assert.equal(rowsOf(await loaded.predictProba(x)), rowsOf(await model.predictProba(x)));
  });
}

t('neighbours, clusters, components and scalers are the same after save and load', async () => {
  const folder = temporaryFolder();
  const y = x.map((_, i) => `class ${i % 4}`);
  const neighbors = await new KNeighborsClassifier({ nNeighbors: 3, weights: 'distance', metric: 'euclidean' }).fit(x, y);
  await neighbors.save(folder);
  assert.equal(rowsOf(await (await KNeighborsClassifier.load(folder)).predictProba(x)), rowsOf(await neighbors.predictProba(x)));

  for (const init of [undefined, x.slice(0, 4)]) {
    const clusters = await new KMeans({ nClusters: 4, seed: 3, init }).fit(x);
    await clusters.save(folder);
    const again = await KMeans.load(folder);
    assert.equal(again.clusterCenters, clusters.clusterCenters);
    assert.equal([again.labels, again.inertia, again.nIter], [clusters.labels, clusters.inertia, clusters.nIter]);
    assert.equal(await again.predict(x), clusters.labels);
    assert.equal((await again.fit(x)).labels, clusters.labels);
  }

  const pca = await new PCA({ nComponents: 2, whiten: true }).fit(x);
  await pca.save(folder);
  const components = await PCA.load(folder);
  assert.equal((await components.transform(x)).data, (await pca.transform(x)).data);
  assert.equal([components.noiseVariance, components.singularValues], [pca.noiseVariance, pca.singularValues]);

  for (const options of [{}, { withMean: false }, { withStd: false }, { withMean: false, withStd: false }]) {
    const scaler = await new StandardScaler(options).fit(x);
    await scaler.save(folder);
    assert.equal((await (await StandardScaler.load(folder)).transform(x)).data, (await scaler.transform(x)).data);
  }
});

t('vectorizers and encoders are the same after save and load', async () => {
  const folder = temporaryFolder();
  for (const options of [
    {},
    { norm: null, useIdf: false, sublinearTf: true, lowercase: false },
    { norm: 'l1', smoothIdf: false, minDf: 2, ngramRange: [1, 2], stopWords: ['the'] },
    { tokenPattern: /([a-z])\w+/giu, binary: true, maxDf: 0.5, maxFeatures: 3 },
    { tokenizer: segmentWords },
    { analyzer: 'char_wb', ngramRange: [2, 3], stripAccents: 'unicode' },
    { vocabulary: ['dog', 'cat'] },
  ] as const) {
    const vectorizer = await new TfidfVectorizer(options).fit(texts);
    await vectorizer.save(folder);
    const loaded = await TfidfVectorizer.load(folder);
    assert.equal(await loaded.transform(texts), await vectorizer.transform(texts));
    assert.equal(loaded.getFeatureNamesOut(), vectorizer.getFeatureNamesOut());
    const more = [...texts.slice(1), ...texts];
    assert.equal(await loaded.fitTransform(more), await new TfidfVectorizer(options).fitTransform(more));
  }
  const counts = await new CountVectorizer({ tokenizer: (text) => text.split('t') }).fit(texts);
  await counts.save(folder);
  assert.is((await rejection(() => CountVectorizer.load(folder))).code, 'INVALID_OPTION');
  const loaded = await CountVectorizer.load(folder, { tokenizer: (text) => text.split('t') });
  assert.equal(await loaded.transform(texts), await counts.transform(texts));

  const table = texts.map((text, i) => [text.slice(0, 2), i % 2 === 0, i]);
  for (const options of [
    {},
    { drop: 'if_binary' },
    { minFrequency: 2, handleUnknown: 'infrequent_if_exist' },
    { maxCategories: 2 },
  ] as const) {
    const encoder = new OneHotEncoder(options).fit(table);
    await encoder.save(folder);
    const again = await OneHotEncoder.load(folder);
    assert.equal(again.transform(table), encoder.transform(table));
    assert.equal(again.getFeatureNamesOut(), encoder.getFeatureNamesOut());
  }
});

t('an estimator before fit is not saved', async () => {
  const folder = temporaryFolder();
  for (const make of [LogisticRegression, KNeighborsClassifier, PCA, StandardScaler, OneHotEncoder, CountVectorizer, TfidfVectorizer]) {
    assert.is((await rejection(() => new make().save(folder))).code, 'INVALID_ARG');
  }
  assert.is((await rejection(() => new KMeans({ nClusters: 2 }).save(folder))).code, 'INVALID_ARG');
  assert.equal(readdirSync(folder), []);
});

t('damaged, foreign and hostile files are refused, file and field named', async () => {
  const source = temporaryFolder();
  const model = await new LogisticRegression().fit(
    x,
    x.map((_, i) => i % 3),
  );
  await model.save(source);
  const json = (changes: Readonly<Record<string, unknown>>) => (folder: string) => editJson(path.join(folder, 'classifier.json'), changes);
  const tensors =
    (coef: readonly number[], shape: readonly number[], intercept = [0, 0, 0]) =>
    (folder: string) =>
      writeSafetensors(path.join(folder, 'classifier.safetensors'), [
        { name: 'coef', dtype: 'F64', shape, bytes: new Uint8Array(Float64Array.from(coef).buffer) },
        { name: 'intercept', dtype: 'F64', shape: [intercept.length], bytes: new Uint8Array(Float64Array.from(intercept).buffer) },
      ]);
  const cases: readonly (readonly [string, RegExp, (folder: string) => unknown])[] = [
    ['MODEL_NOT_FOUND', /classifier\.json/, (folder) => rmSync(path.join(folder, 'classifier.json'))],
    ['ESTIMATOR', /classifier\.safetensors/, (folder) => rmSync(path.join(folder, 'classifier.safetensors'))],
    ['ESTIMATOR', /valid JSON/, (folder) => writeFileSync(path.join(folder, 'classifier.json'), '{"format": ')],
    ['ESTIMATOR', /UTF-8/, (folder) => writeFileSync(path.join(folder, 'classifier.json'), Buffer.from([0x7b, 0xff, 0x7d]))],
    ['ESTIMATOR', /format/, json({ format: 'pickle' })],
    ['ESTIMATOR', /version/, json({ version: 2 })],
    ['ESTIMATOR', /type/, json({ type: 'SVC' })],
    ['ESTIMATOR', /type/, json({ type: 'KNeighborsClassifier' })],
    ['ESTIMATOR', /classes/, json({ classes: [] })],
    ['ESTIMATOR', /classes/, json({ classes: [1, 1, 2] })],
    ['ESTIMATOR', /classes/, json({ classes: [1, 'a', 2] })],
    ['ESTIMATOR', /classes/, json({ classes: [[1], [2], [3]] })],
    ['ESTIMATOR', /classes/, json({ classes: { length: 3 } })],
    ['ESTIMATOR', /\[4, any\].*\[3, 5\]/, json({ classes: [0, 1, 2, 3] })],
    ['ESTIMATOR', /C/, json({ params: { C: -1 } })],
    ['ESTIMATOR', /solver/, json({ params: { solver: 'liblinear' } })],
    ['ESTIMATOR', /params/, json({ params: [1] })],
    ['ESTIMATOR', /n_iter/, json({ n_iter: -1 })],
    ['ESTIMATOR', /shape/, tensors([1, 2, 3], [3])],
    ['ESTIMATOR', /shape/, tensors([], [3, 0])],
    ['ESTIMATOR', /shape/, tensors([1, 2, 3], [3, 1], [0])],
    ['ESTIMATOR', /NaN/, tensors([1, NaN, 3], [3, 1])],
    ['HEADER_TOO_SMALL', /safetensors/, (folder) => writeFileSync(path.join(folder, 'classifier.safetensors'), 'x')],
    [
      'HEADER_LENGTH',
      /safetensors/,
      (folder) => writeFileSync(path.join(folder, 'classifier.safetensors'), Buffer.alloc(64, 5).fill(0, 4, 8)),
    ],
  ];
  for (const [code, message, spoil] of cases) {
    const folder = temporaryFolder(source);
    await spoil(folder);
    const error = await rejection(() => LogisticRegression.load(folder));
    assert.is(error.code, code, error.message);
    assert.match(error.message, message);
  }
  const pickled = temporaryFolder();
  writeFileSync(path.join(pickled, 'model_head.pkl'), 'cos\nsystem\n');
  const error = await rejection(() => LogisticRegression.load(pickled));
  assert.is(error.code, 'UNSAFE_FORMAT');
  assert.match(error.message, /docs\/learn\.md/);
});

t('fields of other estimators are checked as well', async () => {
  const folder = temporaryFolder();
  const spoiled = async (file: string, changes: Readonly<Record<string, unknown>>, load: () => Promise<unknown>): Promise<void> => {
    const before = readFileSync(path.join(folder, file));
    editJson(path.join(folder, file), changes);
    const error = await rejection(load);
    assert.is(error.code, 'ESTIMATOR', error.message);
    writeFileSync(path.join(folder, file), before);
  };
  await (await new TfidfVectorizer({ tokenPattern: /a+/u }).fit(['a aa'])).save(folder);
  for (const changes of [
    { vocabulary: ['b', 'b'] },
    { vocabulary: ['b', 1] },
    { vocabulary: [] },
    { vocabulary: ['a', 'b', 'c'] },
    { params: { token_pattern: '(' } },
    { params: { token_pattern: '\\w' }, token_pattern_flags: undefined },
    { params: { ngram_range: [2, 1] } },
  ]) {
    await spoiled('vectorizer.json', changes, () => TfidfVectorizer.load(folder));
  }
  await new OneHotEncoder().fit([['a'], ['b']]).save(folder);
  for (const changes of [{ categories: 'ab' }, { categories: [['a', 'a']] }, { counts: [[1]] }, { counts: [[1, -1]] }]) {
    await spoiled('one-hot.json', changes, () => OneHotEncoder.load(folder));
  }
  await (await new KMeans({ nClusters: 3 }).fit(x)).save(folder);
  for (const changes of [{ params: { n_clusters: 4 } }, { params: {} }, { inertia: 'low' }]) {
    await spoiled('clusters.json', changes, () => KMeans.load(folder));
  }
  await (
    await new KNeighborsClassifier().fit(
      x,
      x.map((_, i) => i % 2),
    )
  ).save(folder);
  for (const changes of [{ classes: [1] }, { params: { n_neighbors: 61 } }]) {
    await spoiled('classifier.json', changes, () => KNeighborsClassifier.load(folder));
  }
});

t.run();
