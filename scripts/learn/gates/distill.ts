import { join } from 'node:path';
import { distill } from '../../../src/training/index.js';
import { judge, percent, readPairs, type Gate } from './gate.js';

/** Three of the bundled model's six layers, taught its vectors of STS-B's training sentences. */
export const distillGate: Gate = {
  files: ['eval/sts/sts-train.csv', 'eval/sts/sts-dev.csv', 'models/all-MiniLM-L6-v2/model.safetensors'],
  async run({ shared, threads }) {
    const { model, report } = await distill({
      teacher: join(shared, 'models/all-MiniLM-L6-v2'),
      student: { layers: [0, 3, 5] },
      task: 'sentence-embedding',
      trainDataset: readPairs(join(shared, 'eval/sts/sts-train.csv')),
      evalDataset: readPairs(join(shared, 'eval/sts/sts-dev.csv')),
      numTrainEpochs: 2,
      perDeviceTrainBatchSize: 32,
      learningRate: 1e-4,
      warmupSteps: 0.1,
      loggingSteps: 50,
      saveStrategy: 'no',
      ...(threads === undefined ? {} : { threads }),
    });
    model.dispose();
    const [teacher, student] = [report.teacher, report.student].map(({ metrics }) => metrics['spearman']!);
    console.log(`STS-B dev, Spearman x 100: teacher ${percent(teacher!)}, student of 3 layers ${percent(student!)}`);
    judge("share of the teacher's Spearman", student! / teacher!, 0.97);
    judge('speed by the teacher', report.speedup, 1.9);
  },
};
