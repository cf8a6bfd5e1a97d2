import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { evaluateSimilarity, evaluateTriplets } from '../../src/evaluators/index.js';
import { loadEmbedder } from '../../src/embedding/embed.js';
import { train, type TrainModelOptions } from '../../src/training/index.js';
import { rejectionCode } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

const test = suite('sentence training');
const scratch = mkdtempSync(join(tmpdir(), 'bertha-test-'));
test.after(() => rmSync(scratch, { recursive: true, force: true }));
const base = fileURLToPath(new URL('../golden/sentence/normalize', import.meta.url));

const words = ['dog', 'cat', 'river', 'doctor', 'night', 'bridge', 'market', 'winter'];
const pairs = words.map((word) => ({ anchor: `the ${word}`, positive: `a story about the ${word}` }));
const triplets = pairs.map((pair, i) => ({ ...pair, negative: pairs[(i + 3) % pairs.length]!.positive }));
const scored = pairs.flatMap(({ anchor, positive }, i) => [
  { sentence1: anchor, sentence2: positive, score: 1 },
  { sentence1: anchor, sentence2: pairs[(i + 3) % pairs.length]!.positive, score: 0.1 },
]);
const args = {
  numTrainEpochs: 3,
  perDeviceTrainBatchSize: 4,
  learningRate: 3e-3,
  progress: false,
  saveStrategy: 'no',
  loggingSteps: 1,
} as const;
const learn = (rows: Parameters<typeof train>[1], options: Partial<TrainModelOptions>) =>
  train(base, rows, { task: 'sentence-embedding', ...args, ...options });

for (const [name, rows, options] of [
  ['pairs', pairs, {}],
  ['triplets as hard negatives', triplets, { scale: 10 }],
  ['triplets', triplets, { loss: 'Triplet', margin: 1 }],
  ['scores', scored, {}],
  ['scores as cosines', scored, { loss: 'CosineSimilarity' }],
  ['single texts', pairs.map(({ anchor }) => anchor).map((text) => ({ text })), {}],
  ['pairs, Matryoshka', pairs, { matryoshkaDims: [8, 16], matryoshkaWeights: [1, 0.5] }],
] as const satisfies readonly (readonly [string, readonly object[], Partial<TrainModelOptions>])[]) {
  test(`learns from ${name}`, async () => {
    const losses: number[] = [];
    const { model } = await learn(rows, {
      ...options,
      numTrainEpochs: 15,
      learningRate: 2e-3,
      perDeviceTrainBatchSize: 8,
      callbacks: [{ onLog: (_, { loss }) => void (loss !== undefined && losses.push(loss)) }],
    });
    model.dispose();
    assert.ok(losses.every(Number.isFinite), String(losses));
    const third = losses.length / 3;
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(mean(losses.slice(-third)) < mean(losses.slice(0, third)), String(losses));
  });
}

test('evaluates scored pairs and triplets as the evaluators do, and saves what the embedder loads', async () => {
  const outputDir = join(scratch, 'out');
  const result = await learn(pairs, {
    evalDataset: scored,
    outputDir,
    saveStrategy: 'best',
    evalStrategy: 'epoch',
    metricForBestModel: 'spearman',
    loadBestModelAtEnd: true,
  });
  result.model.dispose();
  const embedder = await loadEmbedder(outputDir);
  const [sentences1, sentences2] = [scored.map((row) => row.sentence1), scored.map((row) => row.sentence2)];
  const { spearman, pearson } = await evaluateSimilarity(embedder, { sentences1, sentences2, scores: scored.map(({ score }) => score) });
  assert.ok(Math.abs(result.metrics['eval_spearman']! - spearman) < 1e-9);
  assert.ok(Math.abs(result.metrics['eval_pearson']! - pearson) < 1e-6);
  assert.is(result.metrics['eval_loss'], undefined, 'the loss of pairs is not that of scores');
  const again = await train(outputDir, triplets, { task: 'sentence-embedding', ...args, numTrainEpochs: 1, evalDataset: triplets });
  const live = await loadEmbedder(outputDir);
  live.dispose();
  embedder.dispose();
  again.model.dispose();
  assert.ok(again.metrics['eval_accuracy']! >= 0 && again.metrics['eval_accuracy']! <= 1);
  assert.ok(Number.isFinite(again.metrics['eval_loss']));
});

test('an evaluator is called with the live model and its scores choose the best', async () => {
  const seen: number[] = [];
  const { metrics, model } = await learn(triplets, {
    evalStrategy: 'epoch',
    evaluator: async (embedder) => {
      const found = await evaluateTriplets(embedder, {
        anchors: triplets.map(({ anchor }) => anchor),
        positives: triplets.map(({ positive }) => positive),
        negatives: triplets.map(({ negative }) => negative),
      });
      seen.push(found.accuracy);
      return { triplets: found, calls: seen.length };
    },
  });
  model.dispose();
  assert.is(metrics['eval_calls'], 4);
  assert.is(metrics['eval_triplets@accuracy'], seen.at(-1));
});

