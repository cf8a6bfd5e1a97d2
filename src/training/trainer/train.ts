import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { abortSignal, callback, oneOf, readOptions, type Check } from '../../options.js';
import type { Model } from '../../models/model.js';
import { defaultModelDirectory } from '../../runtime/default-model.js';
import { record } from '../arguments/checks.js';
import { trainingArguments, type TrainingArguments, type TrainingArgumentsOptions } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import type { DataTask } from '../collators/index.js';
import { openDataset, type ColumnNames, type Dataset, type Row } from '../datasets/index.js';
import { LearningModel } from '../program/learning-model.js';
import { sentenceSchema, type SentenceTrainingOptions } from '../sentence/options.js';
import { prepareSentences } from '../sentence/prepare.js';
import type { SentenceColumns } from '../sentence/rows.js';
import type { ComputeMetrics } from './evaluation.js';
import { learningArguments } from './learning-arguments.js';
import { prepareHead, type HeadOptions } from './prepare-head.js';
import { openPairs, type PairSource } from '../seq2seq/open-pairs.js';
import { preparePairs, type PairReading } from '../seq2seq/prepare.js';
import { isSeq2SeqTask, seq2SeqTasks, type Seq2SeqTask } from '../seq2seq/tasks.js';
import { prepareTexts, textGeneration } from '../text-generation/prepare.js';
import { madeFor } from './trainable-model.js';
import { Trainer, type TrainerOptions, type TrainOptions } from './trainer.js';

/** Rows, or the file that holds them. */
export type DatasetSource = FilePath | Dataset<Row>;

/** Options of `train`: what is learned, and all training arguments. Those of SentenceTrainingOptions are for 'sentence-embedding'. */
export interface TrainModelOptions
  extends TrainingArgumentsOptions, TrainOptions, SentenceTrainingOptions, Omit<HeadOptions, 'task' | 'columns' | 'collator'> {
  readonly task: DataTask | 'sentence-embedding' | Seq2SeqTask | typeof textGeneration;
  /** Options of the task's collator: maxLength, mlmProbability, stride, of pairs of texts maxTargetLength and sourcePrefix … */
  readonly collator?: HeadOptions['collator'] & PairReading;
  readonly evalDataset?: PairSource;
  /** The names of columns, where they are not the usual ones. */
  readonly columns?: ColumnNames & SentenceColumns;
  /** Default: the task's usual scores. */
  readonly computeMetrics?: ComputeMetrics;
  readonly callbacks?: readonly TrainerCallback[];
}

/** What `train` gives. */
export interface TrainedModel {
  /** The trained model, ready to be used by any task. It holds native memory until `dispose`. */
  readonly model: Model;
  /** Of the training, and of evalDataset at its end. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Tensors that the checkpoint did not have, and those that had another size there. */
  readonly newlyInitialized: readonly string[];
  readonly replaced: readonly string[];
}

/** What `train` learns. */
export const trainTasks = [
  'text-classification',
  'token-classification',
  'question-answering',
  'multiple-choice',
  'next-sentence-prediction',
  'fill-mask',
  'replaced-token',
  'cross-encoder',
  'sentence-embedding',
  ...seq2SeqTasks,
  textGeneration,
] as const satisfies readonly TrainModelOptions['task'][];
const anything: Check<unknown> = (value) => value;
/** What is asked of the rows of a head, and of how it learns from them. */
export const headSchema = {
  evalDataset: anything,
  columns: record,
  problemType: oneOf(['single_label_classification', 'multi_label_classification', 'regression']),
  classWeights: anything,
  collator: record,
  computeMetrics: callback as Check<unknown>,
};
const schema = {
  task: oneOf(trainTasks),
  ...headSchema,
  callbacks: anything,
  signal: abortSignal,
  resumeFromCheckpoint: anything,
  ...sentenceSchema,
};
/** What only heads have. */
const ofHeads = ['problemType', 'classWeights'] as const satisfies readonly (keyof TrainModelOptions)[];

/**
 * Fine-tunes a model on rows or a file of them; pairs of texts ('translation', 'summarization') may be two files line by line. `model` is a directory or the Hub's id, undefined the bundled model. With `outputDir` the
 * result is saved there, where every function of this package loads it, and transformers does.
 *
 * ```js
 * const { model, metrics } = await train('path/to/bert', 'train.jsonl', { task: 'text-classification', evalDataset: 'dev.jsonl', outputDir: 'my-model' });
 * ```
 *
 * Errors: INVALID_OPTION, INVALID_ARG, DATASET (names file and line), INVALID_LABEL; those of `loadModel` and of `Trainer.train`.
 */
