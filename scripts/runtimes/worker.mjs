import { parentPort, workerData } from 'node:worker_threads';
import { loadEmbedder } from 'bertha-encoder';

const embedder = await loadEmbedder();
const embeddings = await embedder.embed(workerData);
embedder.dispose();
parentPort.postMessage(embeddings.map(({ vector }) => vector));
