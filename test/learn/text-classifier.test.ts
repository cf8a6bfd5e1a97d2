import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import {
  loadTextClassifier,
  LogisticRegression,
  segmentWords,
  type TextClassifierData,
  trainTextClassifier,
} from '../../src/learn/index.js';
import { editJson, golden, rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('text classifier');
const foods = ['soup', 'bread', 'an apple', 'cheese', 'rice', 'a cake', 'noodles', 'salad', 'fish and chips', 'a pie'];
const places = ['Paris', 'the lake', 'a castle', 'Rome', 'the harbour', 'an island', 'the old town', 'Vienna', 'the north', 'a village'];
const texts = [
  ...foods.flatMap((food) => [`We ate ${food}.`, `${food} for lunch`]),
  ...places.flatMap((place) => [`We went to ${place}.`, `A trip to ${place}`]),
];
const labels = texts.map((_, i) => (i < 2 * foods.length ? 'food' : 'travel'));
const csv = path.join(temporaryFolder(), 'texts.csv');
writeFileSync(csv, `text,label\n${texts.map((text, i) => `"${text}",${labels[i]}\n`).join('')}`);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bertha(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1' } }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode!, stdout, stderr }),
    );
  });
}

t('BERT and TF-IDF side by side: report, probabilities, save and load', async () => {
  const embedder = await loadEmbedder();
  const phases = new Set<string>();
  const options = { testSize: 0.25, randomState: 7, onProgress: ({ phase }: { readonly phase: string }) => phases.add(phase) };
  const classifier = await trainTextClassifier(embedder, texts, labels, options);
  assert.equal([...phases], ['embed', 'calibrate', 'fit']);
  assert.equal(
    [classifier.classes, classifier.features],
    [
      ['food', 'travel'],
      ['bert', 'tfidf'],
    ],
  );
  const { evaluation } = classifier;
  assert.is(evaluation!.support, 10);
  assert.is(evaluation!.accuracy, 1);
  assert.equal(classifier.confusionMatrix, [
    [5, 0],
    [0, 5],
  ]);
  assert.match(classifier.report!, /precision +recall +f1-score +support\n\n +food +1\.00/);
  const asked = ['We went to Berlin.', 'A bowl of porridge.'];
  const rows = await classifier.predictProba(asked);
  assert.equal(await classifier.predict(asked), ['travel', 'food']);
  for (const row of rows) assert.ok(Math.abs(row[0]! + row[1]! - 1) < 1e-12);
  const [best, second] = await classifier.classify(asked[0]!);
  assert.equal([best!.label, best!.score, second!.score], ['travel', rows[0]![1]!, rows[0]![0]!]);
  assert.equal(await classifier.predict([]), []);

  const folder = temporaryFolder();
  await classifier.save(folder);
  assert.equal(readdirSync(folder).sort(), ['classifier.json', 'classifier.safetensors', 'vectorizer.json', 'vectorizer.safetensors']);
  for (const given of [embedder, undefined]) {
    const loaded = await loadTextClassifier(folder, { embedder: given });
    assert.equal(await loaded.predictProba(asked), rows);
    loaded.dispose();
  }
  assert.equal((await LogisticRegression.load(folder)).fitted, classifier.model.fitted);

  const other = await loadEmbedder(golden('tiny/bert-cased'));
  const error = await rejection(() => loadTextClassifier(folder, { embedder: other }));
  assert.is(error.code, 'MODEL_MISMATCH');
  assert.match(error.message, /the bundled model .* learned from/);
  other.dispose();
  for (const changes of [
    { features: 'words' },
    { features: undefined },
    { features: ['bert'] },
    { temperature: 0 },
    { model: null },
    { model: { sha256: 'x' } },
  ]) {
    const spoiled = temporaryFolder(folder);
    editJson(path.join(spoiled, 'classifier.json'), changes);
    assert.is((await rejection(() => loadTextClassifier(spoiled, { embedder }))).code, 'ESTIMATOR', JSON.stringify(changes));
  }
  embedder.dispose();
});

