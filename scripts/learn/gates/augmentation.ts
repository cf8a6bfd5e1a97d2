import { join } from 'node:path';
import { augmentTexts, train } from '../../../src/training/index.js';
import { judge, median, percent, readLabelled, type Gate } from './gate.js';
import { drawn } from './setfit.js';

/**
 * Sixteen texts of each label of SST-2, five draws: as they are, and with a copy of each in which one word in ten is another, as `augmentTexts` makes
 * them without options: the share is Wei and Zou's (2019), one copy keeps half of the weight with the texts as they are. Both have as many updates. The
 * masked-word model is the bundled one, which has learned from the sentences of SST-2's training set without their labels.
 */
export const augmentationGate: Gate = {
  files: ['eval/cls/stsa.binary.train', 'eval/cls/stsa.binary.dev'],
  async run({ shared, threads }) {
    const rows = readLabelled(join(shared, 'eval/cls/stsa.binary.train'));
    const evalDataset = readLabelled(join(shared, 'eval/cls/stsa.binary.dev'));
    const args = {
      perDeviceEvalBatchSize: 64,
      warmupSteps: 0.1,
      loggingSteps: 10,
      saveStrategy: 'no',
      ...(threads === undefined ? {} : { threads }),
    } as const;
    const sentences = rows.map(({ text }) => ({ text }));
    const masked = { task: 'fill-mask', maxSteps: 200, perDeviceTrainBatchSize: 32, learningRate: 3e-4 } as const;
    const { model: words } = await train(undefined, sentences, { ...args, ...masked });
    const scores: { readonly plain: number; readonly augmented: number }[] = [];
    for (const draw of [1, 2, 3, 4, 5]) {
      const few = drawn(rows, 16, draw);
      const accuracy = async (trainDataset: typeof few): Promise<number> => {
        const classify = {
          task: 'text-classification',
          evalDataset,
          maxSteps: 40,
          perDeviceTrainBatchSize: 16,
          learningRate: 1e-4,
        } as const;
        const { model, metrics } = await train(undefined, trainDataset, { ...args, ...classify, seed: draw });
        model.dispose();
        return metrics['eval_accuracy']!;
      };
      const [plain, augmented] = [await accuracy(few), await accuracy(await augmentTexts(words, few, { seed: draw }))];
      scores.push({ plain, augmented });
      console.log(`16 texts a label of SST-2, draw ${draw}: ${percent(plain)} as they are, ${percent(augmented)} augmented`);
    }
    words.dispose();
    const wanted = 100 * median(scores.map(({ plain }) => plain));
    judge('accuracy x 100 with augmentation, median of 5 draws', 100 * median(scores.map(({ augmented }) => augmented)), wanted);
  },
};
