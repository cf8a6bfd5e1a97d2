import { join } from 'node:path';
import { train, trainMultiTask, type MultiTaskHead } from '../../../src/training/index.js';
import { judge, percent, readLabelled, type Gate } from './gate.js';

/** Every so many rows are trained, to keep it short. */
const kEvery = { sst2: 3, trec: 2 };

/** Sentiment of SST-2 and kinds of questions of TREC, each alone and both on one encoder. */
export const multiTaskGate: Gate = {
  files: ['eval/cls/stsa.binary.train', 'eval/cls/stsa.binary.dev', 'eval/cls/TREC.train.all', 'eval/cls/TREC.test.all'],
  async run({ shared, threads }) {
    const read = (file: string, every = 1) => readLabelled(join(shared, 'eval/cls', file)).filter((_, i) => i % every === 0);
    const heads = [
      {
        name: 'sst2',
        task: 'text-classification',
        trainDataset: read('stsa.binary.train', kEvery.sst2),
        evalDataset: read('stsa.binary.dev'),
      },
      { name: 'trec', task: 'text-classification', trainDataset: read('TREC.train.all', kEvery.trec), evalDataset: read('TREC.test.all') },
    ] as const satisfies readonly MultiTaskHead[];
    const args = {
      numTrainEpochs: 2,
      perDeviceTrainBatchSize: 32,
      perDeviceEvalBatchSize: 64,
      learningRate: 1e-4,
      weightDecay: 0.01,
      warmupSteps: 0.1,
      loggingSteps: 50,
      saveStrategy: 'no',
      ...(threads === undefined ? {} : { threads }),
    } as const;
    const alone = new Map<string, number>();
    for (const { name, trainDataset, ...head } of heads) {
      const { model, metrics } = await train(undefined, trainDataset, { ...args, ...head });
      model.dispose();
      alone.set(name, metrics['eval_accuracy']!);
      console.log(`${name} alone: accuracy ${percent(metrics['eval_accuracy']!)}`);
    }
    const { models, metrics } = await trainMultiTask(undefined, { ...args, heads });
    for (const model of Object.values(models)) model.dispose();
    for (const { name } of heads) {
      const together = metrics[`eval_${name}_accuracy`]!;
      console.log(`${name} together: accuracy ${percent(together)}`);
      judge(`${name}, accuracy x 100 by its own run's`, 100 * (together - alone.get(name)!), -1);
    }
  },
};
