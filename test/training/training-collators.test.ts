import * as assert from 'uvu/assert';
import { atOnce } from '../../src/calls/text-reader.js';
import { createCollator, inspectDataset, taskMetrics, type Collator, type Example } from '../../src/training/collators/index.js';
import { labelSet, readLabelSet, type Row } from '../../src/training/datasets/index.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { suite } from '../support/suite.js';

const t = suite('training collators');

const words = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'a',
  'b',
  'c',
  'd',
  '##x',
  '##y',
  'new',
  'york',
  '.',
  '-',
  '?',
  'the',
  'moon',
  'to',
];
const tokenizer = createTokenizer({ vocab: words.join('\n'), tokenizerConfig: '{"do_lower_case":true}' });
const model = { tokenizer, maxTokens: 16, config: { maxSequenceLength: 16 } };
const ids = (...tokens: string[]): number[] => tokens.map((token) => words.indexOf(token));

function examplesOf(collator: Collator<Row>, rows: readonly Row[]): Example[] {
  return rows.flatMap((row, i) => atOnce(collator.encode(row, i)) ?? []);
}

function collated(collator: Collator<Row>, rows: readonly Row[], draw = { seed: 1, epoch: 0 }) {
  return collator.collate(examplesOf(collator, rows), draw);
}

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
  return 'nothing';
}

async function rejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
}

t('texts and pairs are laid end to end with their classes', () => {
  const collator = createCollator('text-classification', model, { labels: labelSet(['neg', 'pos']) });
  const batch = collated(collator, [
    { sentence: 'a bx', label: 'pos' },
    { sentence: 'c', label: 0 },
    { sentence: 'd', label: '1' },
    { sentence: 'd', label: -100 },
  ]);
  assert.equal(
    [...batch.batch.inputIds],
    ids('[CLS]', 'a', 'b', '##x', '[SEP]', '[CLS]', 'c', '[SEP]', '[CLS]', 'd', '[SEP]', '[CLS]', 'd', '[SEP]'),
  );
  assert.equal([...batch.batch.cuSeqlens], [0, 5, 8, 11, 14]);
  assert.equal([...batch.batch.labels!], [1, 0, 1, -100]);
  assert.equal([batch.rows, batch.tokens, batch.numItems], [4, 14, [3]]);
  const read = batch.read(Float32Array.of(0, 1, 1, 0, 1, 0, 0, 1));
  assert.equal(taskMetrics('text-classification')(read)['accuracy'], 2 / 3);
  const pairs = collated(createCollator('cross-encoder', model, { labels: labelSet(['LABEL_0'], 'numbers') }), [
    { text_a: 'a', text_b: 'b', score: '0.5' },
  ]);
  assert.equal([...pairs.batch.tokenTypeIds], [0, 0, 0, 1, 1]);
  assert.equal([...pairs.batch.numbers!], [0.5]);
});

t('rows without a label do not count, and have no metrics', () => {
  const collator = createCollator('text-classification', model, { labels: labelSet(['n', 'p']) });
  const batch = collated(collator, [{ text: 'a' }]);
  assert.equal([batch.numItems, [...batch.batch.labels!]], [[0], [-100]]);
  assert.match(
    failure(() => taskMetrics('text-classification')(batch.read(Float32Array.of(0, 1)))),
    /^EMPTY_INPUT/,
  );
});

t('a label outside the set, and a missing column, name the row', () => {
  const collator = createCollator('text-classification', model, { labels: labelSet(['n', 'p']) });
  assert.match(
    failure(() => examplesOf(collator, [{ text: 'a', label: 2 }])),
    /^DATASET: Expected one of the 2 labels \(n, p\).*the row at index 0 but received 2/,
  );
  assert.match(
    failure(() => examplesOf(collator, [{ text: 'a', label: 'x' }])),
    /received "x"/,
  );
  assert.match(
    failure(() => examplesOf(collator, [{ txt: 1 }])),
    /^DATASET: Expected a column for text .* received the columns txt/,
  );
  const mapped = createCollator('text-classification', model, { labels: labelSet(['n', 'p']), columns: { text: 'txt' } });
  assert.match(
    failure(() => examplesOf(mapped, [{ text: 'a' }])),
    /Expected the column "txt"/,
  );
});

