// Several heads on one encoder: what one learns is what it would learn alone, what they share is there once, and every head is a model of its own.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { readHeads } from '../../src/cli/commands/training/multi.js';
import { stats } from '../../src/index.js';
import { loadModel } from '../../src/models/model.js';
import { classifyText, recognizeEntities } from '../../src/tasks/index.js';
import type { HeadBatch } from '../../src/training/multi-task/heads-collator.js';
import { planHeads, shares } from '../../src/training/multi-task/plan-heads.js';
import { SeveralHeads } from '../../src/training/multi-task/several-heads.js';
import { LearningModel, type LearningOptions } from '../../src/training/program/learning-model.js';
import type { MicroBatch } from '../../src/training/collators/collator.js';
import { train, trainingArguments, trainMultiTask, type MultiTaskHead, type MultiTaskOptions, type Row } from '../../src/training/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { learnedState, learningBatch, learningUpdate } from '../support/learning-batch.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('multi-task');
const root = mkdtempSync(join(tmpdir(), 'bertha-multi-task-'));
t.after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(folders++));

const base = golden('tiny', 'bert-nli');
const sentiment: LearningOptions = { task: 'text-classification', labels: ['bad', 'good'], seed: 7, threads: 1 };
const entities: LearningOptions = { task: 'token-classification', labels: ['O', 'B-PER', 'I-PER'], seed: 7, threads: 1 };
const words: LearningOptions = { task: 'fill-mask', seed: 7, threads: 1 };

/** A micro-batch of one head, with random labels. */
function batchOf(model: LearningModel, head: number, seed: number): HeadBatch {
  const batch = learningBatch(model.training.program, [5, 9, 3, 12], seed) as MicroBatch;
  const items = { sequences: 4, tokens: 29, target: 0, selected: 8, groups: 4, answers: 4 }[model.training.losses[0]!.counts];
  return { head, batch, numItems: [items], rows: 4, tokens: 29, read: () => ({ predictions: [], labels: [] }) };
}
const settings = (step: number, microStep: number) => ({ ...learningUpdate(step, { weightDecay: 0.1 }), numItems: [], microStep });

t('a head that alone has its turn learns the bits of its own run, with dropout, accumulation and weight decay', async () => {
  for (const [i, options] of [sentiment, entities, words].entries()) {
    const together = await SeveralHeads.load(base, [
      ['a', sentiment],
      ['b', entities],
      ['c', words],
    ]);
    const alone = await LearningModel.load(base, options);
    for (let step = 1; step <= 3; step++) {
      const batches = [batchOf(alone, i, 2 * step), batchOf(alone, i, 2 * step + 1)];
      const numItems = [2 * batches[0]!.numItems[0]!];
      const { loss, gradNorm } = await alone.step(batches, { ...settings(step, 2 * step), numItems });
      assert.equal(await together.step(batches, settings(step, 2 * step)), { loss, gradNorm });
    }
    assert.ok((await learnedState(together.heads[i]!)).equals(await learnedState(alone)), options.task);
    alone.dispose();
    together.dispose();
  }
});

t('heads that take turns are their own runs, one after the other, over one encoder', async () => {
  const together = await SeveralHeads.load(base, [
    ['a', sentiment],
    ['b', entities],
  ]);
  const [first, second] = [await LearningModel.load(base, sentiment), await LearningModel.load(base, entities)];
  const [a, b] = [batchOf(first, 0, 1), batchOf(second, 1, 2)];
  const untouched = await headState(together.heads[1]!);
  await together.step([a], settings(1, 0));
  await first.step([a], { ...settings(1, 0), numItems: a.numItems });
  assert.ok((await learnedState(together.heads[0]!)).equals(await learnedState(first)));
  assert.ok((await headState(together.heads[1]!)).equals(untouched), 'a head without a turn stays: no decay, no moments');
  // The second head's own run, over what the first has made of the encoder.
  for (const tensor of second.tensors) {
    const known = first.tensors.find(({ name }) => name === tensor.name && name.startsWith('bert.'));
    for (const kind of known === undefined ? [] : (['value', 'expAvg', 'expAvgSq'] as const))
      await tensor.write(kind, await known!.read(kind));
  }
  await together.step([b], settings(2, 1));
  const steps = second.training.weights.map(({ parts }) => (parts[0]!.name.startsWith('bert.') ? 2 : 1));
  await second.session.step([b.batch], { ...settings(2, 1), numItems: b.numItems, steps });
  assert.ok((await learnedState(together.heads[1]!)).equals(await learnedState(second)));
  for (const each of [together, first, second]) each.dispose();
});

