// Chroma: a collection whose texts are embedded in this process.
//   npm install bertha-encoder chromadb
//   node chroma.mjs [PORT]      PORT: where a Chroma server listens; without one, a stand-in in memory.
import { BerthaEmbeddingFunction } from 'bertha-encoder/chroma';
import { ChromaClient } from 'chromadb';
import { startMemoryChroma } from './memory-chroma.mjs';

const memory = process.argv[2] === undefined ? await startMemoryChroma() : undefined;
const client = new ChromaClient({ host: '127.0.0.1', port: memory?.port ?? Number(process.argv[2]) });

const embeddingFunction = new BerthaEmbeddingFunction(); // the bundled model
const name = `help-${process.pid}`;
const collection = await client.createCollection({ name, embeddingFunction });
await collection.add({
  ids: ['parcels', 'museum', 'password'],
  documents: [
    'Parcels are delivered within three working days.',
    'The museum opens at nine.',
    'Click on "Forgot password" to choose a new one.',
  ],
});

// Opened again, it finds its function by the configuration that Chroma keeps: every process that imports bertha-encoder/chroma can.
const again = await client.getCollection({ name });
const { documents, distances } = await again.query({ queryTexts: ['How do I get into my account again?'], nResults: 1 });
console.log('found:', documents[0][0], distances[0][0].toFixed(3));
await embeddingFunction.dispose();
memory?.close();