test('texts learn the vectors of a teacher, translations those of their sources', async () => {
  const teacher = await loadEmbedder(base);
  const rows = words.map((word) => ({ english: `the ${word}`, german: `${word} das` }));
  const { metrics, model } = await learn(rows, { teacher, evalDataset: rows, numTrainEpochs: 30, learningRate: 5e-3 });
  model.dispose();
  teacher.dispose();
  const first = await learn(rows, { loss: 'MSE', teacher: { embed: async (texts) => texts.map(() => [1, 0, 0]) }, evalDataset: rows });
  first.model.dispose();
  assert.ok(metrics['eval_mse']! < 2e-3, String(metrics['eval_mse']));
  assert.ok(Math.abs(metrics['eval_mse']! - metrics['eval_loss']!) < 1e-6);
  const own = await learn(
    rows.map(({ english }) => ({ text: english, label: [1, 0] })),
    {},
  );
  own.model.dispose();
});

test('reads files and mapped columns', async () => {
  const file = join(scratch, 'pairs.csv');
  writeFileSync(file, `frage,antwort\n${pairs.map(({ anchor, positive }) => `${anchor},${positive}`).join('\n')}\n`);
  const { model } = await learn(file, { columns: { anchor: 'frage', positive: 'antwort' }, numTrainEpochs: 1 });
  model.dispose();
  const plain = await learn(file, { numTrainEpochs: 1 });
  plain.model.dispose();
});

test('no text is twice in a batch, also where rows come as a stream', async () => {
  const rows = Array.from({ length: 24 }, (_, i) => ({ anchor: `the ${words[i % 3]!}`, positive: `number ${i}` }));
  const stream = {
    async *[Symbol.asyncIterator]() {
      yield* rows;
    },
    length: rows.length,
  };
  for (const dataset of [rows, stream]) {
    const losses: number[] = [];
    const { model } = await learn(dataset, {
      numTrainEpochs: 1,
      perDeviceTrainBatchSize: 4,
      callbacks: [{ onLog: (_, { loss }) => void (loss !== undefined && losses.push(loss)) }],
    });
    model.dispose();
    assert.is(losses.length, 6);
  }
});

test('goes on after an interruption to the same bits', async () => {
  const whole = join(scratch, 'whole');
  const parts = join(scratch, 'parts');
  const rows = Array.from({ length: 20 }, (_, i) => ({ anchor: `the ${words[i % 5]!}`, positive: `number ${i}` }));
  const settings = { saveStrategy: 'steps', saveSteps: 2, numTrainEpochs: 2, loggingSteps: 1 } as const;
  const done = await learn(rows, { ...settings, outputDir: whole });
  done.model.dispose();
  const stopped = await learn(rows, {
    ...settings,
    outputDir: parts,
    callbacks: [
      {
        onStepEnd: ({ state, control }) =>
          void (state.globalStep === 3 && ((control.shouldSave = true), (control.shouldTrainingStop = true))),
      },
    ],
  });
  stopped.model.dispose();
  const resumed = await learn(rows, { ...settings, outputDir: parts, resumeFromCheckpoint: join(parts, 'checkpoint-2') });
  resumed.model.dispose();
  assert.ok(readFileSync(join(whole, 'model.safetensors')).equals(readFileSync(join(parts, 'model.safetensors'))));
});

for (const [what, code, rows, options] of [
  ['a batch of one pair', 'INVALID_OPTION', pairs, { perDeviceTrainBatchSize: 1 }],
  ['scores above 1 as cosines', 'DATASET', scored.map((row) => ({ ...row, score: 5 })), { loss: 'CosineSimilarity' }],
  ['a score that is none', 'DATASET', [...scored, { sentence1: 'a', sentence2: 'b', score: 'much' }], {}],
  ['two texts for Triplet', 'DATASET', pairs, { loss: 'Triplet' }],
  ['no score for CoSENT', 'DATASET', pairs, { loss: 'CoSENT' }],
  ['a row with a text less', 'DATASET', [...pairs, { anchor: 'alone' }], {}],
  ['no text at all', 'DATASET', [{ id: 1 }], {}],
  ['a teacher of more dimensions than the student', 'INVALID_OPTION', [{ text: 'a', label: new Array<number>(500).fill(0) }], {}],
  [
    'vectors of several lengths',
    'DATASET',
    [
      { text: 'a', label: [1, 2] },
      { text: 'b', label: [1] },
    ],
    {},
  ],
  ['an option of another loss', 'INVALID_OPTION', pairs, { margin: 1 }],
  ['more Matryoshka dimensions than there are', 'INVALID_OPTION', pairs, { matryoshkaDims: [4096] }],
  ['weights without dimensions', 'INVALID_OPTION', pairs, { matryoshkaWeights: [1] }],
  ['an option of heads', 'INVALID_OPTION', pairs, { classWeights: [1] }],
  ['no rows', 'EMPTY_INPUT', [], {}],
] as const satisfies readonly (readonly [string, string, readonly object[], Partial<TrainModelOptions>])[]) {
  test(`refuses ${what}`, async () => assert.is(await rejectionCode(learn(rows as never, options)), code));
}

test('equal texts, rows that repeat and negatives that are positives end no run', async () => {
  const rows = [
    { anchor: 'the dog', positive: 'the dog', negative: 'a cat' },
    { anchor: 'the dog', positive: 'the dog', negative: 'a cat' },
    { anchor: 'the river', positive: 'water', negative: 'water' },
    { anchor: 'night', positive: 'dark', negative: 'a cat' },
  ];
  const { model, metrics } = await learn(rows, { numTrainEpochs: 1 });
  model.dispose();
  assert.ok(Number.isFinite(metrics['train_loss']));
});

test.run();
