import { evaluateModel, train } from '../../../src/training/index.js';
import { sentencePairs } from '../data/sentence-pairs.js';
import { articlesOf, wikipedia } from '../data/wikipedia.js';
import type { Recipe } from '../recipe.js';

const task = 'next-sentence-prediction';

/** Whether a sentence follows another. */
export const nextSentence: Recipe = {
  tasks: [task],
  folder: 'heads-cc-by-sa-4.0/next-sentence',
  licence: 'CC-BY-SA-4.0',
  sources: [
    { file: 'text/enwiki-shortened.xml.bz2', what: 'articles of the English Wikipedia (2016), by their authors', licence: 'CC BY-SA 3.0' },
  ],
  heldOut: 'all pairs of sentences of every twentieth article',
  lora: { r: 8, loraAlpha: 16, targetModules: 'all-linear', modulesToSave: ['pooler'] },
  learningRate: 6e-4,
  fullLearningRate: 1e-4,
  async train(shared, args) {
    const { train: learned, heldOut } = wikipedia(shared, args.outputDir);
    const { model } = await train(undefined, sentencePairs(articlesOf(learned), 4000, 1), {
      task,
      evalDataset: sentencePairs(articlesOf(heldOut), Infinity, 2),
      numTrainEpochs: 1,
      perDeviceTrainBatchSize: 16,
      perDeviceEvalBatchSize: 64,
      warmupSteps: 0.06,
      weightDecay: 0.01,
      saveDtype: 'fp16',
      saveSteps: 50,
      saveTotalLimit: 1,
      loggingSteps: 10,
      collator: { maxLength: 96 },
      ...args,
    });
    model.dispose();
  },
  async score(shared, model, work) {
    const { metrics } = await evaluateModel(model, task, sentencePairs(articlesOf(wikipedia(shared, work).heldOut), Infinity, 2), {
      batchSize: 64,
    });
    return { accuracy: metrics['accuracy']! };
  },
  floors: { accuracy: 0.78 },
  title: 'Next sentence: whether one sentence follows another',
  goodFor:
    'telling whether two sentences of English prose belong to one text: it has learned from neighbours in encyclopaedia articles and sentences of two articles.',
  notFor:
    'the order of sentences of one text, dialogue, logic. It goes by the subject: two sentences on the same thing look like neighbours.',
  example: 'npx bertha nsp "The river rose all night." "By morning the fields were flooded."',
};
