// Labels the model was never trained on, judged by a model for inference; all pairs run in one batch.
//   node examples/tasks/zero-shot.mjs --model path/to/nli-model
import { parseArgs } from 'node:util';
import { classifyZeroShot, loadModel } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const { labels, scores } = await classifyZeroShot(model, 'The team won the cup in the last minute.', ['sports', 'politics', 'cooking']);
labels.forEach((label, i) => console.log(scores[i].toFixed(3), label));
model.dispose();