t('gradients of a mixed update are the sum of those of its heads, and its loss their mean', async () => {
  const together = await SeveralHeads.load(base, [
    ['a', sentiment],
    ['b', entities],
  ]);
  const alone = [await LearningModel.load(base, sentiment), await LearningModel.load(base, entities)];
  const batches = alone.map((model, i) => batchOf(model, i, i + 1));
  const losses: number[] = [];
  for (const [i, { batch, numItems }] of batches.entries()) {
    const half = { numItems: [2 * numItems[0]!], microStep: i };
    losses.push((await alone[i]!.session.accumulate([batch], half)).loss);
    await together.heads[0]!.session.accumulate([batch], { ...half, program: i });
  }
  for (const [i, { training, session }] of together.heads.entries()) {
    for (const { id, rows, cols, parts, trainable } of training.weights.filter((weight) => weight.trainable)) {
      const found = await session.read(id, 'gradient', 0, rows);
      const sum = new Float64Array(rows * cols);
      for (const [j, other] of alone.entries()) {
        const same = other.training.weights.find((weight) => weight.parts[0]!.name === parts[0]!.name);
        if (same === undefined || (j !== i && !parts[0]!.name.startsWith('bert.'))) continue;
        (await other.session.read(same.id, 'gradient', 0, rows)).forEach((value, k) => (sum[k]! += value));
      }
      const largest = sum.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const worst = found.reduce((most, value, k) => Math.max(most, Math.abs(value - sum[k]!)), 0);
      assert.ok(trainable && worst <= 2e-6 * largest, `${parts[0]!.name}: ${worst} of ${largest}`);
    }
  }
  together.heads[0]!.session.zeroGradients();
  const { loss } = await together.step(batches, settings(1, 0));
  assert.ok(Math.abs(loss - losses[0]! - losses[1]!) < 1e-6 * loss);
  for (const each of [together, ...alone]) each.dispose();
});

t('the encoder is in memory once', async () => {
  const [alone, together] = [
    await LearningModel.load(base, sentiment),
    await SeveralHeads.load(base, [
      ['a', sentiment],
      ['b', entities],
      ['c', sentiment],
    ]),
  ];
  const [one, three] = [alone.memoryUsage().weightBytes, together.memoryUsage().weightBytes];
  // Heads of 2 and 3 labels: panels of 64 rows at most, five times.
  const { hiddenSize } = alone.training.config;
  assert.ok(three > one && three - one <= 2 * 5 * 4 * (64 * hiddenSize + 1024), `${one} and ${three} bytes`);
  alone.dispose();
  together.dispose();
});

const reviews: Row[] = Array.from({ length: 10 }, (_, i) => ({ text: `a text of number ${i}`, label: i % 3 === 0 ? 'good' : 'bad' }));
const people: Row[] = Array.from({ length: 6 }, (_, i) => ({
  tokens: ['Ann', 'saw', `${i}`],
  tags: ['B-PER', 'O', i % 2 === 0 ? 'O' : 'B-LOC'],
}));
const heads = (): MultiTaskHead[] => [
  { name: 'sentiment', task: 'text-classification', trainDataset: reviews, evalDataset: reviews.slice(0, 4) },
  { name: 'entities', task: 'token-classification', trainDataset: people, evalDataset: people.slice(0, 3) },
];
const options = (more: Partial<MultiTaskOptions> = {}): MultiTaskOptions => ({
  heads: heads(),
  perDeviceTrainBatchSize: 4,
  numTrainEpochs: 2,
  progress: false,
  threads: 1,
  ...more,
});
const disposeAll = ({ models }: Awaited<ReturnType<typeof trainMultiTask>>) => Object.values(models).forEach((model) => model.dispose());

