import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { answerQuestion, classifyText, fillMask, loadEmbedder, loadModel, multipleChoice, pipeline } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';

const t = suite('pipeline');

t('fills masks with the keys of transformers.js, one list a mask', async () => {
  const fill = await pipeline('fill-mask', golden('tiny/bert-mlm'));
  const [best] = (await fill('It was [MASK].', { top_k: 2 })) as { score: number; token: number; token_str: string; sequence: string }[];
  assert.equal(Object.keys(best!), ['score', 'token', 'token_str', 'sequence']);
  const own = (await fillMask(fill.model, 'It was [MASK].')).masks[0]!.candidates[0]!;
  assert.equal([best!.score, best!.token_str], [own.score, own.tokenStr]);
  const two = (await fill('The [MASK] was [MASK].', { top_k: 3, targets: ['good', 'right'] })) as unknown[][];
  assert.equal(
    two.map((list) => list.length),
    [2, 2],
  );
  const many = await fill(['It was [MASK].', { text: 'It was [MASK].', text_pair: 'So it was.' }]);
  assert.equal(
    many.map((list) => list.length),
    [5, 5],
  );
  await fill.dispose();
  assert.is((await rejection(() => fill('It was [MASK].'))).code, 'DISPOSED');
});

t('returns labels as transformers.js nests them', async () => {
  const model = await loadModel(golden('tiny/bert-sequence-classification'));
  const classify = await pipeline('sentiment-analysis', model);
  assert.is(classify.task, 'text-classification');
  const one = (await classify('Good.')) as { label: string; score: number }[];
  assert.equal(one, [...(await classifyText(model, 'Good.')).labels]);
  const shape = (value: unknown): unknown => (Array.isArray(value) ? value.map(shape) : typeof value);
  assert.equal(shape(one), ['object']);
  assert.equal(shape(await classify(['Good.', 'Bad.'])), ['object', 'object']);
  assert.equal(shape(await classify('Good.', { top_k: null })), ['object', 'object', 'object']);
  assert.equal(shape(await classify(['Good.', 'Bad.'], { top_k: 2 })), [
    ['object', 'object'],
    ['object', 'object'],
  ]);
  await classify.dispose();
  assert.is(model.session.disposed, false);
  model.dispose();
});

t('takes options in snake case and in camel case, and topk, with results of one shape', async () => {
  const classify = await pipeline('text-classification', golden('tiny/bert-sequence-classification'));
  const expected = (await classify(['Good.', 'Bad.'], { top_k: 2 })) as unknown[][];
  assert.is(expected[0]!.length, 2);
  for (const options of [{ topK: 2 }, { topk: 2 }]) assert.equal(await classify(['Good.', 'Bad.'], options), expected);
  await classify.dispose();
  const answer = await pipeline('question-answering', golden('tiny/bert-question-answering'));
  const answers = (await answer('Who met Bob?', 'Alice met Bob in Amsterdam.', { top_k: 2 })) as unknown[];
  assert.is(answers.length, 2);
  for (const options of [{ topK: 2 }, { topk: 2 }])
    assert.equal(await answer('Who met Bob?', 'Alice met Bob in Amsterdam.', options), answers);
  await answer.dispose();
});

t('takes question and context apart, one or many', async () => {
  const answer = await pipeline('question-answering', golden('tiny/bert-question-answering'));
  const context = 'Alice met Bob in Amsterdam.';
  const one = (await answer('Who met Bob?', context)) as { answer: string; start: number; end: number };
  assert.is(one.answer, context.slice(one.start, one.end));
  assert.equal(await answer(['Who met Bob?', 'Where?'], context), [one, await answer('Where?', context)]);
  const list = (await answer('Who met Bob?', context, { top_k: 3, align_to_words: false })) as unknown[];
  assert.is(list.length, 3);
  assert.is((await rejection(() => answer(['a', 'b'], ['c', 'd', 'e']))).code, 'INVALID_ARG');
  await answer.dispose();
});

t('names the keys of entities as transformers.js does', async () => {
  const ner = await pipeline('ner', golden('tiny/bert-token-classification'));
  assert.equal(Object.keys((await ner('London is big.'))[0]!).sort(), ['end', 'entity', 'index', 'score', 'start', 'word']);
  const grouped = await ner(['London is big.'], { aggregation_strategy: 'simple' });
  assert.equal(Object.keys(grouped[0]![0]!).sort(), ['end', 'entity_group', 'score', 'start', 'word']);
  await ner.dispose();
});

