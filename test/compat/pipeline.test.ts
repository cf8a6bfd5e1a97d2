import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  answerQuestion,
  AutoConfig,
  AutoModel,
  AutoTokenizer,
  classifyText,
  env,
  fillMask,
  loadEmbedder,
  loadModel,
  multipleChoice,
  pipeline,
  quantize_embeddings,
} from '../../src/index.js';
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

t('takes a question with its context, and lists of them, as Python does', async () => {
  const answer = await pipeline('question-answering', golden('tiny/bert-question-answering'));
  const context = 'Alice met Bob in Amsterdam.';
  const [who, where] = [await answer('Who met Bob?', context), await answer('Where?', context)];
  assert.equal(await answer({ question: 'Who met Bob?', context }), who);
  assert.equal(await answer([{ question: 'Who met Bob?', context }]), [who]);
  const inputs = [
    { question: 'Who met Bob?', context },
    { question: 'Where?', context },
  ];
  assert.equal(await answer(inputs), [who, where]);
  assert.equal(
    (await answer(inputs, { topK: 2 })).map((each) => (each as unknown[]).length),
    [2, 2],
  );
  assert.is((await rejection(() => answer({ question: 'Who?', text: context } as never))).code, 'INVALID_ARG');
  await answer.dispose();
});

t('reads the keys of results in camel case too, which JSON and comparisons do not see', async () => {
  const fill = await pipeline('fill-mask', golden('tiny/bert-mlm'));
  const [best] = (await fill('It was [MASK].', { top_k: 1 })) as { token_str: string; tokenStr: string }[];
  assert.is(best!.tokenStr, best!.token_str);
  const copy = { ...best! };
  assert.equal(
    [Object.keys(copy), JSON.parse(JSON.stringify(best)), copy.tokenStr],
    [['score', 'token', 'token_str', 'sequence'], copy, undefined],
  );
  assert.equal(best as object, copy);
  await fill.dispose();
  const ner = await pipeline('ner', golden('tiny/bert-token-classification'));
  for (const options of [{ aggregation_strategy: 'simple' }, { aggregationStrategy: 'simple' }] as object[]) {
    const [entity] = await ner('London is big.', options);
    assert.is(entity!.entityGroup, entity!.entity_group);
    assert.type(entity!.entity_group, 'string');
  }
  await ner.dispose();
  const model = await AutoModel.from_pretrained(golden('tiny/bert-mlm'));
  const output = await model({ inputIds: [101, 102], outputHiddenStates: true });
  assert.is(output.lastHiddenState, output.last_hidden_state);
  assert.ok(output.hiddenStates!.length > 1);
  assert.equal(
    Object.keys(output).filter((key) => /[A-Z]/.test(key)),
    [],
  );
  const mistyped = await rejection(() => model({ input_ids: [101], attention_maks: [1] } as never));
  assert.equal([mistyped.code, /"attention_mask"/.test(mistyped.message)], ['INVALID_ARG', true]);
  await model.dispose();
});

t('pools as transformers.js and packs bits', async () => {
  const extract = await pipeline('feature-extraction', golden('tiny/bert-nsp'));
  const texts = ['It was a good day.', 'Rain.'];
  const tokens = await extract(texts);
  const alone = await extract(texts[1]!);
  const first = tokens.slice(null, 0).data;
  for (const pooling of ['cls', 'first_token'] as const) assert.equal((await extract(texts, { pooling })).data, first);
  for (const pooling of ['eos', 'last_token'] as const) {
    const last = await extract(texts, { pooling });
    assert.equal([last[0]!.data, last[1]!.data], [tokens.slice(0, -1).data, alone.slice(0, -1).data]);
  }
  const mean = await extract(texts, { pooling: 'mean', normalize: true });
  const binary = await extract(texts, { pooling: 'mean', normalize: true, quantize: true });
  assert.equal([binary.type, binary.tolist()], ['int8', quantize_embeddings(mean, 'binary').tolist()]);
  const unsigned = await extract(texts, { pooling: 'mean', quantize: true, precision: 'ubinary' });
  assert.equal([unsigned.type, unsigned.data], ['uint8', Uint8Array.from(binary.data, (byte) => byte + 128)]);
  assert.is((await rejection(() => extract(texts, { quantize: true }))).code, 'INVALID_ARG');
  for (const options of [{ pooling: 'max' }, { pooling: 'mean', quantize: true, precision: 'int4' }] as object[])
    assert.is((await rejection(() => extract(texts, options))).code, 'INVALID_OPTION');
  await extract.dispose();
});

t('has a tokenizer that is called, and takes file URLs and paths below the home folder', async () => {
  const directory = golden('tiny/bert-mlm');
  const fill = await pipeline('fill-mask', pathToFileURL(directory));
  assert.equal(fill.tokenizer('It was [MASK].').input_ids.dims, [1, 6]);
  assert.equal([fill.tokenizer.mask_token, fill.tokenizer.tokenizer], ['[MASK]', fill.model.tokenizer]);
  await fill.dispose();
  const home = process.env['HOME'];
  process.env['HOME'] = path.dirname(directory);
  try {
    const below = '~/bert-mlm';
    const loaded = [
      await pipeline('fill-mask', below),
      await AutoModel.from_pretrained(below),
      await pipeline('embeddings', pathToFileURL(directory).href),
    ];
    for (const each of loaded) await each.dispose();
    for (const model of [below, pathToFileURL(directory)]) {
      assert.is((await AutoTokenizer.from_pretrained(model)).mask_token, '[MASK]');
      assert.is((await AutoConfig.from_pretrained(model))['model_type'], 'bert');
    }
    const { localModelPath } = env;
    env.localModelPath = '~';
    assert.is((await AutoConfig.from_pretrained('bert-mlm'))['model_type'], 'bert');
    env.localModelPath = localModelPath;
  } finally {
    process.env['HOME'] = home;
  }
  assert.is((await rejection(() => pipeline('fill-mask', new URL('https://example.org/model')))).code, 'INVALID_ARG');
});

t('names the tasks of texts to who asks for another', async () => {
  for (const task of [
    'text-to-audio',
    'object-detection',
    'translation_en_to_fr',
    'image-classification',
    'automatic-speech-recognition',
  ]) {
    const error = await rejection(() => pipeline(task as 'ner'));
    assert.equal([error.code, /a task of texts, .*feature-extraction/.test(error.message)], ['INVALID_OPTION', true], task);
  }
});

t('suggests the task that was meant, and refuses a model without its head', async () => {
  const unknown = await rejection(() => pipeline('text-classificaton' as 'text-classification'));
  assert.equal([unknown.code, /"text-classification"/.test(unknown.message)], ['INVALID_OPTION', true]);
  assert.is((await rejection(() => pipeline('fill-mask', golden('tiny/bert-nsp')))).code, 'NO_HEAD');
  const option = await rejection(async () => (await pipeline('fill-mask', golden('tiny/bert-mlm')))('[MASK]', { topp_k: 2 } as never));
  assert.equal([option.code, /topK/.test(option.message)], ['INVALID_OPTION', true]);
});

t.run();
