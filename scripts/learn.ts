// Fine-tunes on real data and compares with transformers: npm run learn -- [--task NAME...] [--seeds N] [--threads N]
// With --write-start DIR it only writes the model that waimai starts from (also made by itself, in a temporary folder).
// Other tasks, from scripts/learn/gates: figures that distillation, pruning, few examples and so on must reach.
// The data lies in eval/ of the shared folder (BERTHA_SHARED, ../shared); a task whose files are absent is skipped by name. Tasks: scripts/learn/tasks.json.
// Task pretrain is scripts/pretraining/gate.ts, pretrain-speed its time of a step; --keep DIR keeps what both libraries read, and the model, which task simcse goes on with.
// --python PYTHON computes the Python side of pretrain, setfit and simcse anew; without it the stored results are shown.
// transformers' results are stored in scripts/learn/results.json, which scripts/learn/reference.py writes: same weights, rows and arguments.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Papa from 'papaparse';
import { train, type Row, type TrainModelOptions } from '../src/training/index.js';
import { judge, judgeBeside, linesOf, median, percent } from './learn/gates/gate.js';
import { gates } from './learn/gates/index.js';
import { writeSmallChinese } from './learn/small-chinese.js';
import { pretrainingGate } from './pretraining/gate.js';
import { pretrainingSpeed } from './pretraining/speed.js';

interface LearnTask {
  readonly task: TrainModelOptions['task'];
  readonly train: string;
  readonly eval?: string;
  readonly format: 'label-first' | 'conll' | 'sts' | 'waimai';
  /** Of sentence embeddings. */
  readonly loss?: NonNullable<TrainModelOptions['loss']>;
  /** What it starts from instead of the bundled model. */
  readonly start?: 'small-chinese';
  readonly epochs: number;
  readonly metric: string;
  readonly metricAt: readonly number[];
  /** What it must reach, by epochs. */
  readonly least?: Readonly<Record<string, number>>;
}

interface Reference {
  readonly torch: string;
  readonly transformers: string;
  readonly runs: readonly { readonly scores: Readonly<Record<string, number>> }[];
}

