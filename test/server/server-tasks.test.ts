import * as assert from 'uvu/assert';
import {
  answerQuestion,
  chunkText,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  extractFeatures,
  fillMask,
  loadEmbedder,
  loadModel,
  multipleChoice,
  predictNextSentence,
  recognizeEntities,
  rerank,
  semanticSearch,
  type Model,
} from '../../src/index.js';
import { attention, explain, explainSimilarity, logitLens, type ExplainOptions } from '../../src/explain/index.js';
import { golden, serve, serverSuite, tinyModels, toFloats, type Serving, type TinyName } from './support/serving.js';

const t = serverSuite('server: tasks');
let server: Serving;
const models = {} as Record<TinyName, Model>;
t.before(async () => {
  server = await serve({ models: tinyModels });
  for (const { name, model } of tinyModels) models[name] = await loadModel(model);
});
t.after(async () => {
  await server.close();
  for (const model of Object.values(models)) model.dispose();
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const ok = async (path: string, body: object): Promise<unknown> => {
  const { status, text, json } = await server.post(path, body);
  assert.is(status, 200, text);
  return json;
};
const text = 'the guitar and the band';
const pair = { text, textPair: 'hello' };
const question = { question: 'who?', context: text };

const cases: Readonly<Record<string, readonly [model: TinyName, body: object, expected: (model: Model) => Promise<unknown>]>> = {
  'fill-mask': ['masks', { inputs: 'the [MASK] band', topK: 3 }, (model) => fillMask(model, 'the [MASK] band', { topK: 3 })],
  nsp: ['next', { inputs: [pair, pair] }, (model) => predictNextSentence(model, [pair, pair])],
  classify: ['classifier', { inputs: [text, pair], topK: null }, (model) => classifyText(model, [text, pair], { topK: null })],
  'zero-shot': [
    'nli',
    { inputs: text, labels: ['one', 'two'], multiLabel: true },
    (model) => classifyZeroShot(model, text, ['one', 'two'], { multiLabel: true }),
  ],
  ner: [
    'entities',
    { inputs: [text], aggregationStrategy: 'simple' },
    (model) => recognizeEntities(model, [text], { aggregationStrategy: 'simple' }),
  ],
  qa: ['answers', { inputs: question, topK: 2 }, (model) => answerQuestion(model, question, { topK: 2 })],
  'multiple-choice': [
    'choices',
    { inputs: { text, choices: ['hello', 'you'] } },
    (model) => multipleChoice(model, { text, choices: ['hello', 'you'] }),
  ],
  'replaced-tokens': ['replaced', { inputs: text }, (model) => detectReplacedTokens(model, text)],
  chunk: [
    'embedder',
    { inputs: `${text} `.repeat(9), maxTokens: 12 },
    (model) => chunkText(model, `${text} `.repeat(9), { maxTokens: 12 }),
  ],
};

for (const [task, [name, body, expected]] of Object.entries(cases)) {
  t(`/tasks/${task} answers as the library does`, async () => {
    assert.equal(await ok(`/tasks/${task}`, { ...body, model: name }), plain(await expected(models[name])));
  });
}

t('/tasks/explain and /tasks/explain-similarity answer as the library does, with 32 steps where a request says nothing', async () => {
  const cases = [
    ['classifier', { inputs: text }],
    ['classifier', { inputs: pair, method: 'occlusion', units: 'tokens', target: { label: 0 } }],
    ['classifier', { inputs: text, output: 'probability', baseline: 'zero', steps: 8 }],
    ['answers', { inputs: question, method: 'gradient-x-input' }],
    ['masks', { inputs: 'the [MASK] band', head: 'maskedLm', method: 'leave-one-out' }],
  ] as const;
  for (const [name, { inputs, ...options }] of cases) {
    const own = await explain(models[name], inputs as string, { steps: 32, ...options } as ExplainOptions);
    const { model: _, ...expected } = plain(own) as { model: string };
    const { model: __, ...found } = (await ok('/tasks/explain', { inputs, ...options, model: name })) as { model: string };
    assert.equal(found, expected, name);
  }
  const body = { a: text, b: 'hello', method: 'occlusion', model: 'embedder' } as const;
  const { map, cosine } = (await ok('/tasks/explain-similarity', body)) as { cosine: number; map: { dims: number[]; data: number[] } };
  const own = await explainSimilarity(models.embedder, text, 'hello', { method: 'occlusion' });
  assert.equal([cosine, map.dims, map.data], [own.cosine, own.map.dims, Array.from(own.map.data)]);
});

t('/tasks/lens answers as the library does, and refuses more masks than it computes', async () => {
  const { model: _, ...expected } = plain(await logitLens(models.masks, 'the [MASK] band', { topK: 2 })) as { model: string };
  const { model: __, ...found } = (await ok('/tasks/lens', { inputs: 'the [MASK] band', topK: 2, model: 'masks' })) as { model: string };
  assert.equal(found, expected);
  const codes = async (inputs: string): Promise<unknown> => {
    const { status, json } = await server.post('/tasks/lens', { inputs, model: 'masks' });
    return [status, (json as { code: string }).code];
  };
  assert.equal(await codes('the band'), [422, 'NO_MASK']);
  assert.equal(await codes('[MASK] '.repeat(500)), models.masks.maxTokens > 300 ? [422, 'INVALID_OPTION'] : [200, undefined]);
});

t('an explanation tells of its steps in lines where a client accepts them, and stops when the client goes', async () => {
  const headers = { accept: 'application/x-ndjson' };
  const body = { inputs: text, steps: 8, model: 'classifier' };
  const { text: answered, headers: told } = await server.post('/tasks/explain', body, headers);
  assert.is(told.get('content-type'), 'application/x-ndjson');
  const lines = answered
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { done?: number; total?: number; answer?: unknown });
  const steps = lines.slice(0, -1);
  assert.ok(steps.length > 0);
  assert.ok(steps.every(({ done, total }, i) => done! <= total! && done! >= (steps[i - 1]?.done ?? 0)));
  assert.equal(lines.at(-1)!.answer, await ok('/tasks/explain', body));
  const refused = await server.post('/tasks/explain', { ...body, target: { label: 'happy' } }, headers);
  assert.equal([refused.status, (refused.json as { code: string }).code], [422, 'INVALID_LABEL']);
  const late = await server.post('/tasks/explain', { ...body, steps: 4096 }, { ...headers, 'x-deadline-ms': '40' });
  const last = (late.status === 504 ? late.json : JSON.parse(late.text.trimEnd().split('\n').at(-1)!)) as { code?: string };
  assert.is(last.code, 'DEADLINE');
  const gone = new AbortController();
  const response = await fetch(`${server.address}/tasks/explain`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, steps: 4096 }),
    signal: gone.signal,
  });
  await response.body!.getReader().read();
  gone.abort();
  for (;;) {
    const { text: metrics } = await server.get('/metrics');
    if (/bertha_requests_in_flight[^\n]* 0\n|te_queue_size[^\n]* 0\n/.test(metrics)) break;
  }
});

