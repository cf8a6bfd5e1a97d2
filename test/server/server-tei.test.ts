import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import {
  classifyText,
  extractFeatures,
  loadEmbedder,
  loadModel,
  rerank,
  sentenceSimilarity,
  similarity,
  type Embedder,
  type Model,
} from '../../src/index.js';
import { golden, serve, serverSuite, tiny, toFloats, type Serving } from './support/serving.js';

const t = serverSuite('server: text-embeddings-inference');
let server: Serving;
let embedder: Embedder;
const models: Record<string, Model> = {};
t.before(async () => {
  server = await serve({ models: tiny('embedder', 'reranker', 'classifier') });
  embedder = await loadEmbedder(golden('sentence/normalize'));
  for (const { name, model } of tiny('embedder', 'reranker', 'classifier')) models[name] = await loadModel(model);
});
t.after(async () => {
  await server.close();
  embedder.dispose();
  for (const model of Object.values(models)) model.dispose();
});
const texts = ['hello', 'the guitar and the band', 'you'];
const ok = async (path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> => {
  const { status, text, json } = await server.post(path, body, headers);
  assert.is(status, 200, text);
  return json;
};
const vectorsOf = (json: unknown): Float32Array[] => (json as number[][]).map(toFloats);

t('/embed gives the vectors of the library, for one text too, also by the path of a model', async () => {
  const expected = (await embedder.embed(texts, { normalize: true })).map(({ vector }) => vector);
  assert.equal(vectorsOf(await ok('/embed', { inputs: texts })), expected);
  assert.equal(vectorsOf(await ok('/models/embedder/embed', { inputs: texts[0] })), [expected[0]]);
  const raw = (await embedder.embed(texts[1]!, { normalize: false, dimensions: 7 })).vector;
  assert.equal(vectorsOf(await ok('/embed', { inputs: [texts[1]], normalize: false, dimensions: 7 })), [raw]);
  const { ids } = embedder.tokenizer.encode(texts[1]!);
  assert.equal(vectorsOf(await ok('/embed', { inputs: [Array.from(ids)] })), [expected[1]]);
});

t('long texts are cut and counted, at the left if asked, or refused', async () => {
  const most = embedder.maxTokens;
  const long = 'hello '.repeat(most) + 'guitar';
  const cut = await server.post('/embed', { inputs: [long, 'you'] });
  assert.equal([cut.status, cut.headers.get('x-truncated')], [200, '1']);
  assert.equal(vectorsOf(cut.json)[0], (await embedder.embed(long, { normalize: true })).vector);
  const left = embedder.tokenizer.encode(long, { truncation: true, truncationSide: 'left', maxLength: most });
  const [expected] = await embedder.embedIds([left.ids], { normalize: true });
  assert.equal(vectorsOf(await ok('/embed', { inputs: long, truncation_direction: 'Left' }))[0], expected!.vector);
  const refused = await server.post('/embed', { inputs: ['you', long], truncate: false });
  assert.equal([refused.status, (refused.json as { code: string }).code], [422, 'MAX_LENGTH']);
});

t('/embed_all gives every token’s vector', async () => {
  const { data, dims } = await extractFeatures(models['embedder']!, texts[1]!);
  const [rows] = (await ok('/embed_all', { inputs: [texts[1]!] })) as number[][][];
  assert.equal([rows!.length, rows![0]!.length], [dims[1], dims[2]]);
  assert.equal(toFloats(rows!.flat()), data);
});

t('/similarity gives the cosines of the library', async () => {
  const expected = await sentenceSimilarity(models['embedder']!, texts[0]!, texts);
  assert.equal(await ok('/similarity', { inputs: { source_sentence: texts[0], sentences: texts } }), expected);
});

t('/predict sorts labels: flat for a text and for a pair, a list for a batch', async () => {
  const classifier = models['classifier']!;
  const inputs = [texts[0]!, { text: texts[0]!, textPair: texts[1]! }];
  const [one, pair] = (await classifyText(classifier, inputs, { topK: null })).map(({ labels }) => labels);
  assert.equal(await ok('/predict', { inputs: texts[0] }), one);
  assert.equal(await ok('/predict', { inputs: [texts[0], texts[1]] }), pair);
  assert.equal(await ok('/predict', { inputs: [[texts[0]], [texts[0], texts[1]]] }), [one, pair]);
  const { labels: raw } = await classifyText(classifier, texts[0]!, { topK: null, functionToApply: 'none' });
  assert.equal(await ok('/predict', { inputs: texts[0], raw_scores: true }), raw);
});

t('/rerank with texts ranks as the library does', async () => {
  const expected = await rerank(models['reranker']!, 'hello', texts);
  const plain = expected.map(({ index, score }) => ({ index, score }));
  assert.equal(await ok('/rerank', { query: 'hello', texts }), plain);
  const raw = await rerank(models['reranker']!, 'hello', texts, { activation: 'none' });
  const answer = await ok('/rerank', { query: 'hello', texts, raw_scores: true, return_text: true });
  assert.equal(
    answer,
    raw.map(({ index, score }) => ({ index, score, text: texts[index] })),
  );
});

t('/tokenize counts bytes of UTF-8, /decode gives texts', async () => {
  const text = 'Zoë 🙂 hello';
  const [tokens] = (await ok('/tokenize', { inputs: text })) as {
    id: number;
    text: string;
    special: boolean;
    start: number;
    stop: number;
  }[][];
  const bytes = Buffer.from(text);
  assert.equal(
    tokens!.map(({ id }) => id),
    Array.from(embedder.tokenizer.encode(text).ids),
  );
  for (const token of tokens!) {
    if (token.special) assert.equal([token.start, token.stop], [null, null]);
    else assert.is(bytes.subarray(token.start, token.stop).toString(), token.text);
  }
  assert.equal([tokens![0]!.special, tokens!.at(-1)!.stop, tokens!.at(-2)!.stop], [true, null, bytes.length]);
  const ids = tokens!.map(({ id }) => id);
  const decoded = [
    embedder.tokenizer.decode(ids, { skipSpecialTokens: true }),
    embedder.tokenizer.decode([ids[0]!], { skipSpecialTokens: false }),
  ];
  assert.equal(await ok('/decode', { ids }), [decoded[0]]);
  assert.equal(await ok('/decode', { ids: [[ids[0]]], skip_special_tokens: false }), [decoded[1]]);
});

t('/info tells type, limits and models; headers tell what was computed', async () => {
  const info = (await server.get('/models/reranker/info')).json as Record<string, unknown>;
  assert.equal(
    [Object.keys(info['model_type'] as object), info['max_client_batch_size'], info['auto_truncate']],
    [['reranker'], 2048, true],
  );
  const { headers } = await server.post('/embed', { inputs: 'hello' }, { 'x-request-id': 'abc-1' });
  assert.equal([headers.get('x-request-id'), headers.get('x-compute-tokens'), headers.get('x-compute-characters')], ['abc-1', '3', '5']);
  for (const name of ['x-compute-time', 'x-total-time', 'x-tokenization-time', 'x-queue-time', 'x-inference-time']) {
    assert.match(headers.get(name)!, /^\d+$/);
  }
});

t('/embed_sparse gives the words of a sparse model with their weights', async () => {
  const model = golden('sparse/splade-router');
  const [sparse, own] = await Promise.all([serve({ models: [{ name: 'splade', model }] }), loadEmbedder(model)]);
  const expected = await own.embedSparse(texts);
  const { status, json } = await sparse.post('/embed_sparse', { inputs: texts });
  const found = json as { index: number; value: number }[][];
  assert.is(status, 200);
  assert.equal(
    found.map((words) => [words.map(({ index }) => index), toFloats(words.map(({ value }) => value))]),
    expected.map(({ indices, values }) => [Array.from(indices), values]),
  );
  assert.is((await sparse.post('/embed', { inputs: 'a' })).status, 424);
  await sparse.close();
  own.dispose();
});

const refused: Readonly<Record<string, readonly [path: string, body: unknown, status: number, type: string, code: string]>> = {
  'an empty text': ['/embed', { inputs: '' }, 400, 'Empty', 'EMPTY_INPUT'],
  'an empty list': ['/embed', { inputs: [] }, 400, 'Empty', 'EMPTY_INPUT'],
  'mixed inputs': ['/embed', { inputs: ['a', 1] }, 422, 'Validation', 'INVALID_ARG'],
  'an unknown prompt': ['/embed', { inputs: 'a', prompt_name: 'none' }, 422, 'Validation', 'INVALID_OPTION'],
  'another direction': ['/embed', { inputs: 'a', truncation_direction: 'up' }, 422, 'Validation', 'INVALID_ARG'],
  'no sparse model': ['/embed_sparse', { inputs: 'a' }, 424, 'Backend', 'NO_HEAD'],
  'a pair of three': ['/predict', { inputs: ['a', 'b', 'c'] }, 422, 'Validation', 'INVALID_ARG'],
  'a classifier asked to rank': ['/models/classifier/rerank', { query: 'a', texts: ['b'] }, 424, 'Backend', 'NO_HEAD'],
  'no texts to rank': ['/rerank', { query: 'a', texts: [] }, 400, 'Empty', 'EMPTY_INPUT'],
  'neither texts nor documents': ['/rerank', { query: 'a' }, 422, 'Validation', 'INVALID_ARG'],
  'ids of no token': ['/decode', { ids: [99_999_999] }, 422, 'Validation', 'INVALID_IDS'],
  'a model that is not there': ['/models/none/tokenize', { inputs: 'a' }, 404, 'NotFound', 'model_not_found'],
};

for (const [name, [path, body, status, type, code]] of Object.entries(refused)) {
  t(`${name} is ${status} ${type} for ${path}`, async () => {
    const answer = await server.post(path, body);
    const { error, error_type, code: own, message } = answer.json as Record<string, unknown>;
    assert.equal([answer.status, error_type, own, message], [status, type, code, error], answer.text);
  });
}

t('equals the snapshot of text-embeddings-inference for Matryoshka dimensions', async () => {
  const bundled = await serve({ models: [{}] });
  const snapshot = JSON.parse(readFileSync(new URL('support/tei-mrl.json', import.meta.url), 'utf8')) as { embedding: number[] };
  const [vector] = vectorsOf((await bundled.post('/embed', { inputs: 'test', dimensions: snapshot.embedding.length })).json);
  assert.ok(Math.max(...Array.from(vector!, (x, i) => Math.abs(x - snapshot.embedding[i]!))) < 2e-3);
  assert.ok(similarity(vector!, Float32Array.from(snapshot.embedding)) > 0.999_99);
  await bundled.close();
});

t('/metrics counts texts to embed and texts to score, under the names of text-embeddings-inference', async () => {
  const counted = async (): Promise<Record<string, number>> => {
    const { text } = await server.get('/metrics');
    const lines = text.matchAll(/^(te_(?:embed|predict)_(?:count|success|duration_count|queue_duration_count)) (\d+)/gm);
    return Object.fromEntries(Array.from(lines, ([, name, value]) => [name!, Number(value)]));
  };
  const before = await counted();
  assert.is(Object.keys(before).length, 8);
  await ok('/embed', { inputs: texts });
  await ok('/v1/embeddings', { input: texts[0] });
  await ok('/predict', { inputs: [[texts[0]], [texts[1], texts[2]]] });
  await ok('/rerank', { query: texts[0], texts });
  assert.is((await server.post('/embed', { inputs: 'hello '.repeat(600), truncate: false })).status, 422);
  const after = await counted();
  const gained = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]!]));
  assert.equal(gained, {
    te_embed_count: 5,
    te_embed_success: 4,
    te_embed_duration_count: 2,
    te_embed_queue_duration_count: 2,
    te_predict_count: 5,
    te_predict_success: 5,
    te_predict_duration_count: 2,
    te_predict_queue_duration_count: 2,
  });
});

t.run();
