// A cross-encoder sorts documents by how well they answer a query.
//   node examples/tasks/rerank.mjs --model path/to/ms-marco-MiniLM-L-6-v2
import { parseArgs } from 'node:util';
import { loadModel, rerank } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const documents = ['Paris is the capital of France.', 'Water boils at 100 degrees.', 'Berlin is the capital of Germany.'];
for (const { score, text } of await rerank(model, 'What is the capital of Germany?', documents, { returnDocuments: true }))
  console.log(score.toFixed(4), text);
model.dispose();
