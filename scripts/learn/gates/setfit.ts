import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../../src/training/datasets/random.js';
import { trainSetFit } from '../../../src/training/index.js';
import { judgeBeside, median, percent, readLabelled, referenceRuns, runReference, type Gate } from './gate.js';

/** Sixteen texts of each label of SST-2, five draws, scored on its dev texts; setfit.py has the same draws. */
export const setfitGate: Gate = {
  files: ['eval/cls/stsa.binary.train', 'eval/cls/stsa.binary.dev', 'models/all-MiniLM-L6-v2/model.safetensors'],
  async run({ shared, threads, python }) {
    const rows = readLabelled(join(shared, 'eval/cls/stsa.binary.train'));
    const evalDataset = readLabelled(join(shared, 'eval/cls/stsa.binary.dev'));
    if (python !== undefined) {
      const data = { draws: draws.map((draw) => drawn(rows, 16, draw)), evalDataset };
      runReference(python, 'setfit.py', data, ['--model', join(shared, 'models/all-MiniLM-L6-v2'), '--threads', String(threads ?? 2)]);
    }
    const scores: number[] = [];
    for (const draw of draws) {
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
      scores.push(metrics['eval_accuracy']!);
      console.log(`SetFit, 16 texts a label of SST-2, draw ${draw}: ${percent(metrics['eval_accuracy']!)}`);
    }
    const theirs = referenceRuns('setfit').map(({ scores: each }) => each['1']!);
    console.log(`the same draws with sentence-transformers and scikit-learn: ${theirs.map(percent).join(', ') || 'not stored'}`);
    judgeBeside('accuracy x 100, median of 5 draws', median(scores), 0.84, theirs.length === 0 ? undefined : median(theirs));
  },
};

const draws = [1, 2, 3, 4, 5];

/** So many rows of each label, drawn by a seed. */
export function drawn<R extends { readonly label: string }>(rows: readonly R[], perLabel: number, seed: number): R[] {
  const random = new Random(seed);
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  return labels.flatMap((label) => {
    const own = rows.filter((row) => row.label === label);
    return Array.from({ length: perLabel }, () => own.splice(random.below(own.length), 1)[0]!);
  });
}
