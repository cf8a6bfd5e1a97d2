// LlamaIndex.TS: an index in memory, a reranker behind its retriever, and a model that writes, computed in this process.
//   npm install bertha-encoder llamaindex
import { loadEmbedder } from 'bertha-encoder';
import { BerthaEmbedding, BerthaLLM, BerthaReranker } from 'bertha-encoder/llamaindex';
import { Document, Settings, VectorStoreIndex } from 'llamaindex';

const embedder = await loadEmbedder();
Settings.embedModel = new BerthaEmbedding({ embedder });

const texts = ['Parcels are delivered within three working days.', 'The museum opens at nine.', 'You can return any item for a refund.'];
const index = await VectorStoreIndex.fromDocuments(texts.map((text) => new Document({ text })));
const query = 'When will my package arrive?';
const found = await index.asRetriever({ similarityTopK: 3 }).retrieve(query);
console.log('found:', found[0].node.text);

// `model` takes a cross-encoder instead, such as 'cross-encoder/ms-marco-MiniLM-L6-v2'.
const [best] = await new BerthaReranker({ embedder, topK: 1 }).postprocessNodes(found, query);
console.log('best:', best.node.text, best.score.toFixed(3));

// A model that writes: `node llamaindex.mjs Helsinki-NLP/opus-mt-en-de`, or the directory of another.
if (process.argv[2] !== undefined) {
  const llm = new BerthaLLM({ model: process.argv[2], maxNewTokens: 24 });
  for await (const { text } of await llm.complete({ prompt: 'The house is wonderful.', stream: true })) process.stdout.write(text);
  process.stdout.write('\n');
  await llm.dispose();
}
embedder.dispose();