t('a run of one head saves the bytes that train saves', async () => {
  for (const head of heads()) {
    const [together, alone] = [newFolder(), newFolder()];
    disposeAll(await trainMultiTask(base, options({ heads: [head], outputDir: together, saveStrategy: 'no' })));
    const { name, trainDataset, ...own } = head;
    const { heads: _, ...args } = options({ outputDir: alone, saveStrategy: 'no' });
    (await train(base, trainDataset, { ...own, ...args })).model.dispose();
    for (const file of ['model.safetensors', 'config.json']) {
      assert.ok(readFileSync(join(together, name, file)).equals(readFileSync(join(alone, file))), `${name}/${file}`);
    }
  }
});

t('every head is evaluated, saved and loaded as a model of its own; a run goes on from a checkpoint to the same bytes', async () => {
  const outputDir = newFolder();
  const args = options({ sampling: 'uniform', gradientAccumulationSteps: 2, evalStrategy: 'epoch', saveStrategy: 'steps', saveSteps: 1 });
  const result = await trainMultiTask(base, { ...args, outputDir });
  for (const name of ['eval_sentiment_accuracy', 'eval_entities_f1', 'eval_sentiment_loss', 'eval_entities_loss']) {
    assert.ok(Number.isFinite(result.metrics[name]), name);
  }
  const mean = (result.metrics['eval_sentiment_loss']! + result.metrics['eval_entities_loss']!) / 2;
  assert.is(result.metrics['eval_loss'], mean);
  assert.equal(result.replaced, { sentiment: ['classifier.weight', 'classifier.bias'], entities: [] });
  const [classifier, tagger] = [await loadModel(join(outputDir, 'sentiment')), await loadModel(join(outputDir, 'entities'))];
  assert.equal([...classifier.config.id2label], ['bad', 'good']);
  for (const model of [result.models['sentiment']!, classifier]) {
    const { labels } = await classifyText(model, 'a text', { topK: null });
    assert.equal(labels, (await classifyText(classifier, 'a text', { topK: null })).labels);
  }
  const found = await recognizeEntities(tagger, 'Ann saw him');
  assert.equal(await recognizeEntities(result.models['entities']!, 'Ann saw him'), found);
  for (const each of [classifier, tagger]) each.dispose();
  disposeAll(result);

  for (const step of [1, 3]) {
    const other = newFolder();
    const again = { ...args, outputDir: other, saveStrategy: 'no' as const, resumeFromCheckpoint: join(outputDir, `checkpoint-${step}`) };
    disposeAll(await trainMultiTask(base, again));
    for (const name of ['sentiment', 'entities']) {
      const file = join(name, 'model.safetensors');
      assert.ok(readFileSync(join(other, file)).equals(readFileSync(join(outputDir, file))), `${file} from step ${step}`);
    }
  }
  const differs = { ...args, outputDir, sampling: 'proportional' as const, resumeFromCheckpoint: true };
  assert.is((await rejection(() => trainMultiTask(base, differs))).code, 'CHECKPOINT_MISMATCH');
});

t('adapters of several heads share their branches, and load over the base', async () => {
  const outputDir = newFolder();
  const result = await trainMultiTask(base, options({ outputDir, lora: { r: 2 }, learningRate: 1e-2, saveStrategy: 'no' }));
  const adapted = await loadModel(base, { adapter: join(outputDir, 'sentiment') });
  const scores = async (model: typeof adapted) => (await classifyText(model, 'a text', { topK: null })).labels.map(({ score }) => score);
  const [saved, kept] = [await scores(adapted), await scores(result.models['sentiment']!)];
  assert.ok(saved.every((score, i) => Math.abs(score - kept[i]!) < 1e-5));
  adapted.dispose();
  disposeAll(result);
});