t('several labels are names, a table of numbers, or a cell with separators', async () => {
  const rows: Row[] = [
    { text: 'a', labels: ['x', 'z'] },
    { text: 'b', labels: [] },
    { text: 'c', labels: ['y'] },
  ];
  const { labels } = await inspectDataset('text-classification', rows);
  assert.equal([labels!.id2label, labels!.kind], [['x', 'y', 'z'], 'classes']);
  const { batch, numItems } = collated(createCollator('text-classification', model, { labels }), [...rows, { text: 'd', labels: 'z|y' }]);
  assert.equal([...batch.numbers!], [1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1]);
  assert.equal(numItems, [4]);
  const table = await inspectDataset('text-classification', [
    { text: 'a', labels: [0, 1, 0.5] },
    { text: 'b', labels: [1, 0, 0] },
  ]);
  assert.equal(table.labels!.id2label, ['LABEL_0', 'LABEL_1', 'LABEL_2']);
  assert.equal(
    [...collated(createCollator('text-classification', model, table), [{ text: 'a', labels: [0, 1, 0.5] }]).batch.numbers!],
    [0, 1, 0.5],
  );
});

t('labels have a stable order, whatever comes first', async () => {
  const of = async (...labels: unknown[]) =>
    (
      await readLabelSet(
        'text-classification',
        labels.map((label) => ({ text: 'a', label })),
      )
    ).id2label;
  assert.equal(await of('b', 'a', 'b', 'C'), ['C', 'a', 'b']);
  assert.equal(await of('10', '9', '2'), ['2', '9', '10']);
  assert.equal(await of(1, 0, -100), ['0', '1']);
  assert.equal(await of(true, false), ['false', 'true']);
  assert.is(
    (
      await readLabelSet('text-classification', [
        { text: 'a', label: 0.5 },
        { text: 'b', label: 1 },
      ])
    ).kind,
    'numbers',
  );
  assert.match(await rejection(of('a', 'a')), /^INVALID_LABEL: Expected at least two different labels to learn but received only "a"/);
  assert.match(await rejection(of('a', ['b'])), /^DATASET: Expected a label of the same kind/);
  const known = await inspectDataset(
    'text-classification',
    [
      { text: 'a', label: 1 },
      { text: 'b', label: 0 },
    ],
    { known: ['neg', 'pos'] },
  );
  assert.equal(known.labels!.id2label, ['neg', 'pos']);
});

const tags = labelSet(['O', 'B-LOC', 'I-LOC']);

t('the first piece of a word has its tag, with labelAllTokens the others too', () => {
  const row = { tokens: ['newx', 'york-', 'a'], ner_tags: ['B-LOC', 'I-LOC', 'O'] };
  const tokens = ids('[CLS]', 'new', '##x', 'york', '-', 'a', '[SEP]');
  const { batch, numItems, read } = collated(createCollator('token-classification', model, { labels: tags }), [row]);
  assert.equal([...batch.inputIds], tokens);
  assert.equal([...batch.labels!], [-100, 1, -100, 2, -100, 0, -100]);
  assert.equal(numItems, [3]);
  const logits = new Float32Array(7 * 3);
  [1, 1, 2, 2, 0, 0, 0].forEach((best, token) => (logits[3 * token + best] = 1));
  const said = read(logits);
  assert.equal(said, { predictions: [['B-LOC', 'I-LOC', 'O']], labels: [['B-LOC', 'I-LOC', 'O']] });
  assert.is(taskMetrics('token-classification')(said)['f1'], 1);
  const all = collated(createCollator('token-classification', model, { labels: tags, labelAllTokens: true }), [row]);
  assert.equal([...all.batch.labels!], [-100, 1, 2, 2, 2, 0, -100]);
});

