// Two heads on one encoder, which is in memory once: what a review thinks, and who and where is in a sentence.
//   node examples/training/multi-task.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { classifyText, recognizeEntities } from 'bertha-encoder';
import { trainMultiTask } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const { models, metrics } = await trainMultiTask(values.model, {
  heads: [
    {
      name: 'sentiment',
      task: 'text-classification',
      trainDataset: new URL('data/reviews.jsonl', import.meta.url),
      evalDataset: new URL('data/reviews.jsonl', import.meta.url),
    },
    {
      name: 'entities',
      task: 'token-classification',
      trainDataset: new URL('data/entities.conll', import.meta.url),
      evalDataset: new URL('data/entities.conll', import.meta.url),
    },
  ],
  sampling: 'temperature', // the smaller set comes up more often than by its size
  numTrainEpochs: 12,
  learningRate: 3e-4,
});
const [accuracy, f1] = [metrics.eval_sentiment_accuracy, metrics.eval_entities_f1];
console.log(`accuracy ${accuracy.toFixed(2)} and f1 of entities ${f1.toFixed(2)} on the rows it learned from`);

const text = 'Clara Jensen laughed through a lovely film in Rome.';
const { labels } = await classifyText(models.sentiment, text);
console.log(labels[0].label);
const { entities } = await recognizeEntities(models.entities, text, { aggregationStrategy: 'first' });
for (const { entityGroup, word } of entities) console.log(`${entityGroup} ${word}`);
for (const model of Object.values(models)) model.dispose();