t('judges sentences, choices, labels and tokens', async () => {
  const nsp = await pipeline('next-sentence-prediction', golden('tiny/bert-nsp'));
  assert.equal(Object.keys(await nsp('It rained.', 'She got wet.')), ['is_next', 'not_next']);
  const choose = await pipeline('multiple-choice', golden('tiny/bert-multiple-choice'));
  assert.is((await choose('It', ['rains', 'is'])).scores.length, 2);
  const zeroShot = await pipeline('zero-shot-classification', golden('tiny/bert-nli'));
  const result = await zeroShot('It rains.', ['weather', 'sports'], { multi_label: true, hypothesis_template: 'It is about {}.' });
  assert.equal(Object.keys(result), ['sequence', 'labels', 'scores']);
  const detect = await pipeline('replaced-token-detection', golden('tiny/electra-discriminator'));
  assert.is((await detect('It was.')).length, 5);
  const rank = await pipeline('rerank', golden('tiny/bert-cross-encoder'));
  assert.is((await rank('Where?', ['Here.', 'There.'], { top_k: 1 })).length, 1);
  for (const each of [nsp, choose, zeroShot, detect, rank]) await each.dispose();
});

t('extracts features by token or by text', async () => {
  const directory = golden('sentence/normalize');
  const extract = await pipeline('feature-extraction', directory);
  const texts = ['It rains.', 'A longer sentence about rain.'];
  const width = extract.model.config.hiddenSize;
  const tokens = await extract(texts);
  assert.is(tokens.type, 'float32');
  assert.equal([tokens.dims[0], tokens.dims[2]], [2, width]);
  assert.ok(tokens.data.subarray(-width).some((value) => value !== 0));
  const embedder = await loadEmbedder(directory);
  const vectors = await embedder.embed(texts);
  const pooled = await extract(texts, { pooling: 'mean', normalize: true });
  assert.equal(pooled.dims, [2, width]);
  vectors.forEach(({ vector }, i) => vector.forEach((value, j) => assert.ok(Math.abs(value - pooled.data[i * width + j]!) < 1e-6)));
  assert.equal((await extract(texts[0]!, { pooling: 'cls' })).data, tokens.data.slice(0, width));
  assert.equal((await extract(texts[0]!, { pooling: 'model' })).data, (await embedder.embed(texts[0]!)).vector);
  const compare = await pipeline('sentence-similarity', extract.model);
  assert.ok(Math.abs((await compare(texts[0]!, texts))[0]! - 1) < 1e-6);
  embedder.dispose();
  await extract.dispose();
});

t('loads as transformers.js is told to', async () => {
  const classify = await pipeline('text-classification', golden('tiny/bert-nli'), { dtype: 'fp32', threads: 1, local_files_only: true });
  assert.is(((await classify('Good.')) as unknown[]).length, 1);
  await classify.dispose();
  const offline = await rejection(() =>
    pipeline('fill-mask', 'no-such-owner/no-such-model', { local_files_only: true, cache_dir: golden('none') }),
  );
  assert.is(offline.code, 'HUB_OFFLINE');
});

t('takes text_pair and textPair, and refuses keys that nobody reads', async () => {
  const model = await loadModel(golden('tiny/bert-sequence-classification'));
  const classify = await pipeline('text-classification', model);
  const expected = [...(await classifyText(model, { text: 'Good.', textPair: 'Bad.' })).labels];
  assert.equal(await classify({ text: 'Good.', text_pair: 'Bad.' }), expected);
  assert.equal(await classify({ text: 'Good.', textPair: 'Bad.' }), expected);
  assert.equal([...(await classifyText(model, { text: 'Good.', text_pair: 'Bad.' } as never)).labels], expected);
  const mistyped = await rejection(() => classifyText(model, { text: 'Good.', textpair: 'Bad.' } as never));
  assert.equal([mistyped.code, /Did you mean "textPair"/.test(mistyped.message)], ['INVALID_ARG', true]);
  assert.is((await rejection(() => classify([{ text: 'Good.', pair: 'Bad.' } as never]))).code, 'INVALID_ARG');
  model.dispose();
  const questions = await loadModel(golden('tiny/bert-question-answering'));
  const input = { question: 'Who?', context: 'Alice.', contexts: 'Bob.' } as never;
  assert.is((await rejection(() => answerQuestion(questions, input))).code, 'INVALID_ARG');
  questions.dispose();
  const choices = await loadModel(golden('tiny/bert-multiple-choice'));
  assert.is((await rejection(() => multipleChoice(choices, { text: 'It', choices: ['is'], choice: 1 } as never))).code, 'INVALID_ARG');
  choices.dispose();
});

t('suggests the task that was meant, and refuses a model without its head', async () => {
  const unknown = await rejection(() => pipeline('text-classificaton' as 'text-classification'));
  assert.equal([unknown.code, /"text-classification"/.test(unknown.message)], ['INVALID_OPTION', true]);
  assert.is((await rejection(() => pipeline('fill-mask', golden('tiny/bert-nsp')))).code, 'NO_HEAD');
  const option = await rejection(async () => (await pipeline('fill-mask', golden('tiny/bert-mlm')))('[MASK]', { topp_k: 2 } as never));
  assert.equal([option.code, /topK/.test(option.message)], ['INVALID_OPTION', true]);
});

t.run();
