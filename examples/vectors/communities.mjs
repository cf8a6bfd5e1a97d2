// Groups of similar sentences, the pairs most alike, and a file of vectors. Runs with the bundled model.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { communityDetection, loadEmbedder, loadVectors, paraphraseMining, saveVectors, semanticSearch } from 'bertha-encoder';

const sentences = [
  'How do I reset my password?',
  'I forgot my password.',
  'The parcel has not arrived.',
  'Where is my parcel?',
  'Can I pay by card?',
];
const embedder = await loadEmbedder();
const vectors = await embedder.encodeDocument(sentences);
for (const group of await communityDetection(vectors, { threshold: 0.6, minCommunitySize: 2 })) {
  console.log(group.map((index) => sentences[index]).join(' | '));
}
const [best] = await paraphraseMining(vectors, { maxPairs: 1 });
console.log(`${best.score.toFixed(2)}: ${sentences[best.i]} ~ ${sentences[best.j]}`);

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
await saveVectors(join(folder, 'sentences.npy'), vectors);
const corpus = await loadVectors(join(folder, 'sentences.npy'));
const [found] = await semanticSearch(await embedder.encodeQuery('Do you take credit cards?'), corpus, { topK: 1 });
console.log(sentences[found.index]);
rmSync(folder, { recursive: true });
embedder.dispose();