t('weights are given back where a collator or the trainer cannot be made', async () => {
  const wrong = { collator: { maxLength: 1_000_000 } } as const;
  const before = stats().training.trainers;
  for (const i of [0, 1]) {
    const bad = heads().map((head, j) => (i === j ? { ...head, ...wrong } : head));
    assert.is((await rejection(() => trainMultiTask(base, options({ heads: bad })))).code, 'MAX_LENGTH');
    const { name: _, trainDataset, ...own } = bad[i]!;
    assert.is((await rejection(() => train(base, trainDataset, { ...own, threads: 1 }))).code, 'MAX_LENGTH');
  }
  assert.is(stats().training.trainers, before, 'without a garbage collection');
});

t('the order of the heads is drawn in short turns, as those of their rows are', async () => {
  const rows = 20 * 256;
  const examples = Array.from({ length: rows }, (_, i) => ({ head: i % 2, tokens: 1 }));
  const args = trainingArguments({ perDeviceTrainBatchSize: 1 });
  const plan = planHeads(['a', 'b'], { sampling: 'proportional', temperature: 2 })(examples as never, args);
  let yields = 0;
  const budget = {
    isSpent: true,
    yield: () => {
      yields++;
      return Promise.resolve();
    },
  };
  const planned = await plan.batches(0, budget as never);
  assert.is(planned.length, rows);
  assert.is(new Set(planned.map(({ examples: [first] }) => first)).size, rows);
  // One for each batch, and one for each 256 draws of the rows' orders and of the heads'.
  assert.ok(yields >= rows + 2 * 20 - 3, `${yields} of ${rows}`);
});

t('an abort ends it with its reason, and it goes on', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const stop = { onStepEnd: () => controller.abort(reason) };
  await trainMultiTask(base, options({ signal: controller.signal, callbacks: [stop] })).then(
    () => assert.unreachable(),
    (error) => assert.is(error, reason),
  );
});

t('shares of an epoch: by size, between, and equal, at least one batch of each', () => {
  assert.equal(shares([171, 217], { sampling: 'proportional', temperature: 2 }), [171, 217]);
  assert.equal(shares([1, 13, 1000], { sampling: 'proportional', temperature: 2 }), [1, 13, 1000]);
  assert.equal(shares([100, 900], { sampling: 'temperature', temperature: 2 }), [250, 750]);
  assert.equal(shares([100, 900], { sampling: 'temperature', temperature: 1 }), [100, 900]);
  assert.equal(shares([100, 900], { sampling: 'temperature', temperature: 0.1 }), [1, 1000]);
  assert.equal(shares([1, 9], { sampling: 'uniform', temperature: 2 }), [5, 5]);
});

t('says what is wrong with the heads', async () => {
  const [one, two] = heads() as [MultiTaskHead, MultiTaskHead];
  const file = join(root, 'empty.jsonl');
  writeFileSync(file, '');
  const cases: [Partial<MultiTaskOptions>, string, RegExp][] = [
    [{ heads: [] }, 'INVALID_OPTION', /one or more heads/],
    [{ heads: [one, { ...two, name: 'Sentiment' }] }, 'INVALID_OPTION', /"Sentiment" twice/],
    [{ heads: [{ ...one, name: '../up' }] }, 'INVALID_OPTION', /letters, digits/],
    [{ heads: [{ ...one, name: 'checkpoint-3' }] }, 'INVALID_OPTION', /letters, digits/],
    [{ heads: [{ ...one, task: 'poetry' as 'fill-mask' }] }, 'INVALID_OPTION', /heads\[0\] option task/],
    [{ heads: [{ ...one, rows: reviews } as MultiTaskHead] }, 'INVALID_OPTION', /a known option of trainMultiTask, heads\[0\]/],
    [{ heads: [one, { ...two, trainDataset: [] }] }, 'INVALID_ARG', /at least one row to learn from for head "entities"/],
    [{ heads: [one, { ...two, trainDataset: file }] }, 'EMPTY_INPUT', /rows in .*empty.jsonl/],
    [{ heads: [{ ...one, trainDataset: new Set(reviews) }] }, 'INVALID_ARG', /rows in memory/],
    [{ sampling: 'temperature', temperature: 0 }, 'INVALID_OPTION', /above 0/],
    [{ sampling: 'temperature', temperature: -1 }, 'INVALID_OPTION', /above 0/],
    [{ temperature: 2 }, 'INVALID_OPTION', /sampling "temperature"/],
    [{ sampling: 'random' as 'uniform' }, 'INVALID_OPTION', /"uniform"/],
    [{ dataloaderDropLast: true, perDeviceTrainBatchSize: 8 }, 'INVALID_ARG', /perDeviceTrainBatchSize \(8\) rows .*"entities"/],
  ];
  for (const [more, code, message] of cases) {
    const error = await rejection(() => trainMultiTask(base, options(more)));
    assert.is(error.code, code, error.message);
    assert.match(error.message, message);
  }
});

