import { evaluateModel, train } from '../../../src/training/index.js';
import { Random } from '../../../src/training/datasets/random.js';
import type { QuestionRow } from '../../../src/training/datasets/read-squad.js';
import { practiceQuestions, shortened } from '../data/practice-questions.js';
import { questions as readQuestions } from '../data/questions.js';
import { shuffled } from '../data/split.js';
import { articles, wikipediaSources, type Article } from '../data/wikipedia.js';
import type { Recipe } from '../recipe.js';

const task = 'question-answering';

/** Where a text answers a question. */
export const questions: Recipe = {
  tasks: [task],
  folder: 'heads-cc-by-sa-4.0/questions',
  licence: 'CC-BY-SA-4.0',
  sources: [
    {
      file: 'eval/qa/xquad.en.json',
      what: 'XQuAD, English (Artetxe, Ruder, Yogatama 2020): questions of SQuAD 1.1',
      licence: 'CC BY-SA 4.0',
    },
    ...wikipediaSources,
  ],
  heldOut: 'all questions on every tenth article (111 on five); nothing was chosen by them',
  lora: { r: 16, loraAlpha: 32, targetModules: 'all-linear' },
  learningRate: 6e-4,
  fullLearningRate: 1e-4,
  async train(shared, args) {
    const { train: rows, choosing } = await readQuestions(shared);
    const { model, metrics } = await train(undefined, lessons(rows, articles(shared, args.outputDir).train), {
      task,
      evalDataset: choosing,
      numTrainEpochs: 1,
      trainSamplingStrategy: 'sequential',
      perDeviceTrainBatchSize: 16,
      perDeviceEvalBatchSize: 32,
      warmupSteps: 0.1,
      weightDecay: 0.01,
      saveDtype: 'fp16',
      saveSteps: 30,
      saveTotalLimit: 1,
      loggingSteps: 10,
      collator: { docStride: 64 },
      ...args,
    });
    model.dispose();
    return metrics;
  },
  async score(shared, model) {
    const { heldOut } = await readQuestions(shared);
    const { metrics } = await evaluateModel(model, task, heldOut, { batchSize: 32 });
    return { f1: metrics['f1']!, 'exact match': metrics['exact_match']! };
  },
  floors: { f1: 0.4 },
  title: 'Questions: the words of a text that answer one',
  goodFor: 'short questions of fact on a paragraph of English prose that holds the answer.',
  notFor:
    'texts that may not hold the answer (it always gives one), arithmetic, several steps of thought. It has seen a thousand questions where others have seen a hundred thousand.',
  example: 'npx bertha qa "Who met Bob?" "Alice met Bob in Paris."',
};

/** Made questions first, then those of people: on a few sentences twice, on whole paragraphs once, while the rate goes to 0. */
function lessons(rows: readonly QuestionRow[], texts: readonly Article[]): QuestionRow[] {
  const random = new Random(1);
  const short = [0, 1].flatMap(() =>
    shuffled(
      rows.map((row) => shortened(row, random)),
      random,
    ),
  );
  return [...practiceQuestions(texts, 2000, 1), ...short, ...shuffled(rows, random)];
}
