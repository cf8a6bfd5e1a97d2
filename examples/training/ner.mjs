// Entities of your own kinds, from sentences in CoNLL's form:
//   node examples/training/ner.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { recognizeEntities } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const sentences = new URL('data/entities.conll', import.meta.url); // a word and its tag (B-PER, I-PER, O …) a line
const { model } = await train(values.model, sentences, {
  task: 'token-classification',
  numTrainEpochs: 15,
  learningRate: 3e-4,
});
const { metrics } = await evaluateModel(model, 'token-classification', sentences);
console.log(`f1 of entities ${metrics.f1.toFixed(2)} on the sentences it learned from`);

const { entities } = await recognizeEntities(model, 'Clara Jensen works for Redwood Airways in Rome.', { aggregationStrategy: 'first' });
for (const { entityGroup, word, score } of entities) console.log(`${entityGroup} ${word} ${score.toFixed(2)}`);
model.dispose();
