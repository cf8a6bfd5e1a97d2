// Does the second sentence follow the first?
//   node examples/tasks/next-sentence.mjs [--model path/to/bert-base-uncased]
import { parseArgs } from 'node:util';
import { loadModel, predictNextSentence } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
// Without --model: the bundled model with its head for this.
const model = await loadModel(values.model, values.model === undefined ? { task: 'next-sentence-prediction' } : {});
const text = 'The children played in the garden until it started to rain.';
for (const textPair of ['Then they ran into the house.', 'Water boils at 100 degrees.']) {
  const { isNext } = await predictNextSentence(model, { text, textPair });
  console.log(isNext.toFixed(3), textPair);
}
model.dispose();
