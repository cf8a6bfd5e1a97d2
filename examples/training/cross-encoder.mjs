// Scores of pairs, for reranking: how well does a document answer a query?
//   node examples/training/cross-encoder.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { rerank } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const pairs = new URL('data/pairs.csv', import.meta.url); // columns query, document and score
const columns = { text: 'query', textPair: 'document' };
const { model } = await train(values.model, pairs, {
  task: 'cross-encoder',
  columns,
  numTrainEpochs: 10,
  learningRate: 2e-4,
});
const { metrics } = await evaluateModel(model, 'cross-encoder', pairs, { collator: { columns } });
console.log(`pearson ${metrics.pearson.toFixed(2)}, spearman ${metrics.spearman.toFixed(2)} on the pairs it learned from`);

const documents = ['Refunds take five days.', 'Batteries last for eight hours.', 'The blue one is sold out.'];
for (const { score, text } of await rerank(model, 'how long does the battery last', documents, { returnDocuments: true }))
  console.log(score.toFixed(2), text);
model.dispose();