t('bertha train multi reads its heads from a file, and writes a folder for each', async () => {
  const [folder, output] = [newFolder(), newFolder()];
  mkdirSync(folder);
  const lines = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'reviews.jsonl'), lines(reviews.map(({ text, label }) => ({ review: text, label }))));
  writeFileSync(join(folder, 'stars.jsonl'), lines(reviews.map(({ text }, i) => ({ text, label: i % 5 }))));
  const config = join(folder, 'heads.json');
  const sentiment = {
    name: 'sentiment',
    task: 'classify',
    train: 'reviews.jsonl',
    columns: { text: 'review' },
    collator: { maxLength: 12 },
  };
  const stars = { name: 'stars', task: 'regress', train: 'stars.jsonl', eval: 'stars.jsonl' };
  writeFileSync(config, JSON.stringify({ heads: [sentiment, stars], sampling: 'temperature', temperature: 3 }));
  const bertha = (...args: string[]) =>
    promisify(execFile)(process.execPath, [cliProgram, 'train', 'multi', '--model', base, '--config', config, ...args]);
  const { stdout } = await bertha(
    '--output',
    output,
    '--max-steps',
    '2',
    '--save-strategy',
    'no',
    '--json',
    '--no-progress',
    '--threads',
    '1',
  );
  const metrics = JSON.parse(stdout) as Record<string, number>;
  assert.ok(Number.isFinite(metrics['eval_stars_mse']) && Number.isFinite(metrics['eval_loss']));
  for (const name of ['sentiment', 'stars']) (await loadModel(join(output, name))).dispose();
  await bertha('--output', output, '--train', config).then(
    () => assert.unreachable(),
    ({ code, stderr }: { code: number; stderr: string }) => {
      assert.is(code, 2);
      assert.match(stderr, /--train, which each head of --config has/);
    },
  );
});

t('says what is wrong with a file of heads', async () => {
  const config = join(root, 'heads.json');
  const cases: [unknown, RegExp][] = [
    [[], /a JSON object/],
    [{}, /a list "heads"/],
    [{ heads: [{}] }, /one of classify, .* for "task" in .*heads\[0\]/],
    [{ heads: [{ name: 'a', task: 'poetry', train: 'a.jsonl' }] }, /heads\[0\] option task/],
    [{ heads: [{ name: 'a', task: 'classify' }] }, /a file of rows for "train"/],
    [{ heads: [{ name: 'a', task: 'classify', train: 'a.jsonl', trainFile: 1 }] }, /a known option/],
    [{ heads: [], samplings: 'uniform' }, /Did you mean "sampling"/],
  ];
  for (const [contents, message] of cases) {
    writeFileSync(config, JSON.stringify(contents));
    const error = await rejection(() => readHeads(config));
    assert.is(error.code, 'INVALID_OPTION', error.message);
    assert.match(error.message, message);
  }
  assert.is((await rejection(() => readHeads(join(root, 'none.json')))).code, 'IO');
});

/** Values and moments of a head's own weights. */
async function headState(model: LearningModel): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const tensor of model.tensors.filter(({ name }) => !name.startsWith('bert.')))
    for (const kind of ['value', 'expAvg', 'expAvgSq'] as const) parts.push(Buffer.from((await tensor.read(kind)).buffer));
  return Buffer.concat(parts);
}

t.run();