t('spans count UTF-16 units and label the words they touch', async () => {
  const text = '🚀 a newx york.';
  const row = { text, entities: [{ start: 5, end: 14, label: 'LOC' }] };
  assert.is(text.slice(5, 14), 'newx york');
  const { labels } = await inspectDataset('token-classification', [row]);
  assert.equal(labels!.id2label, ['O', 'B-LOC', 'I-LOC']);
  const { batch } = collated(createCollator('token-classification', model, { labels: tags }), [row]);
  assert.equal([...batch.labels!], [-100, 0, 0, 1, -100, 2, 0, -100]);
  const bad = (entities: unknown) =>
    failure(() => collated(createCollator('token-classification', model, { labels: tags }), [{ text, entities }]));
  assert.match(bad([{ start: 5, end: 99, label: 'LOC' }]), /^DATASET: Expected entities .* within the 15 UTF-16 units .* end 99/);
  assert.match(bad([{ start: 5, end: 5, label: 'LOC' }]), /^DATASET/);
  assert.match(
    bad([
      { start: 3, end: 9, label: 'LOC' },
      { start: 5, end: 9, label: 'LOC' },
    ]),
    /do not overlap/,
  );
  assert.match(bad([{ start: 5, end: 9, label: 'PER' }]), /one of the 3 labels/);
  assert.match(
    failure(() => collated(createCollator('token-classification', model, { labels: tags }), [{ tokens: ['a', 'b'], tags: ['O'] }])),
    /2 tags, one a word.* received 1/,
  );
});

t('an answer is found in tokens of UTF-16 or code points, in every window that holds it', () => {
  const context = '🚀 a b c d a b c d to the moon .';
  const collator = createCollator('question-answering', model, { docStride: 2 });
  const start = context.indexOf('the moon');
  for (const answer_start of [start, start - 1]) {
    const { batch, numItems } = collated(collator, [
      { question: 'a?', context, answers: { text: ['the moon'], answer_start: [answer_start] } },
    ]);
    const spans = [...batch.spans!];
    assert.is(numItems[0], batch.cuSeqlens.length - 1);
    let found = 0;
    for (let w = 0; w < spans.length / 2; w++) {
      const [first, last] = [spans[2 * w]!, spans[2 * w + 1]!];
      if (first === 0 && last === 0) continue;
      found++;
      const begin = batch.cuSeqlens[w]!;
      assert.equal([...batch.inputIds.subarray(begin + first, begin + last + 1)], ids('the', 'moon'));
    }
    assert.ok(found >= 1 && found < spans.length / 2, `${found} of ${spans.length / 2} windows`);
  }
});

t('a question that leaves no room for the context is left out and told, its neighbours stay', () => {
  const collator = createCollator('question-answering', model, { docStride: 2 });
  const row = (question: string) => ({ question, context: 'b c d b c d', answers: { text: ['c'], answer_start: [2] } });
  const warnings: string[] = [];
  const hear = process.emitWarning;
  process.emitWarning = ((text: string) => void warnings.push(text)) as typeof process.emitWarning;
  try {
    // Sixteen tokens, three of them special: 11 of the question leave 2, which windows would share.
    const examples = examplesOf(collator, [row('a?'), row('a '.repeat(11)), row('a '.repeat(20)), row('a '.repeat(10))]);
    assert.equal(
      examples.map(({ index }) => index),
      [0, 3],
    );
    collator.warn();
  } finally {
    process.emitWarning = hear;
  }
  assert.equal(warnings, [
    '2 rows of the dataset, the first the row at index 1, were left out: their questions leave too little room for the context.',
  ]);
  assert.match(
    failure(() => createCollator('question-answering', model, { docStride: 12 })),
    /INVALID_OPTION: .*docStride/,
  );
});