t('words alone need no model; from a file, C by search, no calibration', async () => {
  const [fromFile, fromLists] = await Promise.all([
    trainTextClassifier({ file: csv, features: 'tfidf', C: 'search', calibrate: false }),
    trainTextClassifier({ texts, labels, features: ['tfidf'], C: 'search', calibrate: false }),
  ]);
  assert.equal(fromFile.model.fitted, fromLists.model.fitted);
  assert.is(fromFile.temperature, 1);
  assert.ok([0.1, 1, 10, 100].includes(fromFile.model.options.C));
  const all = await trainTextClassifier({ texts, labels, features: 'tfidf', testSize: 0 });
  assert.is(all.report, undefined);
  const tested = await trainTextClassifier({ texts, labels, features: 'tfidf', test: { texts: ['ate', 'x'], labels: ['food', 'war'] } });
  assert.is(tested.evaluation!.support, 2);
  assert.equal(tested.evaluation!.classes.slice(0, 1), ['food']);
  assert.is(tested.model.coef[0]!.length, all.model.coef[0]!.length);
  const folder = temporaryFolder();
  const chinese = await trainTextClassifier({
    texts: ['我喜欢喝茶', '今天天气好', '我爱喝茶', '天气不好'],
    labels: [1, 2, 1, 2],
    features: 'tfidf',
    testSize: 0,
    vectorizer: { tokenizer: segmentWords },
  });
  await chinese.save(folder);
  assert.equal(await (await loadTextClassifier(folder)).predict(['喝茶']), [1]);
});

t('bad input is refused with the place', async () => {
  const code = (data: TextClassifierData) =>
    rejection(() => trainTextClassifier({ features: 'tfidf', ...data })).then((error) => error.code);
  assert.is(await code({ texts, labels: labels.slice(1) }), 'INVALID_ARG');
  assert.is(await code({ texts, labels: labels.map(() => 'one') }), 'INVALID_ARG');
  assert.is(await code({ texts, labels: labels.map((label, i) => (i === 3 ? 3 : label)) }), 'INVALID_ARG');
  assert.is(await code({ texts: texts.map((text, i) => (i === 3 ? 3 : text)) as never, labels }), 'INVALID_ARG');
  assert.is(await code({ texts: [], labels: [] }), 'INVALID_ARG');
  assert.is(await code({ texts, labels, features: 'bow' as never }), 'INVALID_OPTION');
  assert.is(await code({ texts, labels, C: 0 }), 'INVALID_OPTION');
  assert.is(await code({ texts, labels, testSize: 40 }), 'INVALID_OPTION');
  assert.is(await code({ texts, labels, embedder: {} as never }), 'INVALID_OPTION');
  assert.is(await code({ texts: texts.map(() => '…'), labels }), 'EMPTY_INPUT');
  assert.is(await code({ file: csv, columns: { label: 'mood' } }), 'DATASET');
  assert.is(await code({ file: path.join(path.dirname(csv), 'none.csv') }), 'IO');
  const reason = new Error('enough');
  const aborted = trainTextClassifier({ texts, labels, features: 'tfidf', signal: AbortSignal.abort(reason) });
  assert.is(await aborted.catch((error: unknown) => error), reason);
});

t('bertha classify-train and bertha classify --classifier', async () => {
  const folder = path.join(temporaryFolder(), 'kind');
  const trained = await bertha(['classify-train', csv, '--text', 'text', '--label', 'label', '--output', folder]);
  assert.is(trained.code, 0, trained.stderr);
  assert.match(trained.stdout, /f1-score/);
  assert.match(trained.stdout, /true \\ predicted +food +travel/);
  const asked = await bertha(['classify', 'What a tasty soup.', '--classifier', folder, '--format', 'jsonl']);
  assert.is(asked.code, 0, asked.stderr);
  assert.is((JSON.parse(asked.stdout) as { labels: { label: string }[] }).labels[0]!.label, 'food');
  const wrong = await bertha(['classify', 'x', '--classifier', folder, '--pairs']);
  assert.is(wrong.code, 2);
  const adapted = await bertha(['classify-train', csv, '--adapter', folder, '--output', `${folder}-2`]);
  assert.is(adapted.code, 2);
  assert.match(adapted.stderr, /a model without an adapter/);
});

t.run();
