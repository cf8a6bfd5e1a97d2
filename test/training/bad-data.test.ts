// Data that a user may get wrong: each a typed error that says what to do, or the right answer; nothing lost.
import * as assert from 'uvu/assert';
import { classifyText } from '../../src/tasks/index.js';
import type { TrainModelOptions } from '../../src/training/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { labelledBatch, learnedState, learningUpdate } from '../support/learning-batch.js';
import { classifies, file, learn, learns, refuses, rows, tags, trainerOf } from '../support/small-training.js';
import { suite } from '../support/suite.js';

const t = suite('bad data');
const warnings: string[] = [];
process.on('warning', ({ message }) => void warnings.push(message));

async function warned(words: RegExp): Promise<void> {
  await new Promise(setImmediate); // warnings come in the next turn
  assert.ok(
    warnings.some((each) => words.test(each)),
    `${words} among ${warnings.join('\n')}`,
  );
}

t('labels outside the range name the row and what may stand there', async () => {
  await refuses('DATASET', /one of the 2 labels \(x, y\).*index 1 but received "z"/, rows, {
    ...classifies,
    evalDataset: [rows[0]!, { text: 'q', label: 'z' }],
  });
  await refuses('DATASET', /index 0 but received 2/, rows, { ...classifies, evalDataset: [{ text: 'q', label: 2 }] });
  await refuses('DATASET', /a choice of 0\.\.1.*index 0 but received 2/, [{ question: 'q', choices: ['a', 'b'], label: 2 }], {
    task: 'multiple-choice',
  });
  await refuses('DATASET', /2 labels.*index 0 but received 2/, [{ text: 'q', textPair: 'a', label: 2 }], {
    task: 'next-sentence-prediction',
  });
  // Below all collators: numbers that would index beyond the logits.
  const { model, trainer } = await trainerOf({});
  const before = await learnedState(model);
  for (const label of [2, -101, 2 ** 31 - 1]) {
    const batch = { ...labelledBatch(3), labels: Int32Array.of(0, label, 1) };
    const error = await rejection(() => model.session.step([batch], { ...learningUpdate(1), numItems: [3], microStep: 0 }));
    assert.match(error.code, /^INVALID_/, error.message);
  }
  assert.ok(before.equals(await learnedState(model)));
  trainer.dispose();
});

t('-100 everywhere: no label is an error, rows and words without one do not count', async () => {
  await refuses('INVALID_LABEL', /two different labels.*none/, [{ text: 'a', label: -100 }], classifies);
  const some = await learns([...rows, { text: 'z', label: -100 }], {
    ...classifies,
    numTrainEpochs: 1,
    maxSteps: -1,
    perDeviceTrainBatchSize: 5,
  });
  assert.ok(some.metrics['train_loss']! > 0);
  const none = await learns([{ tokens: ['a', 'b'], tags: [-100, -100] }], { ...tags, learningRate: 1 });
  assert.is(none.metrics['train_loss'], 0);
  await warned(/Step 1 has no label to learn from and is left out/);
});

t('a loss that is not finite names step and op, and leaves the weights as they were', async () => {
  const { model, trainer } = await trainerOf({ learningRate: 1e30, lrSchedulerType: 'constant', maxGradNorm: 0 });
  let last: Buffer | undefined;
  const error = await rejection(async () => {
    for (;;) {
      last = await learnedState(model);
      await trainer.train();
    }
  });
  assert.is(error.code, 'NON_FINITE');
  assert.match(
    error.message,
    /^Step 2: the loss of op \d+ \(cross_entropy\) is not finite.*weights are as they were.*learningRate.*skipNonFinite/,
  );
  assert.is(trainer.state.globalStep, 1);
  const now = await learnedState(model);
  assert.not.ok(now.equals(last!), 'the first step was made');
  assert.is((await rejection(() => trainer.train())).code, 'NON_FINITE');
  assert.ok(now.equals(await learnedState(model)), 'the second was not');
  trainer.dispose();
  const { trainer: patient } = await trainerOf({ learningRate: 1e30, lrSchedulerType: 'constant', maxGradNorm: 0, skipNonFinite: true });
  await patient.train();
  assert.equal([patient.state.globalStep, patient.state.skipped], [4, 3]);
  patient.dispose();
});

