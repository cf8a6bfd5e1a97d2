// The AI SDK with `bertha serve`: an OpenAI-compatible provider for vectors, Cohere's for reranking.
//   npm install ai @ai-sdk/openai-compatible @ai-sdk/cohere
//   npx bertha serve --model all-MiniLM-L6-v2=DIR --model reranker=DIR          in another terminal
//   node ai-sdk.mjs [http://127.0.0.1:3000]
import { createCohere } from '@ai-sdk/cohere';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { cosineSimilarity, embed, embedMany, rerank } from 'ai';

const address = process.argv[2] ?? 'http://127.0.0.1:3000';
const apiKey = process.env.API_KEY ?? 'none';
const bertha = createOpenAICompatible({ name: 'bertha', baseURL: `${address}/v1`, apiKey });
const cohere = createCohere({ baseURL: `${address}/v2`, apiKey });

const values = ['Parcels are delivered within three working days.', 'The museum opens at nine.', 'You can return any item for a refund.'];
const { embeddings, usage } = await embedMany({ model: bertha.embeddingModel('all-MiniLM-L6-v2'), values });
const { embedding } = await embed({ model: bertha.embeddingModel('all-MiniLM-L6-v2'), value: 'When will my package arrive?' });
const scores = embeddings.map((vector) => cosineSimilarity(embedding, vector));
console.log('found:', values[scores.indexOf(Math.max(...scores))], `(${usage.tokens} tokens)`);

const { ranking } = await rerank({ model: cohere.reranking('reranker'), documents: values, query: 'Can I send it back?', topN: 1 });
console.log('best:', ranking[0].document, ranking[0].score.toFixed(3));
