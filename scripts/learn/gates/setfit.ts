import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../../src/training/datasets/random.js';
import { trainSetFit } from '../../../src/training/index.js';
import { judge, median, percent, readLabelled, type Gate } from './gate.js';

/** Sixteen texts of each label of SST-2, five draws, scored on its dev texts. */
export const setfitGate: Gate = {
  files: ['eval/cls/stsa.binary.train', 'eval/cls/stsa.binary.dev'],
  async run({ shared, threads }) {
    const rows = readLabelled(join(shared, 'eval/cls/stsa.binary.train'));
    const evalDataset = readLabelled(join(shared, 'eval/cls/stsa.binary.dev'));
    const scores: number[] = [];
    for (let draw = 1; draw <= 5; draw++) {
      const outputDir = mkdtempSync(join(tmpdir(), 'bertha-setfit-'));
      const trainDataset = drawn(rows, 16, draw);
      const { classifier, metrics } = await trainSetFit({
        trainDataset,
        evalDataset,
        outputDir,
        seed: draw,
        ...(threads === undefined ? {} : { threads }),
      });
      classifier.dispose();
      rmSync(outputDir, { recursive: true });
      scores.push(100 * metrics['eval_accuracy']!);
      console.log(`SetFit, 16 texts a label of SST-2, draw ${draw}: ${percent(metrics['eval_accuracy']!)}`);
    }
    judge('accuracy x 100, median of 5 draws', median(scores), 84);
  },
};

/** So many rows of each label, drawn by a seed. */
export function drawn<R extends { readonly label: string }>(rows: readonly R[], perLabel: number, seed: number): R[] {
  const random = new Random(seed);
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  return labels.flatMap((label) => {
    const own = rows.filter((row) => row.label === label);
    return Array.from({ length: perLabel }, () => own.splice(random.below(own.length), 1)[0]!);
  });
}
