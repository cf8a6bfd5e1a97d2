// Numbers instead of classes: how many stars does a review give?
//   node examples/training/regression.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { classifyText } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const ratings = new URL('data/ratings.csv', import.meta.url); // columns review and score
const { model } = await train(values.model, ratings, {
  task: 'text-classification',
  problemType: 'regression',
  numTrainEpochs: 12,
  perDeviceTrainBatchSize: 4,
  learningRate: 4e-4,
});
const { metrics } = await evaluateModel(model, 'text-classification', ratings);
console.log(`pearson ${metrics.pearson.toFixed(2)}, mean error ${metrics.mae.toFixed(2)} stars on the rows it learned from`);

for (const text of ['Wonderful, I loved every page.', 'Neither good nor bad.', 'Awful, a waste of time.']) {
  const { labels } = await classifyText(model, text);
  console.log(`${labels[0].score.toFixed(1)} ${text}`);
}
model.dispose();
