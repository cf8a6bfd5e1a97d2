import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { answerQuestion, chunkText, embedWindows, loadModel, loadTokenizer, recognizeEntities, semanticSearch } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';
import { Random } from '../support/random.js';

const t = suite(`tasks on long texts ${instructionSet}`);
const kSentences = [
  'Alice met Bob in Amsterdam.',
  'The 😀 café opened at nine.',
  'Nobody knows why it burned down.',
  'Wasser kocht bei 100 Grad.',
];
const long = Array.from({ length: 60 }, (_, i) => kSentences[(i * 7 + (i >> 2)) % kSentences.length]).join(' ');

t('labels every token of a long text once, in order, whatever the stride', async () => {
  const model = await loadModel(golden('tiny/bert-token-classification'));
  const { ids, offsets } = model.tokenizer.encode(long, { addSpecialTokens: false, offsets: true });
  for (const stride of [0, 1, 10, 31]) {
    const result = await recognizeEntities(model, long, { stride, ignoreLabels: [] });
    assert.ok(result.windows > 5);
    assert.is(result.truncated, false);
    assert.equal(
      result.entities.map(({ index }) => index),
      Array.from(ids, (_, i) => i + 1),
    );
    assert.equal(
      result.entities.flatMap(({ start, end }) => [start, end]),
      Array.from(offsets!),
    );
  }
  model.dispose();
});

t('gives a text that fits one window the same entities with and without stride', async () => {
  const model = await loadModel(golden('tiny/bert-cased'));
  for (const aggregationStrategy of ['none', 'simple', 'first', 'average', 'max'] as const) {
    const plain = await recognizeEntities(model, kSentences[0]!, { aggregationStrategy });
    const windowed = await recognizeEntities(model, kSentences[0]!, { aggregationStrategy, stride: 8 });
    assert.equal(windowed, plain);
  }
  model.dispose();
});

t('labels the middle of windows as the windows themselves say', async () => {
  const model = await loadModel(golden('tiny/bert-token-classification'));
  const stride = 20;
  const { entities } = await recognizeEntities(model, long, { stride, ignoreLabels: [] });
  const first = model.tokenizer.encode(long, { truncation: true, maxLength: model.maxTokens, stride, offsets: true });
  const start = first.overflowing[1]!.offsets![2]!;
  const end = first.overflowing[1]!.offsets!.at(-3)!;
  const alone = await recognizeEntities(model, long.slice(start, end), { ignoreLabels: [] });
  const middle = alone.entities[30]!;
  const same = entities.find((entity) => entity.start === start + middle.start)!;
  assert.is(same.entity, middle.entity);
  assert.ok(Math.abs(same.score - middle.score) < 1e-6);
  model.dispose();
});

t('leaves out the labels and groups it is told to', async () => {
  const model = await loadModel(golden('tiny/bert-token-classification'));
  const all = await recognizeEntities(model, long, { stride: 8, aggregationStrategy: 'simple', ignoreLabels: [] });
  const groups = new Set(all.entities.map(({ entityGroup }) => entityGroup!));
  const [ignored] = groups;
  const rest = await recognizeEntities(model, long, { stride: 8, aggregationStrategy: 'simple', ignoreLabels: [ignored!] });
  assert.equal(
    rest.entities,
    all.entities.filter(({ entityGroup }) => entityGroup !== ignored),
  );
  const error = await rejection(() => recognizeEntities(model, 'x', { ignoreLabels: ['PERSON'] }));
  assert.equal([error.code, /PERSON/.test(error.message)], ['INVALID_LABEL', true]);
  model.dispose();
});

t('answers from the text itself, in order, without doubles', async () => {
  const model = await loadModel(golden('tiny/bert-question-answering'));
  const { answers, windows, truncated } = await answerQuestion(model, { question: 'Who met Bob?', context: long }, { topK: 20 });
  assert.ok(windows > 5 && !truncated);
  assert.is(answers.length, 20);
  assert.is(new Set(answers.map(({ start, end }) => `${start} ${end}`)).size, 20);
  answers.forEach(({ answer, start, end, score }, i) => {
    assert.is(answer, long.slice(start, end));
    if (i > 0) assert.ok(score <= answers[i - 1]!.score);
  });
  model.dispose();
});

