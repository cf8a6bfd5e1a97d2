import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ContextualCompressionRetriever } from '@langchain/classic/retrievers/contextual_compression';
import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { Document } from '@langchain/core/documents';
import type { Embeddings } from '@langchain/core/embeddings';
import { SemanticSimilarityExampleSelector } from '@langchain/core/example_selectors';
import { StringOutputParser } from '@langchain/core/output_parsers';
import { PromptTemplate } from '@langchain/core/prompts';
import type { BaseLLM } from '@langchain/core/language_models/llms';
import type { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { BerthaError, generate, loadEmbedder, loadModel, rerank } from 'bertha-encoder';
import { BerthaEmbeddings, BerthaLLM, BerthaRerank } from 'bertha-encoder/langchain';
import { crossEncoder, isAbort, isCode, question, sleeping, texts, writer } from './texts.js';

const embedder = await loadEmbedder();
after(() => embedder.dispose());
const embeddings: Embeddings = new BerthaEmbeddings({ embedder });

test('a vector store finds the document that answers', async () => {
  const store = await MemoryVectorStore.fromTexts(
    [...texts],
    texts.map((_, page) => ({ page })),
    embeddings,
  );
  const found = await store.similaritySearchWithScore(question, 2);
  assert.equal(found[0]![0].pageContent, texts[sleeping]);
  assert.equal(found[0]![0].metadata['page'], sleeping);
  assert.ok(found[0]![1] > found[1]![1]);
});

test('vectors are plain lists of the numbers of embed', async () => {
  const [documents, query] = [await embeddings.embedDocuments([...texts]), await embeddings.embedQuery(question)];
  assert.ok([...documents, query].every((vector) => Array.isArray(vector)));
  assert.deepEqual(
    documents,
    (await embedder.embed(texts)).map(({ vector }) => Array.from(vector)),
  );
  assert.deepEqual(query, Array.from((await embedder.embed(question)).vector));
});

test('the example selector takes the examples that are nearest in meaning', async () => {
  const examples = [
    { input: 'happy', output: 'sad' },
    { input: 'tall', output: 'short' },
    { input: 'sunny', output: 'rainy' },
  ];
  const selector = await SemanticSimilarityExampleSelector.fromExamples(examples, embeddings, MemoryVectorStore, {
    k: 1,
    inputKeys: ['input'],
  });
  assert.deepEqual(await selector.selectExamples({ input: 'windy' }), [examples[2]]);
});

test('a retriever compresses by a cross-encoder, as rerank scores', async () => {
  const model = await loadModel(crossEncoder);
  const compressor: BaseDocumentCompressor = new BerthaRerank({ model, topK: 2 });
  const store = await MemoryVectorStore.fromTexts(
    [...texts],
    texts.map((_, page) => ({ page })),
    embeddings,
  );
  const retriever = new ContextualCompressionRetriever({ baseCompressor: compressor, baseRetriever: store.asRetriever(texts.length) });
  const found = await retriever.invoke(question);
  const expected = await rerank(model, question, texts, { topK: 2 });
  assert.deepEqual(
    found.map(({ metadata }) => [metadata['page'], metadata['relevanceScore']]),
    expected.map(({ index, score }) => [index, score]),
  );
  assert.ok(found[0] instanceof Document);
  model.dispose();
});

test('documents keep their ids and their own metadata', async () => {
  const given = [new Document({ pageContent: 'Cats sleep.', metadata: { a: 1 }, id: 'x' })];
  const [kept] = await new BerthaRerank({ embedder }).compressDocuments(given, question);
  assert.deepEqual([kept!.id, kept!.metadata['a'], given[0]!.metadata], ['x', 1, { a: 1 }]);
});

test('a model is loaded once, at the first text, and disposed of', async () => {
  const own = new BerthaEmbeddings({ model: join(embedder.directory), dimensions: 32 });
  const [one, many] = await Promise.all([own.embedQuery(question), own.embedDocuments([question])]);
  assert.deepEqual([one.length, one], [32, many[0]]);
  await Promise.all([own.embedQuery(question), own.dispose()]).catch(isCode('DISPOSED'));
  await assert.rejects(own.embedQuery(question), isCode('DISPOSED'));
  await own.dispose();
  await embeddings.embedQuery(question);
});

test('what the caller loaded stays loaded', async () => {
  await new BerthaEmbeddings({ embedder }).dispose();
  assert.equal((await embedder.embed(question)).vector.length, 384);
});

test('a signal stops a call, also while the model loads', async () => {
  const own = new BerthaEmbeddings();
  await assert.rejects(own.embedDocuments([...texts], { signal: AbortSignal.abort() }), isAbort);
  const abort = new AbortController();
  const call = own.embedDocuments(Array<string>(5000).fill(question), { signal: abort.signal });
  abort.abort();
  await assert.rejects(call, isAbort);
  assert.equal((await own.embedQuery(question)).length, 384);
  await own.dispose();
});

test('errors are typed and are not tried again', async () => {
  assert.throws(() => new BerthaEmbeddings({ embeder: embedder } as object), isCode('INVALID_OPTION'));
  assert.throws(() => new BerthaEmbeddings({ embedder, model: 'x' }), isCode('INVALID_OPTION'));
  assert.throws(() => new BerthaRerank({}), isCode('INVALID_OPTION'));
  const missing = new BerthaEmbeddings({ model: './no-such-folder' });
  await assert.rejects(missing.embedQuery(question), (error) => error instanceof BerthaError && error.code === 'MODEL_NOT_FOUND');
  await assert.rejects(embeddings.embedDocuments([7 as unknown as string]), isCode('INVALID_ARG'));
});

test('a language model writes what generate writes: in chains, in batches, in streams, with callbacks', async () => {
  const model = await loadModel(writer);
  const settings = { maxNewTokens: 12, doSample: true, topP: 0.9, seed: 7 };
  const bertha = new BerthaLLM({ model, ...settings });
  const llm: BaseLLM = bertha;
  const expected = await generate(model, ['The house is small.', 'A cat'], settings);
  const chain = PromptTemplate.fromTemplate('The {what} is small.').pipe(llm).pipe(new StringOutputParser());
  assert.equal(await chain.invoke({ what: 'house' }), expected[0]![0]!.text);
  assert.deepEqual(
    await llm.batch(['The house is small.', 'A cat']),
    expected.map(([best]) => best!.text),
  );
  const told: string[] = [];
  let streamed = '';
  const handler = { handleLLMNewToken: (token: string) => void told.push(token) };
  for await (const part of await llm.stream('The house is small.', { callbacks: [handler] })) streamed += part;
  assert.equal(streamed, expected[0]![0]!.text);
  assert.equal(told.join(''), streamed);
  const { generations, llmOutput } = await llm.generate(['The house is small.', 'A cat']);
  assert.deepEqual(generations[1]![0]!.generationInfo, { finishReason: expected[1]![0]!.finishReason, score: expected[1]![0]!.score });
  const [read, made] = [expected.map(([best]) => best!.tokens), expected.map(([best]) => best!.ids.length)].map(([a, b]) => a! + b!);
  assert.deepEqual(llmOutput, { tokenUsage: { promptTokens: read, completionTokens: made, totalTokens: read! + made! } });
  const greedy = await bertha.invoke('A cat', { generation: { doSample: false, topP: null, seed: null, maxNewTokens: 6 } });
  assert.equal(greedy, (await generate(model, 'A cat', { maxNewTokens: 6 }))[0]!.text);
  const stop = expected[0]![0]!.text.slice(3, 6);
  const stopped = await llm.invoke('The house is small.', { stop: [stop] });
  assert.equal(stopped, expected[0]![0]!.text.slice(0, expected[0]![0]!.text.indexOf(stop)));
  const three = await new BerthaLLM({ model, maxNewTokens: 6, numBeams: 3, numReturnSequences: 3 }).generate(['A cat']);
  assert.equal(new Set(three.generations[0]!.map(({ text }) => text)).size, 3);
  model.dispose();
});

test('a language model stops with its signal, is loaded once, and its errors are typed', async () => {
  const llm = new BerthaLLM({ model: writer, maxNewTokens: 20 });
  await assert.rejects(llm.invoke('A cat', { signal: AbortSignal.abort() }), isAbort);
  const abort = new AbortController();
  const call = (async () => {
    for await (const part of await llm.stream('A cat', { signal: abort.signal })) if (part !== '') abort.abort();
  })();
  await assert.rejects(call, isAbort);
  await assert.rejects(llm.invoke('A cat', { generation: { maxNewTokens: 5000 } }), isCode('MAX_LENGTH'));
  await llm.dispose();
  await assert.rejects(llm.invoke('A cat'), isCode('DISPOSED'));
  assert.throws(() => new BerthaLLM({ maxNewTokens: 3 } as never), isCode('INVALID_OPTION'));
  assert.throws(() => new BerthaLLM({ model: writer, beams: 3 } as never), isCode('INVALID_OPTION'));
  await assert.rejects(new BerthaLLM({ model: crossEncoder }).invoke('A cat'), isCode('NO_HEAD'));
});
