// Fine-tunes on real data and compares with transformers: npm run learn -- [--task NAME...] [--seeds N] [--threads N]
// The data lies in eval/ of the shared folder (BERTHA_SHARED, ../shared); a task whose files are absent is skipped by name. Tasks: scripts/learn/tasks.json.
// transformers' results are stored in scripts/learn/results.json, which scripts/learn/reference.py writes: same weights, rows and arguments.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { train, type Row, type TrainModelOptions } from '../src/training/index.js';

interface LearnTask {
  readonly task: TrainModelOptions['task'];
  readonly train: string;
  readonly eval?: string;
  readonly format: 'label-first' | 'conll' | 'sts' | 'waimai';
  /** A directory to start from instead of the bundled model. */
  readonly start?: string;
  readonly epochs: number;
  readonly metric: string;
  readonly metricAt: readonly number[];
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
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const data = join(resolve(root, process.env['BERTHA_SHARED'] ?? '../shared'), 'eval');
const readJson = <T>(name: string): T => JSON.parse(readFileSync(join(root, 'scripts/learn', name), 'utf8')) as T;
const tasks = readJson<Record<string, LearnTask>>('tasks.json');
const references = existsSync(join(root, 'scripts/learn/results.json')) ? readJson<Record<string, Reference>>('results.json') : {};

const linesOf = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

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

function middle(scores: readonly number[]): number {
  return [...scores].sort((a, b) => a - b)[scores.length >> 1]!;
}

const percent = (score: number): string => (100 * score).toFixed(1);

for (const [name, task] of Object.entries(tasks)) {
  if (values.task !== undefined && !values.task.includes(name)) continue;
  const missing = [task.train, task.eval].find((file) => file !== undefined && !existsSync(join(data, file)));
  if (missing !== undefined || task.start !== undefined || task.format === 'waimai') {
    console.log(`skipped ${name}: ${missing === undefined ? 'its start is not made yet' : `no ${missing} in ${data}`}`);
    continue;
  }
  const isConll = task.format === 'conll';
  const rowsOf = (file: string) => (isConll ? join(data, file) : readRows(task.format, join(data, file)));
  const scores = new Map<number, number[]>(task.metricAt.map((epoch) => [epoch, []]));
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const start = performance.now();
    const { model, metrics } = await train(undefined, rowsOf(task.train), {
      task: task.task,
      evalDataset: rowsOf(task.eval!),
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
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${name} seed ${seed}: ${task.metric} ${percent(metrics[`eval_${task.metric}`]!)} after ${task.epochs} epochs, ${seconds} s`,
    );
  }
  for (const [epoch, own] of scores) {
    const reference = references[name];
    const theirs = reference?.runs.map(({ scores: each }) => each[epoch]).filter((score) => score !== undefined) ?? [];
    const beside = theirs.length === 0 ? 'no reference' : `${percent(middle(theirs))} (${theirs.map(percent).join(', ')})`;
    console.log(
      `${name}, ${task.metric} x 100 after ${epoch} epochs, median: Bertha ${percent(middle(own))} (${own.map(percent).join(', ')}), transformers ${beside}`,
    );
  }
}
