import * as assert from 'uvu/assert';
import {
  classifyText,
  loadEmbedder,
  loadModel,
  rerank,
  sentenceSimilarity,
  similarity,
  type Embedder,
  type Model,
} from '../../src/index.js';
import { fromBase64, golden, serve, serverSuite, tiny, toFloats, type Serving } from './support/serving.js';

// How the routes read texts: which end of a long one is left out, what [SEP] in it is, what stands before it.
const t = serverSuite('server: reading');
let server: Serving;
let strict: Serving;
let embedder: Embedder;
const models: Record<string, Model> = {};
t.before(async () => {
  const kinds = tiny('embedder', 'reranker', 'classifier');
  server = await serve({ models: kinds, defaultPrompt: 'the band ' });
  strict = await serve({ models: kinds, splitSpecialTokens: true });
  embedder = await loadEmbedder(golden('sentence/normalize'));
  for (const { name, model } of tiny('embedder', 'reranker', 'classifier')) models[name] = await loadModel(model);
});
t.after(() => {
  embedder.dispose();
  for (const model of Object.values(models)) model.dispose();
});
const ok = async (on: Serving, path: string, body: object): Promise<unknown> => {
  const { status, text, json } = await on.post(path, body);
  assert.is(status, 200, `${path}: ${text}`);
  return json;
};
/** Longer than what any of the models reads. */
const long = `${'hello '.repeat(600)}guitar and the band`;
const left = { truncationSide: 'left' } as const;

t('truncation_direction left keeps the end of a text on every route that has it', async () => {
  const options = { ...left, prompt: 'the band ' };
  const { vector } = await embedder.embed(long, { ...options, normalize: true });
  assert.not.equal(vector, (await embedder.embed(long, { prompt: 'the band ', normalize: true })).vector);
  const body = { inputs: [long], truncation_direction: 'Left' };
  assert.equal(toFloats(((await ok(server, '/embed', body)) as number[][])[0]), vector);
  assert.equal(toFloats(((await ok(server, '/models/embedder', body)) as number[][])[0]), vector);
  assert.equal(toFloats(((await ok(server, '/models/embedder/invocations', body)) as number[][])[0]), vector);
  const list = (await ok(server, '/v1/embeddings', { input: long, truncation_direction: 'left', encoding_format: 'base64' })) as {
    data: { embedding: string }[];
  };
  assert.equal(fromBase64(list.data[0]!.embedding), (await embedder.embed(long, options)).vector);
  const start = (await ok(server, '/v2/embed', { texts: [long], truncate: 'START' })) as { embeddings: { float: number[][] } };
  assert.equal(toFloats(start.embeddings.float[0]), fromBase64(list.data[0]!.embedding));
  const rows = (await ok(server, '/embed_all', body)) as number[][][];
  assert.not.equal(rows, await ok(server, '/embed_all', { inputs: [long] }));
  const { labels } = await classifyText(models['classifier']!, long, { ...left, topK: null });
  assert.equal(await ok(server, '/predict', { inputs: long, truncation_direction: 'left' }), labels);
  const ranked = (await rerank(models['reranker']!, 'you', [long], left)).map(({ index, score }) => ({ index, score }));
  assert.equal(await ok(server, '/rerank', { query: 'you', texts: [long], truncation_direction: 'left' }), ranked);
  const cohere = (await ok(server, '/v2/rerank', { query: 'you', documents: [long], truncation_direction: 'left' })) as {
    results: { relevance_score: number }[];
  };
  assert.is(cohere.results[0]!.relevance_score, ranked[0]!.score);
});

t('/similarity reads as /embed does: by side and by prompt', async () => {
  const [query, ...others] = await embedder.embed(['you', long, 'hello'], { ...left, prompt: 'the band ' });
  const inputs = { source_sentence: 'you', sentences: [long, 'hello'] };
  const found = await ok(server, '/similarity', { inputs, parameters: { truncation_direction: 'left' } });
  assert.equal(found, Array.from(similarity(query!, others)));
  const { status, json } = await server.post('/similarity', { inputs, parameters: { prompt_name: 'nope' } });
  assert.equal([status, (json as { code: string }).code], [422, 'INVALID_OPTION']);
});

t('a text of another end than left or right is refused', async () => {
  const { status, json } = await server.post('/predict', { inputs: 'you', truncation_direction: 'middle' });
  assert.equal([status, (json as { message: string }).message.includes('left or right')], [422, true]);
});

t('/rerank with texts answers the best top_n, as LiteLLM asks', async () => {
  const texts = ['the band', 'you', 'hello'];
  const all = (await ok(server, '/rerank', { query: 'you', texts })) as object[];
  assert.equal(await ok(server, '/rerank', { query: 'you', texts, top_n: 2 }), all.slice(0, 2));
});

t('splitSpecialTokens makes [SEP] ordinary text on every route but where masks are filled', async () => {
  const marked = 'hello [SEP] you';
  const plain = { splitSpecialTokens: true } as const;
  const { vector } = await embedder.embed(marked, { ...plain, normalize: true });
  for (const path of ['/embed', '/models/embedder', '/models/embedder/invocations'])
    assert.equal(toFloats(((await ok(strict, path, { inputs: [marked] })) as number[][])[0]), vector, path);
  const { labels } = await classifyText(models['classifier']!, marked, { ...plain, topK: null });
  assert.equal(await ok(strict, '/predict', { inputs: marked }), labels);
  assert.equal(
    ((await ok(strict, '/tasks/classify', { inputs: marked, topK: null, model: 'classifier' })) as { labels: unknown }).labels,
    labels,
  );
  const own = (await classifyText(models['classifier']!, marked, { topK: null })).labels;
  const asked = { inputs: marked, topK: null, model: 'classifier', splitSpecialTokens: false };
  assert.equal(((await ok(strict, '/tasks/classify', asked)) as { labels: unknown }).labels, own);
  const [places] = (await ok(strict, '/tokenize', { inputs: marked, model: 'classifier', add_special_tokens: false })) as {
    special: boolean;
    text: string;
  }[][];
  assert.ok(places!.every(({ special }) => !special) && places!.length > 3, JSON.stringify(places));
  const cosines = await sentenceSimilarity(models['embedder']!, marked, ['you'], plain);
  assert.equal(await ok(strict, '/similarity', { inputs: { source_sentence: marked, sentences: ['you'] } }), cosines);
  const masks = await serve({ models: tiny('masks'), splitSpecialTokens: true });
  assert.is(((await ok(masks, '/pipeline/fill-mask', { inputs: 'hello [MASK]' })) as object[]).length, 5);
  assert.is(((await ok(masks, '/tasks/fill-mask', { inputs: 'hello [MASK]' })) as { masks: object[] }).masks.length, 1);
});

t.run();
