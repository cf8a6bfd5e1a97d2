// Chroma's function for text-embeddings-inference with `bertha serve`. bertha-encoder/chroma computes in the process instead: examples/adapters.
//   npm install chromadb @chroma-core/huggingface-server
//   npx bertha serve                          in another terminal
//   node chroma.mjs [http://127.0.0.1:3000]
import { HuggingfaceServerEmbeddingFunction } from '@chroma-core/huggingface-server';

const url = `${process.argv[2] ?? 'http://127.0.0.1:3000'}/embed`;
const embeddingFunction = new HuggingfaceServerEmbeddingFunction({ url, apiKey: process.env.API_KEY ?? 'none' });

// client.createCollection({ name, embeddingFunction }) calls it for documents and queries.
const vectors = await embeddingFunction.generate(['Parcels are delivered within three working days.', 'The museum opens at nine.']);
console.log('vectors:', vectors.length, 'of', vectors[0].length);
