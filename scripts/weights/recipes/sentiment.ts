import { evaluateModel, train } from '../../../src/training/index.js';
import { reviewEnds, sentences } from '../data/sentiment.js';
import type { Recipe } from '../recipe.js';

const task = 'text-classification';

/** Whether a text speaks well of something. */
export const sentiment: Recipe = {
  tasks: [task],
  folder: 'heads/sentiment',
  licence: 'Apache-2.0',
  sources: [
    {
      file: 'eval/cls/sentence_polarity.zip',
      what: 'Pang and Lee (2005), sentence polarity dataset, as in nltk_data',
      licence: 'CC BY 4.0',
    },
    {
      file: 'eval/cls/movie_reviews.zip',
      what: 'Pang and Lee (2004), movie reviews, the last 90 words of each, as in nltk_data',
      licence: 'CC BY 4.0',
    },
  ],
  heldOut: 'every tenth sentence and every tenth review of each label',
  lora: { r: 8, loraAlpha: 16, targetModules: 'all-linear' },
  learningRate: 5e-4,
  fullLearningRate: 1e-4,
  async train(shared, args) {
    const [first, second] = [sentences(shared), reviewEnds(shared)];
    const { model, metrics } = await train(undefined, [...first.train, ...second.train], {
      task,
      evalDataset: first.heldOut,
      numTrainEpochs: 2,
      perDeviceTrainBatchSize: 32,
      perDeviceEvalBatchSize: 64,
      warmupSteps: 0.06,
      weightDecay: 0.01,
      saveDtype: 'fp16',
      saveSteps: 100,
      saveTotalLimit: 1,
      evalStrategy: 'epoch',
      loggingSteps: 20,
      collator: { maxLength: 128 },
      ...args,
    });
    model.dispose();
    return metrics;
  },
  async score(shared, model) {
    const { metrics } = await evaluateModel(model, task, sentences(shared).heldOut, { batchSize: 64 });
    const { metrics: ofReviews } = await evaluateModel(model, task, reviewEnds(shared).heldOut, { batchSize: 32 });
    return { accuracy: metrics['accuracy']!, 'accuracy of reviews': ofReviews['accuracy']! };
  },
  floors: { accuracy: 0.78 },
  title: 'Sentiment: positive or negative',
  goodFor: 'sentences and short paragraphs of English that praise or blame something: reviews, comments, feedback.',
  notFor:
    'neutral texts (there are two labels, and one of them always wins), irony, other languages, news. It has learned from sentences on films: on other subjects it is less sure.',
  example: 'npx bertha classify "A moving, funny film."',
};