const { values } = parseArgs({
  options: {
    task: { type: 'string', multiple: true },
    seeds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    'write-start': { type: 'string' },
    python: { type: 'string' },
    keep: { type: 'string' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const shared = resolve(root, process.env['BERTHA_SHARED'] ?? '../shared');
const data = join(shared, 'eval');
const vocab = join(shared, 'vocab/bert-base-chinese.vocab.txt');
const readJson = <T>(name: string): T => JSON.parse(readFileSync(join(root, 'scripts/learn', name), 'utf8')) as T;
const tasks = readJson<Record<string, LearnTask>>('tasks.json');
const references = existsSync(join(root, 'scripts/learn/results.json')) ? readJson<Record<string, Reference>>('results.json') : {};

/** The rows of a file, as the reference reads them. */
function readRows(format: LearnTask['format'], path: string): Row[] {
  if (format === 'sts') {
    return linesOf(path).map((line) => {
      const fields = line.split('\t');
      return { text: fields[5]!, text_pair: fields[6]!, label: Number(fields[4]) / 5 };
    });
  }
  return linesOf(path).map((line) => ({ text: line.slice(line.indexOf(' ') + 1), label: `label ${line.slice(0, line.indexOf(' '))}` }));
}

/** Training rows and those held out: the evaluation file, or every tenth review of waimai. */
function rowsOf({ format, train: trainFile, eval: evalFile }: LearnTask): [Row[] | string, Row[] | string] {
  if (format === 'waimai') {
    const { data: rows } = Papa.parse<Row>(readFileSync(join(data, trainFile), 'utf8'), { header: true, skipEmptyLines: true });
    const texts = rows.map(({ label, review }) => ({ text: review, label: `label ${String(label)}` }));
    return [texts.filter((_, i) => i % 10 !== 9), texts.filter((_, i) => i % 10 === 9)];
  }
  const read = (file: string): Row[] | string => (format === 'conll' ? join(data, file) : readRows(format, join(data, file)));
  return [read(trainFile), read(evalFile!)];
}

if (values['write-start'] !== undefined) {
  await writeSmallChinese(values['write-start'], vocab);
  process.exit(0);
}

for (const [name, task] of Object.entries(tasks)) {
  if (values.task !== undefined && !values.task.includes(name)) continue;
  const files = [task.train, task.eval].filter((file) => file !== undefined).map((file) => join(data, file));
  const missing = [...files, ...(task.start === undefined ? [] : [vocab])].find((file) => !existsSync(file));
  if (missing !== undefined) {
    console.log(`skipped ${name}: no ${missing}`);
    continue;
  }
  const [rows, evalDataset] = rowsOf(task);
  const start = task.start === undefined ? undefined : mkdtempSync(join(tmpdir(), 'bertha-start-'));
  if (start !== undefined) await writeSmallChinese(start, vocab);
  const scores = new Map<number, number[]>(task.metricAt.map((epoch) => [epoch, []]));
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const began = performance.now();
    const { model, metrics } = await train(start, rows, {
      task: task.task,
      ...(task.loss === undefined ? {} : { loss: task.loss }),
      evalDataset,
      evalStrategy: 'epoch',
      saveStrategy: 'no',
      loggingStrategy: 'no',
      numTrainEpochs: task.epochs,
      perDeviceTrainBatchSize: 32,
      perDeviceEvalBatchSize: 64,
      learningRate: 1e-4,
      weightDecay: 0.01,
      warmupSteps: 0.1,
      seed,
      ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
      callbacks: [
        {
          onEvaluate: ({ state }, seen) => {
            const epoch = Math.round(state.epoch);
            const score = seen[`eval_${task.metric}`];
            if (score !== undefined && scores.get(epoch)?.length === seed - 1) scores.get(epoch)!.push(score);
          },
        },
      ],
    });
    model.dispose();
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `${name} seed ${seed}: ${task.metric} ${percent(metrics[`eval_${task.metric}`]!)} after ${task.epochs} epochs, ${seconds} s`,
    );
  }
  if (start !== undefined) rmSync(start, { recursive: true });
  for (const [epoch, own] of scores) {
    const reference = references[name];
    const library = task.task === 'sentence-embedding' ? 'sentence-transformers' : 'transformers';
    const theirs = reference?.runs.map(({ scores: each }) => each[epoch]).filter((score) => score !== undefined) ?? [];
    const beside = theirs.length === 0 ? 'no reference' : `${percent(median(theirs))} (${theirs.map(percent).join(', ')})`;
    console.log(
      `${name}, ${task.metric} x 100 after ${epoch} epochs, median: Bertha ${percent(median(own))} (${own.map(percent).join(', ')}), ${library} ${beside}`,
    );
    const least = task.least?.[epoch];
    const what = `${name}, ${task.metric} x 100 after ${epoch} epochs`;
    if (least === undefined) continue;
    if (task.task === 'sentence-embedding') judgeBeside(what, median(own), least, theirs.length === 0 ? undefined : median(theirs));
    else judge(what, 100 * median(own), 100 * least);
  }
}

const { threads, seeds, python, keep } = values;
for (const [name, gate] of Object.entries({ pretrain: pretrainingGate, 'pretrain-speed': pretrainingSpeed })) {
  if (values.task !== undefined && !values.task.includes(name)) continue;
  await gate(shared, {
    ...(threads === undefined ? {} : { threads: Number(threads) }),
    ...(python === undefined ? {} : { python }),
    ...(keep === undefined ? {} : { keep }),
  });
}

for (const [name, gate] of Object.entries(gates)) {
  if (values.task !== undefined && !values.task.includes(name)) continue;
  const missing = gate.files.find((file) => !existsSync(join(shared, file)));
  if (missing !== undefined) console.log(`skipped ${name}: no ${join(shared, missing)}`);
  else await gate.run({ shared, threads: threads === undefined ? undefined : Number(threads), seeds: Number(seeds), python, keep });
}
