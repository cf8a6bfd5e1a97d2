// A model learns a language from its own English vectors: a translation gets the vector of the English sentence (Reimers and Gurevych, 2020).
// The sentences held out are new, their words are not; for a language in earnest take thousands of translations.
//   node examples/training/cross-lingual.mjs [--model path/to/sentence-model]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadEmbedder, semanticSearch } from 'bertha-encoder';
import { train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const lines = readFileSync(new URL('data/translations.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1);
const rows = lines.map((line) => line.split(',')).map(([english, german]) => ({ english, german }));
const heldOut = rows.splice(-24);

/** The share of the German sentences whose nearest English one is their own. */
async function accuracy(embedder) {
  const german = (await embedder.embed(heldOut.map((row) => row.german))).map(({ vector }) => vector);
  const english = (await embedder.embed(heldOut.map((row) => row.english))).map(({ vector }) => vector);
  const found = await semanticSearch(german, english, { topK: 1 });
  return found.filter(([best], i) => best.index === i).length / heldOut.length;
}

const teacher = await loadEmbedder(values.model);
const before = await accuracy(teacher);
const { model, metrics } = await train(values.model, rows, {
  task: 'sentence-embedding',
  loss: 'MSE',
  teacher,
  evalDataset: heldOut,
  evaluator: async (embedder) => ({ retrieval: await accuracy(embedder) }),
  numTrainEpochs: 15,
  learningRate: 2e-4,
});
const percent = (share) => `${Math.round(100 * share)} %`;
console.log(`the English of a new sentence is found for ${percent(before)} before, ${percent(metrics.eval_retrieval)} after`);
teacher.dispose();
model.dispose();
