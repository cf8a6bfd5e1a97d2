import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EmbeddingModelV3, LanguageModelV3, ProviderV3, RerankingModelV3 } from '@ai-sdk/provider';
import { createProviderRegistry, embed, embedMany, generateText, rerank, streamText } from 'ai';
import { generate, loadEmbedder, loadModel, rerank as ownRerank, similarity } from 'bertha-encoder';
import { createBertha } from 'bertha-encoder/ai-sdk';
import { crossEncoder, isAbort, isCode, question, sleeping, texts } from './texts.js';

const [embedder, model] = [await loadEmbedder(), await loadModel(crossEncoder)];
const bertha = createBertha({ models: { minilm: embedder, cross: model } });
const provider: ProviderV3 = bertha;
const embeddingModel: EmbeddingModelV3 = bertha.embeddingModel('minilm');
const rerankingModel: RerankingModelV3 = bertha.rerankingModel('cross');
after(async () => {
  await bertha.dispose();
  embedder.dispose();
  model.dispose();
});

test('embedMany and embed find the text that answers, and count tokens', async () => {
  const { embeddings, usage } = await embedMany({ model: embeddingModel, values: [...texts] });
  const one = await embed({ model: embeddingModel, value: question });
  const scores = similarity(one.embedding, embeddings);
  assert.equal(scores.indexOf(Math.max(...scores)), sleeping);
  const own = await embedder.embed(texts);
  assert.deepEqual(
    embeddings,
    own.map(({ vector }) => Array.from(vector)),
  );
  assert.deepEqual([usage.tokens, one.usage.tokens], [own.reduce((sum, { tokens }) => sum + tokens, 0), embedder.countTokens(question)]);
});

test('one call takes as many values as there are, and calls may run beside each other', async () => {
  assert.deepEqual([embeddingModel.maxEmbeddingsPerCall, embeddingModel.supportsParallelCalls], [Infinity, true]);
  const values = Array.from({ length: 600 }, (_, i) => `text ${i}`);
  const { embeddings, responses } = await embedMany({ model: embeddingModel, values });
  assert.deepEqual([embeddings.length, responses?.length], [600, 1]);
});

test('a registry gives the models by their ids', async () => {
  const registry = createProviderRegistry({ bertha: provider });
  const { embedding } = await embed({ model: registry.embeddingModel('bertha:minilm'), value: question });
  assert.equal(embedding.length, 384);
  assert.throws(() => registry.languageModel('bertha:minilm'), isCode('INVALID_ARG'));
});

test('generateText and streamText write what generate writes', async () => {
  const directory = fileURLToPath(new URL('../../golden-generation/tiny/bertgen-lm', import.meta.url));
  const writer = await loadModel(directory);
  const writing = createBertha({ models: { writer } });
  const languageModel: LanguageModelV3 = writing.languageModel('writer');
  const asked = {
    model: languageModel,
    prompt: 'The house is small.',
    maxOutputTokens: 12,
    temperature: 0.8,
    topP: 0.9,
    seed: 7,
    maxRetries: 0,
  };
  const options = { maxNewTokens: 12, doSample: true, temperature: 0.8, topP: 0.9, seed: 7 };
  const [expected] = await generate(writer, 'The house is small.', options);
  const { text, finishReason, usage } = await generateText(asked);
  assert.deepEqual(
    [text, finishReason, usage.inputTokens, usage.outputTokens],
    [expected!.text, expected!.finishReason === 'eos' ? 'stop' : 'length', expected!.tokens, expected!.ids.length],
  );
  let streamed = '';
  for await (const part of streamText(asked).textStream) streamed += part;
  assert.equal(streamed, text);
  const greedy = await generateText({ ...asked, temperature: 0, stopSequences: ['never there'] });
  assert.equal(greedy.text, (await generate(writer, 'The house is small.', { maxNewTokens: 12 }))[0]!.text);
  await assert.rejects(generateText({ ...asked, abortSignal: AbortSignal.abort() }), isAbort);
  await assert.rejects(generateText({ ...asked, maxOutputTokens: 5000 }), isCode('MAX_LENGTH'));
  await assert.rejects(generateText({ ...asked, model: bertha.languageModel('cross') }), isCode('NO_HEAD'));
  const loading = createBertha();
  assert.equal((await generateText({ ...asked, model: loading.languageModel(directory) })).text, text);
  await loading.dispose();
  await assert.rejects(
    generateText({
      ...asked,
      model: languageModel,
      prompt: [{ role: 'user', content: [{ type: 'image', image: new Uint8Array(8) }] }],
    } as never),
  );
  writer.dispose();
});

test('rerank orders as the library does, objects by their JSON', async () => {
  const { ranking } = await rerank({ model: rerankingModel, query: question, documents: [...texts], topN: 3 });
  const expected = await ownRerank(model, question, texts, { topK: 3 });
  assert.deepEqual(
    ranking.map(({ originalIndex, score }) => [originalIndex, score]),
    expected.map(({ index, score }) => [index, score]),
  );
  const byVectors = await rerank({
    model: bertha.rerankingModel('minilm'),
    query: question,
    documents: texts.map((text) => ({ text })),
    topN: 1,
  });
  assert.equal(byVectors.ranking[0]!.originalIndex, sleeping);
});

test('providerOptions choose dimensions and prompts; what is unknown there is refused', async () => {
  const ask = (options: Record<string, string | number>) =>
    embed({ model: embeddingModel, value: question, providerOptions: { bertha: options } });
  assert.equal((await ask({ dimensions: 64 })).embedding.length, 64);
  const prompted = await embedder.embed(question, { prompt: 'query: ' });
  assert.deepEqual((await ask({ prompt: 'query: ' })).embedding, Array.from(prompted.vector));
  assert.equal((await ask({ inputType: 'query' })).embedding.length, 384);
  await assert.rejects(ask({ dimension: 64 }), isCode('INVALID_OPTION'));
});

test('a signal stops a call; typed errors are not tried again', async () => {
  const abort = new AbortController();
  const call = embedMany({ model: embeddingModel, values: Array<string>(5000).fill(question), abortSignal: abort.signal });
  abort.abort();
  await assert.rejects(call, isAbort);
  await assert.rejects(embed({ model: bertha.embeddingModel('./no-such-folder'), value: question }), isCode('MODEL_NOT_FOUND'));
  assert.throws(() => bertha.embeddingModel('cross'), isCode('INVALID_ARG'));
});

test('a model is loaded once for an id, and disposed of with the provider', async () => {
  const own = createBertha();
  const [a, b] = await Promise.all([
    embed({ model: own.embeddingModel(), value: question }),
    embed({ model: own.embeddingModel('all-MiniLM-L6-v2'), value: question }),
  ]);
  assert.deepEqual(a.embedding, b.embedding);
  const kept = own.embeddingModel();
  await own.dispose();
  await assert.rejects(Promise.resolve(kept.doEmbed({ values: [question] })), isCode('DISPOSED'));
  assert.throws(() => own.embeddingModel(), isCode('DISPOSED'));
});
