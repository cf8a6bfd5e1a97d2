// LangChain's OpenAIEmbeddings with `bertha serve`: a vector store in memory.
//   npm install @langchain/openai @langchain/core @langchain/classic
//   npx bertha serve                          in another terminal
//   node langchain.mjs [http://127.0.0.1:3000]
import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { OpenAIEmbeddings } from '@langchain/openai';

const address = process.argv[2] ?? 'http://127.0.0.1:3000';
const embeddings = new OpenAIEmbeddings({
  model: 'all-MiniLM-L6-v2',
  apiKey: process.env.API_KEY ?? 'none',
  configuration: { baseURL: `${address}/v1` },
});

const store = await MemoryVectorStore.fromTexts(
  ['Parcels are delivered within three working days.', 'The museum opens at nine.', 'Click on "Forgot password" to choose a new one.'],
  [{ page: 1 }, { page: 2 }, { page: 3 }],
  embeddings,
);
const [found] = await store.similaritySearch('How do I get into my account again?', 1);
console.log('found:', found.pageContent, found.metadata);
