import { unexpected } from '../../expected.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { loadModel, type Model } from '../../models/model.js';
import { abortSignal, finite, oneOf, received, readOptions, type Check } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { record } from '../arguments/checks.js';
import { splitOptions } from '../arguments/split-options.js';
import type { TrainingArguments, TrainingArgumentsOptions } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { inTemporaryFolder } from '../checkpoints/temporary-folder.js';
import type { CollatorOptions, TaskData } from '../collators/index.js';
import { openDataset, type ColumnNames, type Row } from '../datasets/index.js';
import type { LabelSet } from '../datasets/label-set.js';
import { modelLabels } from '../evaluation/evaluate-model.js';
import { LearningModel, type LearningOptions } from '../program/learning-model.js';
import { keepLayers } from '../pruning/keep-layers.js';
import type { ComputeMetrics } from '../trainer/evaluation.js';
import { readExamples } from '../trainer/examples.js';
import { learningArguments } from '../trainer/learning-arguments.js';
import type { DatasetSource } from '../trainer/train.js';
import { Trainer, type TrainOptions } from '../trainer/trainer.js';
import { compareModels, type ModelReport } from './compare-models.js';
import { requireSameVocabulary } from './same-vocabulary.js';
import { collatorOf, labelOptions, metricsOf } from './task-rows.js';
import { TaughtCollator } from './taught-collator.js';
import { TaughtModel } from './taught-model.js';
import { statePairs, type StatePair } from './state-pairs.js';
import { distillTasks, Teacher, type DistillTask } from './teacher.js';

/** Options of `distill`: who teaches whom what, and all training arguments. */
export interface DistillOptions extends TrainingArgumentsOptions, TrainOptions {
  /** A directory, or an id on the Hub. */
  readonly teacher: ModelPath;
  /** Layers of the teacher, from 0, that the student begins with, beside its embeddings and head; or another model. */
  readonly student: { readonly layers: readonly number[] } | ModelPath;
  readonly task: DistillTask;
  /** Rows as `train` reads them; for sentence-embedding a `text`, or two. Labels are needed where alpha is above 0. */
  readonly trainDataset: DatasetSource;
  /** Rows to score both models on; for sentence-embedding pairs of texts with scores. */
  readonly evalDataset?: DatasetSource;
  /** The share of the labels: alpha · cross entropy + (1 - alpha) · T² · KL(teacher ‖ student). Default 0.5. */
  readonly alpha?: number;
  /** T. Default 2. */
  readonly temperature?: number;
  /** A factor for the mean squared error of the layers' outputs to the teacher's. Default 0: they are not learned. */
  readonly hiddenWeight?: number;
  /** The same of the embeddings' output. Default 0. */
  readonly embeddingWeight?: number;
  readonly columns?: ColumnNames;
  /** Options of the task's collator: maxLength, mlmProbability … */
  readonly collator?: Omit<CollatorOptions, keyof TaskData | 'columns'>;
  /** Default: the task's usual scores. */
  readonly computeMetrics?: ComputeMetrics;
  readonly callbacks?: readonly TrainerCallback[];
}

/** Teacher and student beside each other. */
export interface DistillReport {
  readonly teacher: ModelReport;
  readonly student: ModelReport;
  /** The student's texts a second by the teacher's. */
  readonly speedup: number;
}

