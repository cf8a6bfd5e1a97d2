// More rows from few: a masked-word model learns the sentences without their labels, then replaces words in copies of the rows.
//   node examples/training/augment.mjs [--model path/to/bert]
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { classifyText } from 'bertha-encoder';
import { augmentTexts, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const file = readFileSync(new URL('data/reviews.jsonl', import.meta.url), 'utf8'); // { "text": …, "label": "positive" } a line
const reviews = file
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

const sentences = reviews.map(({ text }) => ({ text }));
const { model: words } = await train(values.model, sentences, { task: 'fill-mask', numTrainEpochs: 10, learningRate: 3e-4 });
const rows = await augmentTexts(words, reviews); // the reviews, and a copy of each in which one word in ten is another
words.dispose();
for (const i of [0, 1, 2]) console.log(`${reviews[i].text} -> ${rows[reviews.length + i].text}`);

const { model } = await train(values.model, rows, { task: 'text-classification', numTrainEpochs: 4, learningRate: 2e-4 });
for (const text of ['What a lovely, moving film.', 'I fell asleep after ten minutes.']) {
  const { labels } = await classifyText(model, text);
  console.log(`${labels[0].label} ${labels[0].score.toFixed(2)} ${text}`);
}
model.dispose();