t('explanations are refused where they cost too much, lack a head or a label, or are switched off', async () => {
  const codes = async (body: object, address: Serving = server): Promise<[number, string]> => {
    const { status, json } = await address.post('/tasks/explain', body);
    return [status, (json as { code: string }).code];
  };
  const long = { inputs: 'hello '.repeat(600), model: 'classifier' };
  assert.equal(await codes({ ...long, method: 'shapley', pairs: 4096 }), [422, 'INVALID_OPTION']);
  assert.equal(await codes({ inputs: text, steps: 0, model: 'classifier' }), [422, 'INVALID_ARG']);
  assert.equal(await codes({ inputs: text, target: { label: 'happy' }, model: 'classifier' }), [422, 'INVALID_LABEL']);
  assert.equal(await codes({ inputs: text, target: { lable: 1 }, model: 'classifier' }), [422, 'INVALID_OPTION']);
  assert.equal(await codes({ inputs: text, model: 'masks' }), [424, 'NO_HEAD']);
  const silent = await serve({ models: tinyModels.filter(({ name }) => name === 'classifier'), explain: false });
  assert.is((await codes({ inputs: text }, silent))[0], 404);
  await silent.close();
});

t('/tasks/features, /tasks/search and /tasks/attention answer as the library does', async () => {
  const { embedder: model } = models;
  const { data, dims } = await extractFeatures(model, [text, 'hello'], { pooling: 'mean' });
  const features = (await ok('/tasks/features', { inputs: [text, 'hello'], pooling: 'mean', model: 'embedder' })) as {
    dims: number[];
    data: number[];
  };
  assert.equal([features.dims, toFloats(features.data)], [[...dims], data]);
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const documents = ['hello', text, 'you'];
  const found = await semanticSearch(await embedder.encodeQuery('band'), await embedder.encodeDocument(documents), { topK: 2 });
  assert.equal(await ok('/tasks/search', { queries: 'band', documents, topK: 2, model: 'embedder' }), plain(found));
  const encoding = model.tokenizer.encode('hello');
  const { attentions } = await model.forward(encoding, { attentions: true });
  const all = (await ok('/tasks/attention', { inputs: 'hello', model: 'embedder' })) as { tokens: string[]; layers: number[][][][] };
  assert.equal(all.tokens, encoding.tokens);
  assert.equal(
    all.layers.map((layer) => toFloats(layer.flat(2))),
    attentions!.map((layer) => layer.data),
  );
  embedder.dispose();
});