/** What `distill` gives. */
export interface DistilledModel {
  /** The student, ready to be used by any task. It holds native memory until `dispose`. */
  readonly model: Model;
  /** Of the training, and the student's on evalDataset as `eval_…`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly report: DistillReport;
}

const anything: Check<unknown> = (value) => value;
/** Numbers from `least`, up to `most`. */
const between =
  (least: number, most: number): Check<number> =>
  (value, name) => {
    const number = finite(value, name);
    if (number >= least && number <= most) return number;
    throw unexpected('INVALID_OPTION', `a number from ${least}${most === Infinity ? '' : ` to ${most}`} for ${name}`, received(value));
  };
const schema = {
  teacher: anything,
  student: anything,
  task: oneOf(distillTasks),
  trainDataset: anything,
  evalDataset: anything,
  alpha: between(0, 1),
  temperature: between(Number.MIN_VALUE, Infinity),
  hiddenWeight: between(0, Infinity),
  embeddingWeight: between(0, Infinity),
  columns: record,
  collator: record,
  computeMetrics: anything,
  callbacks: anything,
  signal: abortSignal,
  resumeFromCheckpoint: anything,
};

type Own = Omit<DistillOptions, keyof TrainingArgumentsOptions>;

/**
 * Teaches a small model to predict as a large one does, and reports how well and how fast both are. With `outputDir` the student is saved
 * there.
 *
 * ```js
 * const { model, report } = await distill({ teacher: 'my-model', student: { layers: [0, 2, 4] }, task: 'text-classification', trainDataset: 'train.jsonl', evalDataset: 'dev.jsonl', outputDir: 'small' });
 * ```
 *
 * Errors: INVALID_OPTION (layers that there are not, states of another width), MODEL_MISMATCH (models of different vocabularies), NO_HEAD,
 * DATASET; those of `loadModel` and of `Trainer.train`.
 */
export async function distill(options: DistillOptions): Promise<DistilledModel> {
  const { own, args } = splitOptions<Own>('distill', options, schema);
  for (const name of ['teacher', 'student', 'task', 'trainDataset'] as const) {
    if (own[name] === undefined) throw unexpected('INVALID_OPTION', `a value for distill option ${name}`, 'none');
  }
  own.signal?.throwIfAborted();
  const teacherDirectory = await resolveModel(readModelPath(own.teacher!, 'distill'), {}, 'model');
  const { student } = own as Own;
  const layers = layersOf(student);
  if (layers === undefined) {
    const directory = await resolveModel(readModelPath(student as ModelPath, 'distill'), {}, 'model');
    return teach(own as Own, args, { teacherDirectory, studentDirectory: directory, layers });
  }
  return inTemporaryFolder(async (folder) => {
    await keepLayers(teacherDirectory, layers, folder);
    return teach(own as Own, args, { teacherDirectory, studentDirectory: folder, layers });
  });
}

interface Pair {
  readonly teacherDirectory: string;
  readonly studentDirectory: string;
  readonly layers: readonly number[] | undefined;
}

async function teach(own: Own, args: TrainingArguments, { teacherDirectory, studentDirectory, layers }: Pair): Promise<DistilledModel> {
  const { task, signal, alpha = 0.5, temperature = 2 } = own;
  const open: { dispose(): void }[] = [];
  const load = async (directory: string): Promise<Model> => {
    const model = await loadModel(directory, args.threads === undefined ? {} : { threads: args.threads });
    open.push(model);
    return model;
  };
  try {
    const teacher = await load(teacherDirectory);
    const untaught = await load(studentDirectory);
    requireSameVocabulary(teacher, untaught);
    const states = statePairs({ ...own, layers }, teacher, untaught);
    const labels = modelLabels(teacher);
    const learning = await LearningModel.load(studentDirectory, learningOptions({ ...own, alpha, temperature }, args, labels, states));
    open.push(learning);
    const trainDataset = await openDataset(own.trainDataset);
    const evalDataset = own.evalDataset === undefined ? undefined : await openDataset(own.evalDataset);
    const isSentence = task === 'sentence-embedding';
    const collator = collatorOf(task, learning.model, labels, own);
    const lesson = { teacher: teacherDirectory, alpha, temperature, states: JSON.stringify(states) };
    const computeMetrics = own.computeMetrics ?? metricsOf(task, labels);
    const trainer = new Trainer<Row>({
      model: new TaughtModel(learning, new Teacher(teacher, task, states), { isSentence, lesson }),
      args,
      trainDataset,
      ...(evalDataset === undefined ? {} : { evalDataset }),
      dataCollator: new TaughtCollator(collator, { countsTokens: states.length > 0, labelled: isSentence || alpha > 0 }),
      computeMetrics,
      callbacks: own.callbacks ?? [],
    });
    const { metrics } = await trainer.train({ resumeFromCheckpoint: own.resumeFromCheckpoint ?? false, ...(signal && { signal }) });
    if (args.outputDir !== undefined) await trainer.saveModel(args.outputDir);
    const model = await trainer.snapshot();
    open.push(model);
    const examples = await readExamples<Row>(evalDataset ?? trainDataset, collator, new Budget(signal, 'bulk'));
    const rows = { examples, collator, batchSize: 32, seed: args.seed, budget: new Budget(signal, 'bulk'), signal };
    const [theirs, itsOwn] = await compareModels([teacher, model], task, rows, evalDataset === undefined ? undefined : computeMetrics);
    const report = { teacher: theirs, student: itsOwn, speedup: itsOwn.textsPerSecond / theirs.textsPerSecond };
    open.pop();
    const evaluated = Object.entries(report.student.metrics).map(([name, value]) => [`eval_${name}`, value]);
    return { model, metrics: { ...metrics, ...Object.fromEntries(evaluated) }, report };
  } finally {
    for (const each of open) each.dispose();
  }
}

function layersOf(student: unknown): readonly number[] | undefined {
  if (typeof student !== 'object' || student === null || !('layers' in student)) return undefined;
  return (readOptions('distill student', student, { layers: anything }).layers ?? []) as readonly number[];
}

function learningOptions(
  { task, alpha, temperature }: Own & { readonly alpha: number; readonly temperature: number },
  args: TrainingArguments,
  labels: LabelSet,
  states: readonly StatePair[],
): LearningOptions {
  return {
    ...learningArguments(args),
    task,
    ...labelOptions(task, labels),
    ...(task === 'sentence-embedding' ? {} : { distillation: { alpha, temperature } }),
    teacher: { embeddings: task === 'sentence-embedding', states: states.map(({ student, weight }) => ({ state: student, weight })) },
  };
}