t('lists as many slices as asked for, each with the best score of the spans that widen to it', async () => {
  const model = await loadModel(golden('tiny/bert-question-answering'));
  const input = { question: 'What is it?', context: 'unbelievably antidisestablishmentarianism tokenizations' };
  const { answers } = await answerQuestion(model, input, { topK: 6, equalAnswers: 'best' });
  const widened = new Map<string, number>();
  for (const { start, end, score } of (await answerQuestion(model, input, { topK: 10_000, alignToWords: false, equalAnswers: 'best' }))
    .answers) {
    const key = `${input.context.lastIndexOf(' ', start) + 1} ${(input.context + ' ').indexOf(' ', end)}`;
    widened.set(key, Math.max(score, widened.get(key) ?? 0));
  }
  assert.is(answers.length, widened.size);
  for (const { start, end, score } of answers) assert.is(score, widened.get(`${start} ${end}`));
  model.dispose();
});

t('keeps answers as short as it is told, exact or widened to words', async () => {
  const model = await loadModel(golden('tiny/bert-question-answering'));
  const input = { question: 'Who met Bob?', context: long };
  const { answers } = await answerQuestion(model, input, { topK: 10, maxAnswerLen: 1, alignToWords: false, equalAnswers: 'best' });
  for (const { answer } of answers) assert.is(model.tokenizer.encode(answer, { addSpecialTokens: false }).length, 1, answer);
  const aligned = await answerQuestion(model, input, { topK: 10, maxAnswerLen: 1 });
  for (const { start, end } of aligned.answers) {
    assert.not.match(long.slice(start - 1, start + 1), /^\p{L}{2}$/u);
    assert.not.match(long.slice(end - 1, end + 1), /^\p{L}{2}$/u);
  }
  model.dispose();
});

t('lets no answer win where it may', async () => {
  const model = await loadModel(golden('tiny/bert-question-answering'));
  const input = { question: 'Who met Bob?', context: kSentences[0]! };
  const { answers } = await answerQuestion(model, input, { topK: 100, handleImpossibleAnswer: true });
  const none = answers.find(({ answer }) => answer === '')!;
  assert.equal([none.start, none.end], [0, 0]);
  assert.ok(none.score > 0);
  const certain = await answerQuestion(model, input, { topK: 100 });
  assert.equal(certain.answers, answers.filter(({ answer }) => answer !== '').slice(0, certain.answers.length));
  model.dispose();
});

t('refuses an empty question or context and a question over the limit', async () => {
  const model = await loadModel(golden('tiny/distilbert-question-answering'));
  const code = async (question: string, context: string, options = {}) =>
    (await rejection(() => answerQuestion(model, { question, context }, options))).code;
  assert.is(await code('Who?', ''), 'EMPTY_INPUT');
  assert.is(await code(' ', 'He.'), 'EMPTY_INPUT');
  assert.is(await code('Who is he now?', 'He.', { maxQuestionLen: 3 }), 'MAX_LENGTH');
  assert.is(await code('Who?', 'He.', { maxSeqLen: 100_000 }), 'MAX_LENGTH');
  assert.is(await code('Who is he now?', 'He.', { maxSeqLen: 6 }), 'MAX_LENGTH');
  model.dispose();
});

t('cuts windows of exactly so many tokens where no boundaries are wanted', async () => {
  const tokenizer = await loadTokenizer(golden('tiny/bert-cased'));
  const whole = tokenizer.encode(long, { addSpecialTokens: false, offsets: true });
  const chunks = await chunkText(tokenizer, long, { maxTokens: 20, overlap: 5, boundaries: [] });
  for (const { text, start, end, tokens } of chunks) {
    assert.is(text, long.slice(start, end));
    assert.ok(tokens <= 20);
  }
  assert.ok(chunks.length >= Math.ceil((whole.length - 5) / 13));
  assert.equal([chunks[0]!.start, chunks.at(-1)!.end], [0, long.length]);
  assert.equal(await chunkText(tokenizer, '  '), []);
});

