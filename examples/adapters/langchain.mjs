// LangChain: a vector store in memory, a retriever that reranks, examples chosen by meaning, and a model that writes, all computed in this process.
//   npm install bertha-encoder @langchain/core @langchain/classic
import { ContextualCompressionRetriever } from '@langchain/classic/retrievers/contextual_compression';
import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { SemanticSimilarityExampleSelector } from '@langchain/core/example_selectors';
import { PromptTemplate } from '@langchain/core/prompts';
import { loadEmbedder } from 'bertha-encoder';
import { BerthaEmbeddings, BerthaLLM, BerthaRerank } from 'bertha-encoder/langchain';

const embedder = await loadEmbedder();
const embeddings = new BerthaEmbeddings({ embedder });
const store = await MemoryVectorStore.fromTexts(
  ['Parcels are delivered within three working days.', 'The museum opens at nine.', 'Click on "Forgot password" to choose a new one.'],
  [{ page: 1 }, { page: 2 }, { page: 3 }],
  embeddings,
);
const [found] = await store.similaritySearch('How do I get into my account again?', 1);
console.log('found:', found.pageContent, found.metadata);

// `model` takes a cross-encoder instead, such as 'cross-encoder/ms-marco-MiniLM-L6-v2'.
const retriever = new ContextualCompressionRetriever({
  baseCompressor: new BerthaRerank({ embedder, topK: 1 }),
  baseRetriever: store.asRetriever(3),
});
const [best] = await retriever.invoke('When will my package arrive?');
console.log('best:', best.pageContent, best.metadata.relevanceScore.toFixed(3));

const selector = await SemanticSimilarityExampleSelector.fromExamples(
  [
    { input: 'happy', output: 'sad' },
    { input: 'tall', output: 'short' },
    { input: 'sunny', output: 'rainy' },
  ],
  embeddings,
  MemoryVectorStore,
  { k: 1, inputKeys: ['input'] },
);
console.log('example:', (await selector.selectExamples({ input: 'cheerful' }))[0]);

// A model that writes, in a chain: `node langchain.mjs Helsinki-NLP/opus-mt-en-de`, or the directory of another.
if (process.argv[2] !== undefined) {
  const llm = new BerthaLLM({ model: process.argv[2], maxNewTokens: 24 });
  for await (const part of await PromptTemplate.fromTemplate('The {thing} is wonderful.').pipe(llm).stream({ thing: 'house' }))
    process.stdout.write(part);
  process.stdout.write('\n');
  await llm.dispose();
}
embedder.dispose();