export async function train(model: ModelPath | undefined, trainDataset: PairSource, options: TrainModelOptions): Promise<TrainedModel> {
  const { own, args } = splitOptions(options);
  const directory = model === undefined ? defaultModelDirectory() : await resolveModel(readModelPath(model, 'train'), {}, 'model');
  const open = (source: PairSource): Promise<Dataset<Row>> =>
    isSeq2SeqTask(own.task) ? openPairs(source, own.columns) : openDataset(source as DatasetSource);
  const trainRows = await open(trainDataset);
  const evalRows = own.evalDataset === undefined ? undefined : await open(own.evalDataset);
  const { learning, parts } = await partsOf(own.task)(directory, { trainRows, evalRows }, own, args);
  const { computeMetrics = parts.computeMetrics, callbacks = [] } = own;
  const scored = computeMetrics === undefined ? {} : { computeMetrics };
  const trainer = madeFor(learning, () => new Trainer<Row>({ model: learning, args, ...parts, ...scored, callbacks }));
  try {
    const { signal, resumeFromCheckpoint = false } = own;
    const stoppable = signal === undefined ? {} : { signal };
    const { metrics } = await trainer.train({ resumeFromCheckpoint, ...stoppable });
    const isEvaluated = evalRows !== undefined || own.evaluator !== undefined;
    const evaluated = isEvaluated ? await trainer.evaluate(undefined, stoppable) : {};
    if (args.outputDir !== undefined) await trainer.saveModel(args.outputDir);
    const { newlyInitialized, replaced } = learning.training;
    return { model: await trainer.snapshot(), metrics: { ...metrics, ...evaluated }, newlyInitialized, replaced };
  } finally {
    trainer.dispose();
  }
}

type OwnOptions = Omit<TrainModelOptions, keyof TrainingArgumentsOptions>;

interface RowSources {
  readonly trainRows: Dataset<Row>;
  readonly evalRows: Dataset<Row> | undefined;
}

interface Prepared {
  readonly learning: LearningModel;
  readonly parts: Omit<TrainerOptions<Row>, 'model' | 'args' | 'callbacks'>;
}

function partsOf(task: TrainModelOptions['task']): typeof headParts {
  if (isSeq2SeqTask(task)) return pairParts;
  if (task === textGeneration) return textParts;
  return task === 'sentence-embedding' ? sentenceParts : headParts;
}

async function textParts(directory: string, rows: RowSources, own: OwnOptions, args: TrainingArguments): Promise<Prepared> {
  refuseOthers(own, textGeneration, [...Object.keys(sentenceSchema), ...ofHeads], 'other tasks');
  return prepareTexts(directory, rows, own, args);
}

async function pairParts(directory: string, rows: RowSources, own: OwnOptions, args: TrainingArguments): Promise<Prepared> {
  const task = own.task as Seq2SeqTask;
  refuseOthers(own, task, [...Object.keys(sentenceSchema), ...ofHeads], 'other tasks');
  return preparePairs(directory, rows, { ...own, task }, args);
}

/** Errors: INVALID_OPTION for options that a task does not have. */
function refuseOthers(own: OwnOptions, task: string, others: readonly string[], whose: string): void {
  const stranger = others.find((name) => own[name as keyof OwnOptions] !== undefined);
  if (stranger !== undefined) throw unexpected('INVALID_OPTION', `options of ${task}`, `${stranger}, which is for ${whose}`);
}

async function headParts(directory: string, rows: RowSources, own: OwnOptions, args: TrainingArguments): Promise<Prepared> {
  const task = own.task as DataTask;
  refuseOthers(own, task, Object.keys(sentenceSchema), 'sentence-embedding');
  const { trainRows, evalRows } = rows;
  const head = await prepareHead(directory, trainRows, { ...own, task }, args);
  const learning = await LearningModel.load(directory, head.learning);
  const { computeMetrics } = head;
  const dataCollator = madeFor(learning, () => head.collatorOf(learning.model));
  return { learning, parts: { trainDataset: trainRows, ...(evalRows && { evalDataset: evalRows }), dataCollator, computeMetrics } };
}

async function sentenceParts(directory: string, rows: RowSources, own: OwnOptions, args: TrainingArguments): Promise<Prepared> {
  refuseOthers(own, 'sentence-embedding', ofHeads, 'heads');
  const { maxLength, ...others } = own.collator ?? {};
  const [other] = Object.keys(others);
  if (other !== undefined) throw unexpected('INVALID_OPTION', 'maxLength alone for collator of sentence-embedding', other);
  const sources = { train: rows.trainRows, eval: rows.evalRows, columns: own.columns, maxLength, batchSize: args.perDeviceTrainBatchSize };
  const { learning: options, partsFor } = await prepareSentences(sources, own);
  const learning = await LearningModel.load(directory, { ...learningArguments(args), ...options });
  return { learning, parts: madeFor(learning, () => partsFor(learning)) };
}

/** What `train` itself reads, and the training arguments. */
function splitOptions(options: TrainModelOptions): { readonly own: OwnOptions; readonly args: TrainingArguments } {
  // Names that neither knows are trainingArguments' to refuse: it knows the reasons.
  const given = Object.entries(options ?? {});
  const own = Object.fromEntries(given.filter(([name]) => Object.hasOwn(schema, name)));
  const args = trainingArguments(Object.fromEntries(given.filter(([name]) => !Object.hasOwn(schema, name))));
  const read = readOptions('train', own, schema) as Partial<OwnOptions>;
  if (read.task === undefined) throw unexpected('INVALID_OPTION', `one of ${trainTasks.join(', ')} for train option task`, 'none');
  if (args.predictWithGenerate && !isSeq2SeqTask(read.task)) {
    throw unexpected('INVALID_OPTION', `options of ${read.task}`, `predictWithGenerate, which is for ${seq2SeqTasks.join(' and ')}`);
  }
  return { own: { ...read, task: read.task }, args };
}