t('refuses windows that have no room for text', async () => {
  const model = await loadModel(golden('tiny/bert-token-classification'));
  for (const work of [
    () => chunkText(model, long, { maxTokens: 2 }),
    () => embedWindows(model, long, { maxTokens: 2 }),
    () => recognizeEntities(model, long, { stride: 0, maxLength: 2 }),
  ]) {
    assert.is((await rejection(work)).code, 'MAX_LENGTH');
  }
  assert.equal(await chunkText(model, ' ', { maxTokens: 2 }), []);
  model.dispose();
});

t('embeds a text of one window as the embedder does, and a longer one window by window', async () => {
  const model = await loadModel(golden('sentence/normalize'));
  const short = await embedWindows(model, kSentences[0]!);
  const [rows] = await model.session.run(model.pack([model.tokenizer.encode(kSentences[0]!)]), [model.values.normalizedEmbedding]);
  assert.is(short.windows.length, 1);
  assert.equal(short.windows[0]!.vector, rows);
  const { vector, windows } = await embedWindows(model, long, { maxTokens: 24, overlap: 4 });
  assert.ok(windows.length > 5);
  assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  model.dispose();
});

t('searches as a float64 scan does, over more vectors than one native call takes', async () => {
  const random = new Random(7);
  const [count, width] = [9000, 48];
  const data = Float32Array.from({ length: count * width }, () => random.normal());
  const row = (i: number) => data.subarray(i * width, (i + 1) * width);
  const queries = [row(4097), ...Array.from({ length: 200 }, () => Float32Array.from({ length: width }, () => random.normal()))];
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (const score of ['cosine', 'dot'] as const) {
    const scores = (query: Float32Array) =>
      Array.from(
        { length: count },
        (_, i) => dot(query, row(i)) / (score === 'dot' ? 1 : Math.sqrt(dot(query, query) * dot(row(i), row(i)))),
      );
    const results = await semanticSearch(queries, { data, dimensions: width }, { topK: 25, score });
    [0, 1, 169, 170, 200].forEach((q) => {
      const query = queries[q]!;
      const expected = scores(query)
        .map((value, index) => ({ index, score: value }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 25);
      assert.equal(
        results[q]!.map(({ index }) => index),
        expected.map(({ index }) => index),
      );
      results[q]!.forEach((result, i) => assert.ok(Math.abs(result.score - expected[i]!.score) < 1e-9));
    });
  }
});

t('searches lists of vectors and embeddings, small and empty ones too', async () => {
  const vectors = [Float32Array.of(1, 0), Float32Array.of(0, 2), Float32Array.of(0, 0)];
  assert.equal(await semanticSearch(Float32Array.of(0, 1), vectors, { topK: 9 }), [
    { index: 1, score: 1 },
    { index: 0, score: 0 },
    { index: 2, score: 0 },
  ]);
  assert.equal(
    await semanticSearch(
      [{ vector: Float32Array.of(3, 0) }],
      vectors.map((vector) => ({ vector })),
      { topK: 1 },
    ),
    [[{ index: 0, score: 1 }]],
  );
  assert.equal(await semanticSearch(Float32Array.of(0, 1), []), []);
  assert.equal(await semanticSearch([], vectors), []);
  assert.is((await rejection(() => semanticSearch(Float32Array.of(1), vectors))).code, 'INVALID_ARG');
  assert.is(
    (await rejection(() => semanticSearch(Float32Array.of(1, 2), [Float32Array.of(1, 2), Float32Array.of(1)]))).code,
    'INVALID_ARG',
  );
});

t.run();
