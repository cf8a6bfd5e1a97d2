import { join } from 'node:path';
import { evaluateModel, train } from '../../../src/training/index.js';
import type { Recipe } from '../recipe.js';

const task = 'token-classification';

/** People, places, companies, … in texts as people type them. */
export const entities: Recipe = {
  tasks: [task],
  folder: 'heads/entities',
  licence: 'Apache-2.0',
  sources: [
    { file: 'eval/ner/wnut17train.conll', what: 'WNUT 2017, emerging entities, train', licence: 'CC BY 4.0' },
    { file: 'eval/ner/emerging.dev.conll', what: 'WNUT 2017, emerging entities, dev', licence: 'CC BY 4.0' },
  ],
  heldOut: 'the dev set (1,009 posts and comments), by which the learning rate and the number of epochs were chosen',
  lora: { r: 16, loraAlpha: 32, targetModules: 'all-linear' },
  learningRate: 6e-4,
  fullLearningRate: 1e-4,
  async train(shared, args) {
    const { model, metrics } = await train(undefined, join(shared, 'eval/ner/wnut17train.conll'), {
      task,
      evalDataset: join(shared, 'eval/ner/emerging.dev.conll'),
      numTrainEpochs: 6,
      perDeviceTrainBatchSize: 32,
      perDeviceEvalBatchSize: 64,
      warmupSteps: 0.1,
      weightDecay: 0.01,
      saveDtype: 'fp16',
      saveSteps: 50,
      saveTotalLimit: 1,
      evalStrategy: 'epoch',
      loggingSteps: 20,
      ...args,
    });
    model.dispose();
    return metrics;
  },
  async score(shared, model) {
    const { metrics } = await evaluateModel(model, task, join(shared, 'eval/ner/emerging.dev.conll'), { batchSize: 64 });
    return { f1: metrics['f1']!, precision: metrics['precision']!, recall: metrics['recall']! };
  },
  floors: { f1: 0.33 },
  title: 'Named entities: corporation, creative-work, group, location, person, product',
  goodFor: 'English as people type it: posts, comments, messages. People and places are found best.',
  notFor:
    'anything where a missed name matters; creative works and products are mostly missed. Text is lower-cased: a name that is also a word is told by its neighbours alone.',
  example: 'npx bertha ner "Angela Merkel met Tim Cook in Berlin."',
};
