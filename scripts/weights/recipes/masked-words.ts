import { openPretraining } from '../../../src/pretraining/open-pretraining.js';
import { readPretrainOptions } from '../../../src/pretraining/pretrain-options.js';
import { defaultModelDirectory } from '../../../src/runtime/default-model.js';
import { logShares, topFive } from '../data/masked-words.js';
import { articles, wikipediaSources, type Article } from '../data/wikipedia.js';
import type { Recipe } from '../recipe.js';

const kScore = 'top-5';

/** Words for a gap, which all-MiniLM has never been asked for. */
export const maskedWords: Recipe = {
  tasks: ['fill-mask'],
  folder: 'heads-cc-by-sa-4.0/masked-words',
  licence: 'CC-BY-SA-4.0',
  sources: wikipediaSources,
  heldOut:
    'every twentieth article: a thousand of their sentences, with one word of each masked; rank 24 was taken after rank 16 had reached 42.8 of them',
  lora: { r: 24, loraAlpha: 48, targetModules: 'all-linear' },
  learningRate: 1e-3,
  fullLearningRate: 3e-4,
  async train(shared, args) {
    const { train, choosing } = articles(shared, args.outputDir);
    const { own, args: all } = readPretrainOptions({
      model: defaultModelDirectory(),
      corpus: lines(train),
      evalCorpus: lines(choosing),
      corpusFormat: 'sentences',
      objective: 'mlm',
      mlmProbability: 0.2,
      maxLength: 128,
      maxSteps: 1000,
      perDeviceTrainBatchSize: 16,
      perDeviceEvalBatchSize: 16,
      warmupSteps: 0.06,
      weightDecay: 0.01,
      saveDtype: 'fp16',
      saveSteps: 50,
      saveTotalLimit: 1,
      loggingSteps: 10,
      ...args,
    });
    const opened = await openPretraining(defaultModelDirectory(), own, all);
    try {
      const { learning, trainer, heldOut } = opened;
      // How often words occur need not be learned from zeros.
      const bias = learning.tensors.find(({ name }) => /cls\.predictions\.(decoder\.)?bias$/.test(name))!;
      await bias.write('value', logShares(learning.model, train));
      await trainer.train({ resumeFromCheckpoint: args.resumeFromCheckpoint });
      const metrics = await trainer.evaluate(heldOut);
      await trainer.saveModel(args.outputDir);
      return { ...metrics, [kScore]: await topFive(learning.model, choosing) };
    } finally {
      await opened.close();
    }
  },
  async score(shared, model, work) {
    return { [kScore]: await topFive(model, articles(shared, work).heldOut) };
  },
  floors: { [kScore]: 0.4 },
  title: 'Masked words: what fits a gap',
  goodFor: 'showing what the task is, in plain English prose: little words, and common words that their neighbours ask for.',
  notFor:
    'knowledge of any kind: it has read four megabytes of text where BERT has read sixteen thousand. For more, name a whole model such as google-bert/bert-base-uncased.',
  example: 'npx bertha fill-mask "The river flows into the [MASK]."',
};

/** Sentences, with a blank line behind each article. */
function lines(texts: readonly Article[]): Iterable<string> {
  return texts.flatMap((article) => [...article, '']).values();
}
