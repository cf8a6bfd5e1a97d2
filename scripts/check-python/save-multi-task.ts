import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../src/models/index.js';
import { packBatch } from '../../src/runtime/batch.js';
import { trainMultiTask, type MultiTaskHead } from '../../src/training/index.js';
import { seenBy } from './seen-by.js';

const texts = ['a cat', 'the dog runs', 'one of them', 'it was said'];
const heads = [
  {
    name: 'sentiment',
    task: 'text-classification',
    trainDataset: texts.map((text, i) => ({ text, label: i % 2 === 0 ? 'good' : 'bad' })),
  },
  {
    name: 'entities',
    task: 'token-classification',
    trainDataset: texts.map((text) => ({
      tokens: text.split(' '),
      tags: text.split(' ').map((_, i) => (i === 0 ? 'B-PER' : 'O')),
    })),
  },
  { name: 'words', task: 'fill-mask', trainDataset: texts.map((text) => ({ text })) },
] as const satisfies readonly MultiTaskHead[];

/** Golden models with three heads that have learned together, each head's folder moved into `out` with what it says of some texts beside it. */
export async function saveMultiTaskModels(out: string): Promise<void> {
  for (const base of ['bert-nli', 'distilbert-sequence-classification']) {
    const directory = fileURLToPath(new URL(`../../test/golden/tiny/${base}`, import.meta.url));
    const outputDir = join(out, base);
    const { models } = await trainMultiTask(directory, { heads, outputDir, numTrainEpochs: 1, learningRate: 1e-3, saveStrategy: 'no' });
    for (const model of Object.values(models)) model.dispose();
    for (const { name, task } of heads) {
      const target = join(out, `multi-${base}-${name}`);
      renameSync(join(outputDir, name), target);
      const { architectures } = JSON.parse(readFileSync(join(target, 'config.json'), 'utf8')) as {
        readonly architectures: readonly string[];
      };
      const model = await loadModel(target);
      const seen = await seenBy(model, task, packBatch(model.tokenizer.encodeBatch([...texts])));
      model.dispose();
      writeFileSync(join(target, 'expected.json'), JSON.stringify({ class: architectures[0], ...seen }));
    }
  }
}