t('an answer that is not in its context is left out, and a question without one points at [CLS]', async () => {
  const collator = createCollator('question-answering', model, {});
  assert.equal(examplesOf(collator, [{ question: 'a?', context: 'b c', answers: { text: ['d'], answer_start: [0] } }]), []);
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  collator.warn();
  assert.match((await warning).message, /^1 row of the dataset, the first the row at index 0, was left out: .*context/);
  const { batch } = collated(collator, [{ question: 'a?', context: 'b c', answers: { text: [], answer_start: [] } }]);
  assert.equal([...batch.spans!], [0, 0]);
  assert.match(
    failure(() => examplesOf(collator, [{ question: 'a?', context: 'b', answers: { text: ['b'] } }])),
    /^DATASET: Expected answers with text and answer_start/,
  );
});

t('answers are read back as slices of the context', () => {
  const collator = createCollator('question-answering', model, {});
  const row = { question: 'a?', context: 'To the MOON.', answers: [{ text: 'the MOON', answerStart: 3 }] };
  const { batch, read } = collated(collator, [row]);
  const logits = new Float32Array(2 * batch.inputIds.length).fill(-9);
  const [first, last] = batch.spans!;
  logits[2 * first!] = logits[2 * last! + 1] = 9;
  const said = read(logits);
  assert.equal(said, { predictions: ['the MOON'], labels: [['the MOON']] });
  assert.equal(taskMetrics('question-answering')(said), { exact_match: 1, f1: 1 });
});

t('choices are neighbouring sequences with the label at the first', async () => {
  const rows: Row[] = [
    { sent1: 'a', sent2: 'b', ending0: 'c', ending1: 'd', label: 1 },
    { question: 'a?', choices: ['b', 'c'], answer: 'x', label: 'A' },
  ];
  const task = await inspectDataset('multiple-choice', rows);
  assert.is(task.numChoices, 2);
  const { batch, numItems, rows: count, read } = collated(createCollator('multiple-choice', model, task), rows);
  assert.equal([count, numItems, [...batch.labels!]], [2, [2], [1, -100, 0, -100]]);
  assert.equal([...batch.inputIds.subarray(0, 6)], ids('[CLS]', 'a', '[SEP]', 'b', 'c', '[SEP]'));
  assert.is(taskMetrics('multiple-choice')(read(Float32Array.of(0, 1, 0, 1)))['accuracy'], 0.5);
  const other = { question: 'a?', choices: ['b'], label: 0 };
  assert.match(
    failure(() => examplesOf(createCollator('multiple-choice', model, task), [other])),
    /^DATASET: Expected 2 choices/,
  );
});

t('masks are a function of seed, epoch and row, in the shares that are asked for', () => {
  const collator = createCollator('fill-mask', model, {});
  const text = Array.from({ length: 400 }, (_, i) => words[5 + (i % 4)]).join(' ');
  const rows: Row[] = Array.from({ length: 20 }, () => ({ text }));
  const one = collated(collator, rows);
  const { selected, labels, inputIds, cuSelected, cuSeqlens } = one.batch;
  assert.equal([...collated(collator, rows).batch.inputIds], [...inputIds]);
  assert.not.equal([...collated(collator, rows, { seed: 1, epoch: 1 }).batch.selected!], [...selected!]);
  const alone = collator.collate([examplesOf(collator, rows)[7]!], { seed: 1, epoch: 0 }).batch;
  const windows = cuSeqlens.length - 1;
  const per = windows / rows.length;
  assert.equal([...alone.selected!], [...selected!.subarray(cuSelected![7 * per]!, cuSelected![8 * per]!)]);
  const drawn = { total: 8000, selected: selected!.length, masked: 0, kept: 0 };
  for (let sequence = 0, i = 0; sequence < windows; sequence++) {
    for (; i < cuSelected![sequence + 1]!; i++) {
      const id = inputIds[cuSeqlens[sequence]! + selected![i]!]!;
      if (id === tokenizer.maskId) drawn.masked++;
      if (id === labels![i]) drawn.kept++;
    }
  }
  // Standard deviations: 32 of 8000, 14 and 11 of 1200; random words hit [MASK] and the word itself now and then (1 / 19 of a tenth).
  assert.ok(Math.abs(drawn.selected - 1200) < 130, JSON.stringify(drawn));
  assert.ok(Math.abs(drawn.masked / drawn.selected - 0.805) < 0.05, JSON.stringify(drawn));
  assert.ok(Math.abs(drawn.kept / drawn.selected - 0.105) < 0.04, JSON.stringify(drawn));
  assert.not.ok(
    [...labels!].some((id) => id < 5),
    'special tokens are never predicted',
  );
  assert.match(
    failure(() => createCollator('fill-mask', model, { maskReplaceProb: 0.9, randomReplaceProb: 0.2 })),
    /^INVALID_OPTION/,
  );
});