t('texts over the limit are cut, counted and told', async () => {
  await learns(
    [
      { text: 'a '.repeat(5000), label: 'x' },
      { text: 'b', label: 'y' },
    ],
    classifies,
  );
  await warned(/1 row of the dataset, the first the row at index 0, was cut at \d+ tokens/);
});

t('spans that are not in the text: an error for entities, a warning that counts for answers', async () => {
  for (const [start, end] of [
    [1, 9],
    [2, 1],
    [-1, 2],
    [0.5, 2],
  ]) {
    await refuses(
      'DATASET',
      /within the 3 UTF-16 units of the text of the row at index 0/,
      [{ text: 'abc', entities: [{ start, end, label: 'X' }] }],
      tags,
    );
  }
  const question = (text: string, start: number) => ({ question: 'q', context: 'a b c', answers: { text: [text], answer_start: [start] } });
  await learns([question('z', 100), question('a', 0)], { task: 'question-answering' });
  await warned(/1 row of the dataset, the first the row at index 0, was left out: their answers do not stand in the context/);
  for (const [text, start] of [
    ['z', 0],
    ['a', -1],
    ['a', 2],
  ] as const)
    await refuses('INVALID_ARG', /at least one row to learn from/, [question(text, start)], { task: 'question-answering' });
});

t('CoNLL with broken rows names file and line', async () => {
  await refuses('DATASET', /2 columns in line 2 of .*broken\.conll.*received 1/, file('broken.conll', 'a B-X\nb\n\nc O\n'), tags);
  await refuses('DATASET', /2 columns in line 4 of .*broken\.conll.*received 3/, file('broken.conll', 'a B-X\n\nb O\nc d O\n'), tags);
});

t('a byte order mark and CRLF change nothing', async () => {
  const kinds: [string, string, typeof classifies | typeof tags][] = [
    ['a.jsonl', '{"text":"a","label":"x"}\n{"text":"b c","label":"y"}\n', classifies],
    ['a.csv', 'text,label\na,x\nb c,y\n', classifies],
    ['a.tsv', 'text\tlabel\na\tx\nb c\ty\n', classifies],
    ['a.conll', 'a B-X\nb O\n\nc O\n', tags],
  ];
  for (const [name, content, task] of kinds) {
    const plain = await learns(file(name, content), task);
    const marked = await learns(file(name, `\ufeff${content.replaceAll('\n', '\r\n')}`), task);
    assert.is(marked.metrics['train_loss'], plain.metrics['train_loss'], name);
    assert.equal(marked.model.config.id2label, plain.model.config.id2label);
  }
});

t('an empty file of any kind, or an empty array, has no rows', async () => {
  const empty: [string, string, TrainModelOptions['task']][] = [
    ['a.jsonl', '', 'text-classification'],
    ['a.jsonl', '\ufeff\r\n', 'text-classification'],
    ['a.csv', '', 'text-classification'],
    ['a.csv', 'text,label\n', 'text-classification'],
    ['a.tsv', '', 'text-classification'],
    ['a.conll', '\n\n', 'token-classification'],
    ['a.txt', '', 'fill-mask'],
    ['a.json', '', 'question-answering'],
    ['a.json', '\n', 'question-answering'],
    ['a.json', '{"data":[]}', 'question-answering'],
  ];
  for (const [name, content, task] of empty) await refuses('EMPTY_INPUT', /rows in .*a\./, file(name, content), { task });
  for (const task of ['text-classification', 'token-classification', 'question-answering', 'fill-mask', 'multiple-choice'] as const) {
    const error = await rejection(() => learn([], { task }));
    assert.match(error.code, /^(?:EMPTY_INPUT|INVALID_ARG|INVALID_LABEL)$/, `${task}: ${error.message}`);
    assert.match(error.message, /received none/);
  }
  await refuses('EMPTY_INPUT', /rows in .*a\.csv/, rows, { ...classifies, evalDataset: file('a.csv', '') });
});

