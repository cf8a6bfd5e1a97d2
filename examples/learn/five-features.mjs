// One-hot, bag of words, word2vec, GloVe and BERT on the same small set, in one table.
//   node examples/learn/five-features.mjs [REVIEWS.jsonl] [--model DIRECTORY]
// Lines are {"text", "label"}. word2vec and GloVe learn from these texts alone, which is far too little for them: that is what the table shows.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadEmbedder } from 'bertha-encoder';
import { CountVectorizer, crossValScore, hstack, LogisticRegression, stratifiedKFold } from 'bertha-encoder/learn';
import { trainGloVe, trainWord2Vec } from 'bertha-encoder/word-vectors';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const file = positionals[0] ?? fileURLToPath(new URL('../training/data/reviews.jsonl', import.meta.url));
const rows = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const texts = rows.map(({ text }) => text);
const labels = rows.map(({ label }) => label);
const words = texts.map((text) => text.toLowerCase().match(/\p{L}+/gu) ?? []);

// One-hot: a column for each word, 1 where it occurs. Bag of words: how often.
const oneHot = await new CountVectorizer({ binary: true }).fitTransform(texts);
const bag = await new CountVectorizer().fitTransform(texts);

// The mean of the vectors of a text's words.
const training = { vectorSize: 50, minCount: 1, epochs: 50, seed: 1, threads: 1 };
const { vectors: word2vec } = await trainWord2Vec(words, { ...training, deterministic: true });
const { vectors: glove } = await trainGloVe(words, training);
const [word2vecMeans, gloveMeans] = [await word2vec.documentVectors(words), await glove.documentVectors(words)];

// BERT's vector of the whole text.
const embedder = await loadEmbedder(values.model);
const bert = await embedder.embed(texts);

const features = {
  'one-hot': oneHot,
  'bag of words': bag,
  word2vec: word2vecMeans,
  GloVe: gloveMeans,
  BERT: bert,
  'BERT + word2vec': hstack([bert, word2vecMeans]),
};
const cv = stratifiedKFold(labels, { nSplits: 6, shuffle: true, randomState: 42 });
console.log('features          columns  accuracy');
for (const [name, x] of Object.entries(features)) {
  const columns = x.columns ?? x.dimensions ?? x[0].vector.length;
  const scores = await crossValScore(() => new LogisticRegression({ C: 10, maxIter: 1000 }), x, labels, { cv });
  const accuracy = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  console.log(`${name.padEnd(16)} ${String(columns).padStart(8)}  ${accuracy.toFixed(3).padStart(8)}`);
}
embedder.dispose();