t('a text of special tokens alone has nothing to predict', () => {
  const { batch, numItems } = collated(createCollator('fill-mask', model, {}), [{ text: '' }, { text: '[SEP] [MASK]' }]);
  assert.equal([numItems, [...batch.cuSelected!]], [[0], [0, 0, 0]]);
});

t('replaced tokens come from labels or are drawn', () => {
  const given = collated(createCollator('replaced-token', model, {}), [{ tokens: ['ax', 'b'], labels: [1, 0] }]);
  assert.equal([...given.batch.numbers!], [NaN, 1, 1, 0, NaN]);
  assert.equal(given.numItems, [3]);
  const row = { text: 'a b c d a b c d a b c d' };
  const { batch, read } = collated(createCollator('replaced-token', model, { replaceProbability: 0.5 }), [row]);
  const plain = tokenizer.encode(row.text).ids;
  plain.forEach((id, i) => assert.equal(batch.numbers![i], id < 5 ? NaN : id === batch.inputIds[i] ? 0 : 1));
  assert.ok(batch.numbers!.includes(1));
  const metrics = taskMetrics('replaced-token')(read(Float32Array.from(batch.numbers!, (value) => (value === 1 ? 5 : -5))));
  assert.equal([metrics['accuracy'], metrics['f1']], [1, 1]);
});

t('long texts are cut with a warning that counts them', async () => {
  const collator = createCollator('text-classification', model, { labels: labelSet(['a', 'b']), maxLength: 4 });
  const long = { text: 'a b c d', label: 'a' };
  assert.equal(
    examplesOf(collator, [long, { text: 'a', label: 'b' }, long]).map(({ tokens }) => tokens),
    [4, 3, 4],
  );
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  collator.warn();
  assert.match((await warning).message, /^2 rows of the dataset, the first the row at index 0, were cut at 4 tokens/);
  assert.match(
    failure(() => createCollator('text-classification', model, { labels: labelSet(['a', 'b']), maxLength: 99 })),
    /^MAX_LENGTH/,
  );
});

t('numbers are scored by correlation and error', () => {
  const collator = createCollator('text-classification', model, { labels: labelSet(['LABEL_0'], 'numbers') });
  const { batch, read } = collated(collator, [
    { text: 'a', label: 1 },
    { text: 'b', label: '2.5' },
    { text: 'c', label: -1 },
  ]);
  assert.equal([...batch.numbers!], [1, 2.5, -1]);
  const { pearson, mse } = taskMetrics('text-classification', 'numbers')(read(Float32Array.of(2, 3.5, 0)));
  assert.ok(Math.abs(pearson! - 1) < 1e-12 && Math.abs(mse! - 1) < 1e-12);
  assert.match(
    failure(() => examplesOf(collator, [{ text: 'a', label: 'warm' }])),
    /^DATASET: Expected a number as the label/,
  );
});

t.run();
