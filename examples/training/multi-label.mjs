// Any number of labels for a text, or none:
//   node examples/training/multi-label.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { classifyText } from 'bertha-encoder';
import { train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const topics = new URL('data/topics.jsonl', import.meta.url); // { "text": …, "labels": ["sport", "money"] } a line
const { model } = await train(values.model, topics, {
  task: 'text-classification',
  problemType: 'multi_label_classification',
  numTrainEpochs: 12,
  learningRate: 2e-4,
});

for (const text of ['The striker signs a contract worth millions.', 'The hospital tests a new medicine.', 'Clouds over the lake.']) {
  const { labels } = await classifyText(model, text, { topK: null });
  const found = labels.filter(({ score }) => score > 0.5).map(({ label }) => label);
  console.log(`${found.join(', ') || '–'}: ${text}`);
}
model.dispose();
