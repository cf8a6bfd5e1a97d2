// Cohere's client with `bertha serve`: vectors in few bytes, and reranking by a cross-encoder.
//   npm install cohere-ai
//   npx bertha serve --model all-MiniLM-L6-v2=DIR --model reranker=DIR          in another terminal
//   node cohere.mjs [http://127.0.0.1:3000]
import { CohereClientV2 } from 'cohere-ai';

const cohere = new CohereClientV2({ environment: process.argv[2] ?? 'http://127.0.0.1:3000', token: process.env.API_KEY ?? 'none' });

const documents = [
  'Parcels are delivered within three working days.',
  'The museum opens at nine.',
  'You can return any item for a refund.',
];
const { embeddings } = await cohere.embed({
  model: 'all-MiniLM-L6-v2',
  texts: documents,
  inputType: 'search_document',
  embeddingTypes: ['float', 'int8', 'ubinary'],
});
console.log('sizes:', embeddings.float[0].length, embeddings.int8[0].length, embeddings.ubinary[0].length);

const { results } = await cohere.rerank({ model: 'reranker', query: 'Can I send it back?', documents, topN: 1 });
console.log('best:', documents[results[0].index], results[0].relevanceScore.toFixed(3));
