import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { train } from '../../../src/training/index.js';
import { judge, linesOf, median, percent, readPairs, referenceRuns, runReference, type Gate, type GateOptions } from './gate.js';

const settings = JSON.parse(readFileSync(join(import.meta.dirname, 'simcse.json'), 'utf8')) as Readonly<Record<string, number>>;

/** The BERT that `--task pretrain --keep DIR` has made of raw text, taught by sentences of that text under two masks of dropout; simcse.py does the same. */
export const simcseGate: Gate = {
  files: ['eval/sts/sts-dev.csv'],
  async run(options) {
    const { keep, shared, python, threads, seeds } = options;
    if (keep === undefined || !existsSync(join(keep, 'model'))) {
      console.log('skipped simcse: no model of --task pretrain: give its --keep DIR');
      return;
    }
    const model = withDropout(join(keep, 'model'));
    try {
      const sentences = sentencesOf(join(keep, 'train.txt'));
      if (python !== undefined) {
        const args = [
          '--model',
          model,
          '--pairs',
          join(shared, 'eval/sts/sts-dev.csv'),
          '--threads',
          String(threads ?? 2),
          '--seeds',
          String(seeds),
        ];
        runReference(python, 'simcse.py', sentences, args);
      }
      const gains: number[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const [before, after] = await scoresOf(model, sentences, seed, options);
        gains.push(after - before);
        console.log(`SimCSE, seed ${seed}: STS-B dev, Spearman x 100: ${percent(before)} before, ${percent(after)} after`);
      }
      const theirs = referenceRuns('simcse').map(({ scores }) => scores['1']! - scores['0']!);
      if (theirs.length === 0) return console.log('simcse: no results of sentence-transformers; run with --python');
      console.log(`gains of sentence-transformers: ${theirs.map(percent).join(', ')}`);
      judge('gain of Spearman x 100, median', 100 * median(gains), 100 * median(theirs) - 1);
    } finally {
      rmSync(model, { recursive: true });
    }
  },
};

/** A copy of a model that was trained without dropout, which SimCSE needs. */
function withDropout(directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'bertha-simcse-'));
  cpSync(directory, copy, { recursive: true });
  const config = JSON.parse(readFileSync(join(copy, 'config.json'), 'utf8')) as object;
  const { dropout } = settings;
  writeFileSync(
    join(copy, 'config.json'),
    JSON.stringify({ ...config, hidden_dropout_prob: dropout, attention_probs_dropout_prob: dropout }),
  );
  return copy;
}

/** Different sentences of eight words or more, from all over a text. */
function sentencesOf(path: string): string[] {
  const all = [...new Set(linesOf(path).filter((line) => line.split(' ').length >= 8))];
  const count = Math.min(all.length, settings['sentences']!);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}

/** Spearman of STS-B's dev pairs before and after. */
async function scoresOf(
  directory: string,
  sentences: readonly string[],
  seed: number,
  { shared, threads }: GateOptions,
): Promise<readonly [before: number, after: number]> {
  const scores: number[] = [];
  const { model } = await train(
    directory,
    sentences.map((text) => ({ text })),
    {
      task: 'sentence-embedding',
      loss: 'SimCSE',
      scale: settings['scale']!,
      batchSampler: 'batch_sampler',
      collator: { maxLength: settings['maxLength']! },
      evalDataset: readPairs(join(shared, 'eval/sts/sts-dev.csv')),
      evalOnStart: true,
      evalStrategy: 'epoch',
      saveStrategy: 'no',
      loggingStrategy: 'no',
      numTrainEpochs: settings['epochs']!,
      perDeviceTrainBatchSize: settings['batchSize']!,
      learningRate: settings['learningRate']!,
      weightDecay: settings['weightDecay']!,
      warmupSteps: settings['warmup']!,
      seed,
      ...(threads === undefined ? {} : { threads }),
      callbacks: [{ onEvaluate: (_, { eval_spearman: spearman }) => void (spearman !== undefined && scores.push(spearman)) }],
    },
  );
  model.dispose();
  return [scores[0]!, scores.at(-1)!];
}
