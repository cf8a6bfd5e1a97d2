// A classifier of your own labels, from 24 reviews:
//   node examples/training/classify.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { classifyText } from 'bertha-encoder';
import { train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const reviews = new URL('data/reviews.jsonl', import.meta.url); // { "text": …, "label": "positive" } a line
const { model, metrics } = await train(values.model, reviews, {
  task: 'text-classification',
  numTrainEpochs: 8,
  learningRate: 2e-4,
});
console.log(`loss ${metrics.train_loss.toFixed(2)} on average`);

for (const text of ['What a lovely, moving film.', 'I fell asleep after ten minutes.']) {
  const { labels } = await classifyText(model, text);
  console.log(`${labels[0].label} ${labels[0].score.toFixed(2)} ${text}`);
}
model.dispose();
