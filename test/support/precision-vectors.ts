// Vectors of the bundled model in every precision of the instruction set that BERTHA_ISA names: JSON of { precision: [texts][384] }.
import { loadEmbedder } from '../../src/index.js';
import { availablePrecisions } from '../../src/runtime/options/precision.js';
import { gateTexts } from './precision-texts.js';

const vectors: Record<string, number[][]> = {};
for (const precision of availablePrecisions()) {
  const embedder = await loadEmbedder(undefined, { precision });
  vectors[precision] = (await embedder.embed(gateTexts)).map(({ vector }) => Array.from(vector));
  embedder.dispose();
}
process.stdout.write(JSON.stringify(vectors));
