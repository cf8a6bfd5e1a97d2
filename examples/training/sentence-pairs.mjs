// Sentence embeddings for search, learned from questions and their answers: each answer is a negative of the other questions.
//   node examples/training/sentence-pairs.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const faq = new URL('data/faq.csv', import.meta.url); // columns question and answer
const { model, metrics } = await train(values.model, faq, {
  task: 'sentence-embedding',
  evalDataset: faq,
  numTrainEpochs: 3,
  learningRate: 5e-5,
});
console.log(`the right answer is nearest to ${(100 * metrics.eval_accuracy).toFixed(0)} % of the questions it learned from`);
model.dispose();
