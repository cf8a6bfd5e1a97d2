import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { train, type SentenceLossName, type TrainModelOptions } from '../../src/training/index.js';

const nouns = ['dog', 'cat', 'river', 'doctor', 'night', 'bridge', 'market', 'winter', 'teacher', 'garden', 'letter', 'window'];
const verbs = ['runs', 'sleeps near', 'sees', 'waits for', 'finds'];
const sentence = (i: number): string => `the ${nouns[i % 12]!} ${verbs[i % 5]!} the ${nouns[(i * 7 + 3) % 12]!}`;
// At ten times the rate AdamW makes 5e-4 of the rounding of float32 (Triplet under Matryoshka, whose gradient is within 2.4e-6 of float64).
const [size, steps, learningRate] = [6, 20, 2e-4];
const all = Array.from({ length: 30 }, (_, i) => i);

interface Case {
  readonly name: string;
  readonly model: 'normalize' | 'dense' | 'pooling-cls-mean';
  readonly options: { readonly loss: SentenceLossName } & Pick<
    TrainModelOptions,
    'scale' | 'margin' | 'matryoshkaDims' | 'matryoshkaWeights' | 'miniBatchSize'
  >;
  readonly texts: 1 | 2 | 3;
  readonly label?: (i: number) => number | readonly number[];
}

const score = (i: number): number => ((i * 5) % 11) / 10;
const vectorOf =
  (width: number) =>
  (i: number): number[] =>
    Array.from({ length: width }, (_, j) => Math.sin(i + 2 * j) / 3);
const cases: readonly Case[] = [
  { name: 'pairs', model: 'normalize', options: { loss: 'MultipleNegativesRanking' }, texts: 2 },
  { name: 'hard negatives', model: 'dense', options: { loss: 'MultipleNegativesRanking', scale: 10 }, texts: 3 },
  { name: 'pairs, GradCache', model: 'normalize', options: { loss: 'MultipleNegativesRanking', miniBatchSize: 5 }, texts: 2 },
  { name: 'SimCSE', model: 'pooling-cls-mean', options: { loss: 'SimCSE' }, texts: 1 },
  { name: 'CosineSimilarity', model: 'normalize', options: { loss: 'CosineSimilarity' }, texts: 2, label: score },
  { name: 'CoSENT', model: 'dense', options: { loss: 'CoSENT' }, texts: 2, label: score },
  { name: 'Triplet', model: 'normalize', options: { loss: 'Triplet', margin: 1 }, texts: 3 },
  { name: 'Triplet without Normalize', model: 'pooling-cls-mean', options: { loss: 'Triplet' }, texts: 3 },
  { name: 'MSE', model: 'normalize', options: { loss: 'MSE' }, texts: 1, label: vectorOf(30) },
  { name: 'MSE across languages', model: 'dense', options: { loss: 'MSE' }, texts: 2, label: vectorOf(19) },
  {
    name: 'pairs, Matryoshka',
    model: 'normalize',
    options: { loss: 'MultipleNegativesRanking', matryoshkaDims: [16, 8], matryoshkaWeights: [1, 0.5] },
    texts: 2,
  },
  { name: 'Triplet, Matryoshka', model: 'dense', options: { loss: 'Triplet', margin: 1, matryoshkaDims: [19, 7] }, texts: 3 },
  {
    name: 'CoSENT, Matryoshka, GradCache',
    model: 'dense',
    options: { loss: 'CoSENT', matryoshkaDims: [8], miniBatchSize: 4 },
    texts: 2,
    label: score,
  },
];

/** Trains with every sentence loss for some updates and lets sentence-transformers do the same: equal losses. Returns how many cases differ. */
export async function compareSentenceLosses(python: string): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'bertha-sentence-'));
  try {
    const done = [];
    for (const { name, model, options, texts, label } of cases) {
      const folder = join(out, model);
      cpSync(fileURLToPath(new URL(`../../test/golden/sentence/${model}`, import.meta.url)), folder, { recursive: true });
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
      const plain = { ...config, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
      writeFileSync(join(folder, 'config.json'), JSON.stringify(plain));
      const rows = all.map((i) => ({
        texts: Array.from({ length: texts }, (_, column) => sentence(i + 11 * column)),
        ...(label && { label: label(i) }),
      }));
      const losses: number[] = [];
      const result = await train(folder, rows, {
        task: 'sentence-embedding',
        ...options,
        batchSampler: 'batch_sampler',
        trainSamplingStrategy: 'sequential',
        perDeviceTrainBatchSize: size,
        maxSteps: steps,
        learningRate,
        weightDecay: 0.01,
        loggingSteps: 1,
        progress: false,
        callbacks: [{ onLog: (_, { loss }) => void (loss !== undefined && losses.push(loss)) }],
      });
      result.model.dispose();
      const { miniBatchSize: _, ...known } = options;
      done.push({ name, model: folder, loss: options.loss, options: known, rows, batchSize: size, learningRate, losses });
    }
    writeFileSync(join(out, 'cases.json'), JSON.stringify(done));
    const script = fileURLToPath(new URL('sentence_losses.py', import.meta.url));
    return spawnSync(python, [script, out], { stdio: 'inherit', env: { ...process.env, HF_HUB_OFFLINE: '1' } }).status ?? 1;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