t('/tasks/attention has chosen heads of texts that are too long for all, and refuses too many', async () => {
  const long = await serve({ models: [{ name: 'long', model: golden('tiny/bert-gelu-new') }] });
  const model = await loadModel(golden('tiny/bert-gelu-new'));
  interface Heads {
    readonly tokens: readonly string[];
    readonly layers: number[][][][];
    readonly numLayers: number;
    readonly truncated: boolean;
  }
  const ask = async (body: object): Promise<Heads> => {
    const { json, status } = await long.post('/tasks/attention', { inputs: 'hello '.repeat(100), ...body });
    assert.is(status, 200, JSON.stringify(json));
    return json as Heads;
  };
  const chosen = { layers: [1], heads: [1, 0] };
  const seen = await attention(model, 'hello '.repeat(100), chosen);
  const found = await ask(chosen);
  assert.equal([found.tokens.length, found.numLayers, found.truncated], [80, model.values.attentions.length, true]);
  assert.equal(toFloats(found.layers[0]!.flat(2)), seen.weights[0]!.data);
  assert.is((await ask({})).tokens.length, 64);
  assert.is((await ask({ maxLength: 70 })).tokens.length, 70);
  for (const layers of [[9], Array.from({ length: 200 }, () => 0)]) {
    const { status, json } = await long.post('/tasks/attention', { inputs: 'hello '.repeat(100), layers });
    assert.equal([status, (json as { code: string }).code], [422, 'INVALID_OPTION']);
  }
  model.dispose();
  await long.close();
});

t('a task refuses fields that it does not have, with the name that was probably meant, and models of other tasks', async () => {
  const typo = await server.post('/tasks/classify', { inputs: text, topk: 2, model: 'classifier' });
  assert.equal([typo.status, /Did you mean topK\?/.test(typo.text)], [422, true]);
  const wrong = await server.post('/tasks/fill-mask', { inputs: `${text} [MASK]`, model: 'classifier' });
  assert.equal([wrong.status, (wrong.json as { code: string }).code], [424, 'NO_HEAD']);
  const noMask = await server.post('/tasks/fill-mask', { inputs: text, model: 'masks' });
  assert.equal([noMask.status, (noMask.json as { code: string }).code], [422, 'NO_MASK']);
});

