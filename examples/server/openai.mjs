// OpenAI's client with `bertha serve`: vectors, and which document is nearest.
//   npm install openai
//   npx bertha serve                          in another terminal
//   node openai.mjs [http://127.0.0.1:3000]
import OpenAI from 'openai';

const address = process.argv[2] ?? 'http://127.0.0.1:3000';
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: process.env.API_KEY ?? 'none' });

const documents = [
  'Parcels are delivered within three working days.',
  'The museum opens at nine.',
  'You can return any item for a refund.',
];
const { data, usage } = await client.embeddings.create({
  model: 'all-MiniLM-L6-v2',
  input: ['When will my package arrive?', ...documents],
});
const [query, ...vectors] = data.map(({ embedding }) => embedding);

// The vectors have length 1: their product is the cosine.
const scores = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * query[i], 0));
const best = scores.indexOf(Math.max(...scores));
console.log('found:', documents[best], scores[best].toFixed(3), `(${usage.total_tokens} tokens)`);
