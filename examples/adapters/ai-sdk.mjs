// AI SDK: vectors, similarity and reranking without a provider's key, computed in this process.
//   npm install bertha-encoder ai
import { cosineSimilarity, embed, embedMany, rerank } from 'ai';
import { loadEmbedder } from 'bertha-encoder';
import { createBertha } from 'bertha-encoder/ai-sdk';

const embedder = await loadEmbedder();
const bertha = createBertha({ models: { minilm: embedder } }); // other ids are directories, or models of the Hub

const values = ['Parcels are delivered within three working days.', 'The museum opens at nine.', 'You can return any item for a refund.'];
const { embeddings, usage } = await embedMany({ model: bertha.embeddingModel('minilm'), values });
const { embedding } = await embed({ model: bertha.embeddingModel('minilm'), value: 'When will my package arrive?' });
const scores = embeddings.map((vector) => cosineSimilarity(embedding, vector));
console.log('found:', values[scores.indexOf(Math.max(...scores))], `(${usage.tokens} tokens)`);

// A cross-encoder is named the same way: bertha.rerankingModel('cross-encoder/ms-marco-MiniLM-L6-v2').
const { ranking } = await rerank({ model: bertha.rerankingModel('minilm'), documents: values, query: 'Can I send it back?', topN: 1 });
console.log('best:', ranking[0].document, ranking[0].score.toFixed(3));
await bertha.dispose();
embedder.dispose();