t('Hugging Face’s pipelines answer in the shapes that its clients read', async () => {
  const { labels } = await classifyText(models.classifier, text, { topK: 2 });
  assert.equal(await ok('/models/classifier', { inputs: text, parameters: { top_k: 2 } }), [labels]);
  assert.equal(await ok('/models/classifier/pipeline/text-classification', { inputs: [text], parameters: { top_k: 2 } }), [labels]);
  const { entities } = await recognizeEntities(models.entities, text, { aggregationStrategy: 'simple' });
  const groups = entities.map(({ entityGroup, score, word, start, end }) => ({ entity_group: entityGroup, score, word, start, end }));
  assert.equal(await ok('/models/entities', { inputs: text }), plain(groups));
  const zero = await classifyZeroShot(models.nli, text, ['one', 'two']);
  assert.equal(
    await ok('/models/nli', { inputs: [text], parameters: { candidate_labels: ['one', 'two'] } }),
    zero.labels.map((label, i) => ({ label, score: zero.scores[i] })),
  );
  const { answers } = await answerQuestion(models.answers, question);
  assert.equal(await ok('/', { inputs: question, parameters: { top_k: 1 } }), plain(answers[0]));
  const { masks } = await fillMask(models.masks, 'the [MASK]', { topK: 2 });
  const candidates = masks[0]!.candidates.map(({ tokenStr, ...rest }) => ({ ...rest, token_str: tokenStr }));
  assert.equal(await ok('/models/masks', { inputs: 'the [MASK]', parameters: { top_k: 2 } }), plain(candidates));
  const features = (await ok('/models/embedder/pipeline/feature-extraction', { inputs: text })) as number[][];
  assert.is(features.length, 1);
  assert.is((await server.post('/pipeline/depth-estimation', { inputs: text })).status, 404);
});

t('Cohere’s, Jina’s and Voyage’s rerank and embed, SageMaker and Vertex', async () => {
  const documents = ['hello', text, 'you'];
  const ranked = await rerank(models.reranker, 'band', documents, { topK: 2 });
  for (const path of ['/rerank', '/v1/rerank', '/v2/rerank']) {
    const answer = (await ok(path, {
      query: 'band',
      documents: ['hello', { text }, 'you'],
      top_n: 2,
      return_documents: true,
      max_chunks_per_doc: null,
      model: 'reranker',
    })) as Record<'results' | 'data' | 'usage' | 'meta' | 'object' | 'model', unknown>;
    const rows = (shape: (own: string) => unknown) =>
      ranked.map(({ index, score }) => ({ index, relevance_score: score, document: shape(documents[index]!) }));
    assert.equal(
      answer.results,
      rows((own) => ({ text: own })),
    );
    assert.equal(
      answer.data,
      rows((own) => own),
    );
    assert.ok((answer.usage as { total_tokens: number }).total_tokens > 9 && typeof answer.meta === 'object');
  }
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const expected = (await embedder.embed(documents)).map(({ vector }) => vector);
  const flat = (await ok('/v1/embed', { texts: documents, input_type: 'search_document', model: 'embedder' })) as Record<string, unknown>;
  assert.equal(
    [(flat['embeddings'] as number[][]).map(toFloats), flat['response_type'], flat['texts']],
    [expected, 'embeddings_floats', documents],
  );
  const types = ['float', 'int8', 'ubinary', 'base64'];
  const typed = (await ok('/v2/embed', { texts: documents, embedding_types: types, model: 'embedder' })) as Record<string, unknown>;
  const byType = typed['embeddings'] as Record<string, unknown[]>;
  assert.equal([Object.keys(byType), typed['response_type']], [types, 'embeddings_by_type']);
  assert.equal((byType['float'] as number[][]).map(toFloats), expected);
  assert.is(byType['base64']![1], Buffer.from(expected[1]!.buffer).toString('base64'));
  assert.equal((byType['ubinary']![0] as number[]).length, Math.ceil(expected[0]!.length / 8));
  const normalized = (await embedder.embed(documents, { normalize: true })).map(({ vector }) => vector);
  assert.equal(((await ok('/models/embedder/invocations', { inputs: documents })) as number[][]).map(toFloats), normalized);
  const { predictions } = (await ok('/models/embedder/vertex', { instances: [{ inputs: documents }, { inputs: 'hello' }] })) as {
    predictions: number[][][];
  };
  assert.equal([predictions[0]!.map(toFloats), predictions[1]!.map(toFloats)], [normalized, [normalized[0]]]);
  const { status, json } = await server.post('/models/embedder/invocations', { inputs: [{}] });
  assert.equal([status, (json as { code: string }).code], [422, 'INVALID_ARG']);
  embedder.dispose();
});

t.run();
