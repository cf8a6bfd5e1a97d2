import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadEmbedder } from 'bertha-encoder';
import { BerthaEmbeddingFunction, BerthaSparseEmbeddingFunction } from 'bertha-encoder/chroma';
import {
  ChromaClient,
  type EmbeddingFunction,
  type EmbeddingFunctionClass,
  K,
  Knn,
  knownEmbeddingFunctions,
  knownSparseEmbeddingFunctions,
  Schema,
  Search,
  type SparseEmbeddingFunctionClass,
  SparseVectorIndexConfig,
} from 'chromadb';
import { startMemoryChroma } from '../../../examples/adapters/memory-chroma.mjs';
import { isAbort, isCode, question, sleeping, sparseModel, texts } from './texts.js';

const memory = await startMemoryChroma();
const client = new ChromaClient({ host: '127.0.0.1', port: memory.port });
const embedder = await loadEmbedder();
after(() => {
  memory.close();
  embedder.dispose();
});
const Registered: EmbeddingFunctionClass = BerthaEmbeddingFunction;
const RegisteredSparse: SparseEmbeddingFunctionClass = BerthaSparseEmbeddingFunction;

test('a collection finds the document that answers, also when it is opened again by its configuration', async () => {
  const embeddingFunction: EmbeddingFunction = new BerthaEmbeddingFunction({ embedder });
  const collection = await client.createCollection({ name: 'own', embeddingFunction });
  await collection.add({ ids: texts.map((_, i) => String(i)), documents: [...texts] });
  const again = await client.getCollection({ name: 'own' });
  for (const each of [collection, again]) {
    const { ids } = await each.query({ queryTexts: [question], nResults: 1 });
    assert.deepEqual(ids, [[String(sleeping)]]);
  }
});

test('is registered once, by the name bertha', async () => {
  assert.equal(knownEmbeddingFunctions.get('bertha'), Registered);
  await import(`${import.meta.resolve('bertha-encoder/chroma')}?twice`);
  assert.equal(knownEmbeddingFunctions.get('bertha'), Registered);
});

test('vectors are plain lists of the numbers of embed', async () => {
  const own = new BerthaEmbeddingFunction({ embedder, dimensions: 32 });
  const vectors = await own.generate([...texts]);
  assert.ok(vectors.every((vector) => Array.isArray(vector)));
  assert.deepEqual(
    vectors,
    (await embedder.embed(texts, { dimensions: 32 })).map(({ vector }) => Array.from(vector)),
  );
  assert.equal((await own.generateForQueries([question]))[0]?.length, 32);
  assert.deepEqual([own.defaultSpace(), own.supportedSpaces().length], ['cosine', 3]);
});

test('a configuration makes the same function, and not twice', async () => {
  const first = new BerthaEmbeddingFunction({ model: embedder.directory, dimensions: 16, queryPrompt: 'q: ' });
  const config = JSON.parse(JSON.stringify(first.getConfig())) as Record<string, unknown>;
  assert.deepEqual(config, { model_name: embedder.directory, dimensions: 16, query_prompt: 'q: ' });
  assert.equal(BerthaEmbeddingFunction.buildFromConfig({ ...config, normalize: null }), first);
  await first.dispose();
  const fresh = BerthaEmbeddingFunction.buildFromConfig(config);
  assert.notEqual(fresh, first);
  const expected = await embedder.embed(question, { dimensions: 16, prompt: 'q: ' });
  assert.deepEqual((await fresh.generateForQueries([question]))[0], Array.from(expected.vector));
  await fresh.dispose();
});

test('a collection that has vectors takes no other model', () => {
  const own = new BerthaEmbeddingFunction({ dimensions: 16 });
  own.validateConfig(own.getConfig());
  own.validateConfigUpdate({ query_prompt: 'q: ' });
  assert.throws(() => own.validateConfigUpdate({ dimensions: 32 }), isCode('INVALID_OPTION'));
  assert.throws(() => own.validateConfigUpdate({ model_name: 'other' }), isCode('INVALID_OPTION'));
  assert.throws(() => own.validateConfig({ modelname: 'x' }), isCode('INVALID_OPTION'));
});

test('abort, dispose and typed errors', async () => {
  const own = new BerthaEmbeddingFunction();
  await assert.rejects(own.generate([question], { signal: AbortSignal.abort() }), isAbort);
  assert.equal((await own.generate([question]))[0]!.length, 384);
  await own.dispose();
  await assert.rejects(own.generate([question]), isCode('DISPOSED'));
});

test('a sparse index finds documents by words, also when the collection is opened again by its configuration', async () => {
  const embeddingFunction = new BerthaSparseEmbeddingFunction({ model: sparseModel });
  const schema = new Schema().createIndex(new SparseVectorIndexConfig({ sourceKey: K.DOCUMENT, embeddingFunction }), 'words');
  const collection = await client.createCollection({
    name: 'sparse',
    schema,
    embeddingFunction: new BerthaEmbeddingFunction({ embedder }),
  });
  await collection.add({ ids: ['a', 'b'], documents: ['hello', 'the guitar and the band'] });
  const search = new Search({ rank: Knn({ query: 'guitar', key: 'words', limit: 2 }), limit: 1 });
  for (const each of [collection, await client.getCollection({ name: 'sparse' })]) {
    assert.deepEqual((await each.search(search)).ids, [['b']]);
  }
  await embeddingFunction.dispose();
});

test('sparse vectors are those of embedSparse, of queries and of documents', async () => {
  const sparse = await loadEmbedder(sparseModel);
  const own = new BerthaSparseEmbeddingFunction({ embedder: sparse, topK: 5 });
  const plain = ({ indices, values }: { indices: Uint32Array; values: Float32Array }) => ({ indices: [...indices], values: [...values] });
  const words = ['hello', 'the guitar and the band'];
  assert.deepEqual(await own.generate(words), (await sparse.embedSparse(words, { topK: 5, as: 'document' })).map(plain));
  assert.deepEqual(await own.generateForQueries(words), (await sparse.embedSparse(words, { topK: 5, as: 'query' })).map(plain));
  await own.dispose();
  sparse.dispose();
});

test('the sparse function is registered as bertha-sparse, wants a sparse model, and is made by its configuration', async () => {
  assert.equal(knownSparseEmbeddingFunctions.get('bertha-sparse'), RegisteredSparse);
  const first = new BerthaSparseEmbeddingFunction({ model: sparseModel, topK: 7, truncationSide: 'left' });
  const config = JSON.parse(JSON.stringify(first.getConfig())) as Record<string, unknown>;
  assert.deepEqual(config, { model_name: sparseModel, top_k: 7, truncation_side: 'left' });
  assert.equal(BerthaSparseEmbeddingFunction.buildFromConfig({ ...config, revision: null }), first);
  first.validateConfigUpdate({ top_k: 3 });
  assert.throws(() => first.validateConfigUpdate({ model_name: 'other' }), isCode('INVALID_OPTION'));
  assert.throws(() => new BerthaSparseEmbeddingFunction({}), isCode('INVALID_OPTION'));
  const dense = new BerthaSparseEmbeddingFunction({ embedder });
  await assert.rejects(dense.generate([question]), isCode('POOLING'));
  await first.dispose();
  await assert.rejects(first.generate([question]), isCode('DISPOSED'));
});