t('one label only says which', () =>
  refuses(
    'INVALID_LABEL',
    /two different labels to learn but received only "x"/,
    [
      { text: 'a', label: 'x' },
      { text: 'b', label: 'x' },
    ],
    classifies,
  ),
);

t('a class that the evaluation lacks keeps its id, and scores are those of what is there', async () => {
  const evalDataset = ['x', 'x', 'y'].map((label) => ({ text: `the ${label}`, label }));
  const all = [...rows, { text: 'q', label: 'z' }];
  const { metrics, model } = await learn(all, { ...classifies, evalDataset, learningRate: 0.01, maxSteps: 4 });
  assert.equal(model.config.id2label, ['x', 'y', 'z']);
  const found = await classifyText(
    model,
    evalDataset.map(({ text }) => text),
  );
  const predicted = found.map(({ labels }) => labels[0]!.label);
  const right = evalDataset.map(({ label }) => label);
  model.dispose();
  // Of scikit-learn's definitions, written out: classes that occur among labels or predictions count.
  const names = [...new Set([...right, ...predicted])];
  const share = (of: (name: string) => [number, number]): number =>
    names.map(of).reduce((sum, [part, whole]) => sum + (whole === 0 ? 0 : part / whole), 0) / names.length;
  const both = (name: string): number => right.filter((each, i) => each === name && predicted[i] === name).length;
  const count = (list: string[], name: string): number => list.filter((each) => each === name).length;
  const expected = {
    eval_accuracy: right.filter((each, i) => each === predicted[i]).length / 3,
    eval_recall: share((name) => [both(name), count(right, name)]),
    eval_precision: share((name) => [both(name), count(predicted, name)]),
    eval_f1: share((name) => [2 * both(name), count(right, name) + count(predicted, name)]),
  };
  for (const [name, value] of Object.entries(expected))
    assert.ok(Math.abs(metrics[name]! - value) < 1e-12, `${name} ${metrics[name]} ${value}`);
  assert.ok(Number.isFinite(metrics['eval_loss']!) && Number.isFinite(metrics['eval_matthews']!));
});

t('a head that the model lacks is made, one of another size replaced, and both are said', async () => {
  const made = await learns(rows, classifies);
  assert.equal([made.newlyInitialized, made.replaced], [['classifier.weight', 'classifier.bias'], []]);
  const replaced = await learns(rows, classifies, golden('tiny/bert-nli'));
  assert.equal([replaced.newlyInitialized, replaced.replaced], [[], ['classifier.weight', 'classifier.bias']]);
  const kept = await learns(
    ['entailment', 'neutral', 'contradiction'].map((label) => ({ text: 'a', textPair: 'b', label })),
    classifies,
    golden('tiny/bert-nli'),
  );
  assert.equal([kept.newlyInitialized, kept.replaced], [[], []]);
});

t('a learning rate of 0 changes nothing, one below 0 or NaN is refused', async () => {
  const { model, trainer } = await trainerOf({ learningRate: 0, weightDecay: 0.1 });
  const values = async () => model.session.read(0, 'value', 0, model.training.weights[0]!.rows);
  const before = await values();
  await trainer.train();
  assert.equal(await values(), before);
  assert.is(trainer.state.globalStep, 4);
  trainer.dispose();
  for (const learningRate of [-1, NaN, Infinity])
    await refuses('INVALID_OPTION', /a finite number from 0 for .*learningRate/, rows, { ...classifies, learningRate });
});

t('a batch larger than the dataset, a dataset of one text', async () => {
  const whole = await learns(rows, { ...classifies, perDeviceTrainBatchSize: rows.length });
  const larger = await learns(rows, { ...classifies, perDeviceTrainBatchSize: 1000 });
  assert.is(larger.metrics['train_loss'], whole.metrics['train_loss']);
  await learns([{ text: 'a', label: 1.5 }], { ...classifies, evalDataset: [{ text: 'a', label: 1.5 }] });
  await learns([{ text: 'some words to be masked' }], { task: 'fill-mask' });
  await learns([{ tokens: ['a', 'b'], tags: ['O', 'B-X'] }], tags);
  await refuses('INVALID_LABEL', /only "1"/, [{ text: 'a', label: 1 }], classifies);
});

t.run();
