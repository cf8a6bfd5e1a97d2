// Voyage's client with `bertha serve`: vectors and reranking.
//   npm install voyageai
//   npx bertha serve --model all-MiniLM-L6-v2=DIR --model reranker=DIR          in another terminal
//   node voyage.mjs [http://127.0.0.1:3000]
import { VoyageAIClient } from 'voyageai';

const environment = `${process.argv[2] ?? 'http://127.0.0.1:3000'}/v1`;
const voyage = new VoyageAIClient({ environment, apiKey: process.env.API_KEY ?? 'none' });

const documents = [
  'Parcels are delivered within three working days.',
  'The museum opens at nine.',
  'You can return any item for a refund.',
];
const { data, usage } = await voyage.embed({ model: 'all-MiniLM-L6-v2', input: documents, inputType: 'document' });
console.log('vectors:', data.length, 'of', data[0].embedding.length, `(${usage.totalTokens} tokens)`);

const ranked = await voyage.rerank({ model: 'reranker', query: 'Can I send it back?', documents, topK: 1, returnDocuments: true });
console.log('best:', ranked.data[0].document, ranked.data[0].relevanceScore.toFixed(3));
