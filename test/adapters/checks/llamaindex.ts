import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { BaseEmbedding } from '@llamaindex/core/embeddings';
import type { BaseLLM } from '@llamaindex/core/llms';
import type { BaseNodePostprocessor } from '@llamaindex/core/postprocessor';
import { generate, loadEmbedder, loadModel, rerank } from 'bertha-encoder';
import { BerthaEmbedding, BerthaLLM, BerthaReranker } from 'bertha-encoder/llamaindex';
import { Document, Settings, VectorStoreIndex } from 'llamaindex';
import { crossEncoder, isAbort, isCode, question, sleeping, texts, writer } from './texts.js';

const embedder = await loadEmbedder();
after(() => embedder.dispose());
const embedModel = new BerthaEmbedding({ embedder });
const base: BaseEmbedding = embedModel;
Settings.embedModel = base;
const index = await VectorStoreIndex.fromDocuments(texts.map((text) => new Document({ text, metadata: {} })));

test('an index finds the node that answers', async () => {
  const [found] = await index.asRetriever({ similarityTopK: 2 }).retrieve(question);
  assert.equal((found!.node as Document).text, texts[sleeping]);
});

test('the nodes of a retriever are reranked by a cross-encoder, as rerank scores', async () => {
  const model = await loadModel(crossEncoder);
  const reranker: BaseNodePostprocessor = new BerthaReranker({ model, topK: 2 });
  const nodes = await index.asRetriever({ similarityTopK: texts.length }).retrieve(question);
  const given = nodes.map(({ node }) => (node as Document).text);
  const expected = await rerank(model, question, given, { topK: 2 });
  const found = await reranker.postprocessNodes(nodes, question);
  assert.deepEqual(
    found.map(({ node, score }) => [(node as Document).text, score]),
    expected.map(({ index, score }) => [given[index], score]),
  );
  const parts = await reranker.postprocessNodes(nodes, [{ type: 'text', text: question }]);
  assert.deepEqual(parts, found);
  await assert.rejects(reranker.postprocessNodes(nodes), isCode('INVALID_ARG'));
  model.dispose();
});

test('texts go in batches of 256, and vectors are plain lists', async () => {
  assert.equal(embedModel.embedBatchSize, 256);
  const progress: number[] = [];
  const vectors = await base.getTextEmbeddingsBatch(Array<string>(300).fill(question), { progressCallback: (done) => progress.push(done) });
  assert.deepEqual(progress, [256, 300]);
  assert.ok(Array.isArray(vectors[0]));
  assert.deepEqual(vectors[299], Array.from((await embedder.embed(question)).vector));
  assert.deepEqual(embedModel.embedInfo, { dimensions: 384, maxTokens: 256 });
});

test('a query may be a part of a message; an image is none', async () => {
  assert.equal((await base.getQueryEmbedding({ type: 'text', text: question }))?.length, 384);
  assert.equal(await base.getQueryEmbedding({ type: 'image_url', image_url: { url: 'x' } }), null);
});

test('abort, dispose and typed errors', async () => {
  await assert.rejects(embedModel.getTextEmbedding(question, { signal: AbortSignal.abort() }), isAbort);
  const own = new BerthaEmbedding();
  assert.equal((await own.getTextEmbedding(question)).length, 384);
  await own.dispose();
  await assert.rejects(own.getTextEmbedding(question), isCode('DISPOSED'));
  assert.throws(() => new BerthaEmbedding({ dimension: 3 } as object), isCode('INVALID_OPTION'));
  assert.equal((await embedder.embed(question)).vector.length, 384);
});

test('a language model writes what generate writes: completions, chats, streams', async () => {
  const model = await loadModel(writer);
  const bertha = new BerthaLLM({ model, maxNewTokens: 8 });
  const llm: BaseLLM = bertha as BaseLLM;
  const asked = async (prompt: string) => (await generate(model, prompt, { maxNewTokens: 8 }))[0]!.text;
  assert.equal((await llm.complete({ prompt: 'A cat' })).text, await asked('A cat'));
  const messages = [
    { role: 'system' as const, content: 'The house' },
    { role: 'user' as const, content: [{ type: 'text' as const, text: 'is small.' }] },
  ];
  const { message } = await bertha.chat({ messages });
  assert.deepEqual(message, { role: 'assistant', content: await asked('The house\n\nis small.') });
  let streamed = '';
  for await (const { text } of await llm.complete({ prompt: 'A cat', stream: true })) streamed += text;
  assert.equal(streamed, await asked('A cat'));
  assert.deepEqual([llm.metadata.contextWindow, llm.metadata.maxTokens], [48, 8]);
  const sampled = { generation: { doSample: true, seed: 3 } };
  const drawn = await bertha.chat({ messages: [{ role: 'user', content: 'A cat' }], additionalChatOptions: sampled });
  const [expected] = await generate(model, 'A cat', { maxNewTokens: 8, ...sampled.generation });
  assert.equal(drawn.message.content, expected!.text);
  const image = { type: 'image_url' as const, image_url: { url: 'x' } };
  await assert.rejects(bertha.chat({ messages: [{ role: 'user', content: [image] }] }), isCode('INVALID_ARG'));
  await assert.rejects(bertha.chat({ messages, responseFormat: {} }), isCode('INVALID_ARG'));
  model.dispose();
});

test('a language model stops with its signal and is disposed of', async () => {
  const own = new BerthaLLM({ model: writer });
  const call = { messages: [{ role: 'user' as const, content: 'A cat' }], additionalChatOptions: { signal: AbortSignal.abort() } };
  await assert.rejects(own.chat(call), isAbort);
  await own.dispose();
  await assert.rejects(own.complete({ prompt: 'A cat' }), isCode('DISPOSED'));
});
