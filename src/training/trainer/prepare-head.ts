import type { Model } from '../../models/model.js';
import { openModelDirectory } from '../../models/model-directory.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import {
  createCollator,
  inspectDataset,
  taskMetrics,
  type Collator,
  type CollatorOptions,
  type DataTask,
  type TaskData,
} from '../collators/index.js';
import type { ColumnNames, Dataset, Row } from '../datasets/index.js';
import type { LearningOptions } from '../program/learning-model.js';
import type { ComputeMetrics } from './evaluation.js';
import { learningArguments } from './learning-arguments.js';

/** What a head learns, and how its rows are read. */
export interface HeadOptions {
  readonly task: DataTask;
  /** The names of columns, where they are not the usual ones. */
  readonly columns?: ColumnNames;
  /** Of text-classification. Default: as the labels look. */
  readonly problemType?: 'single_label_classification' | 'multi_label_classification' | 'regression';
  /** A factor for the loss of each label. */
  readonly classWeights?: readonly number[];
  /** Options of the task's collator: maxLength, mlmProbability, stride … */
  readonly collator?: Omit<CollatorOptions, keyof TaskData | 'columns'>;
}

/** A head that is about to learn. */
export interface PreparedHead {
  readonly learning: LearningOptions;
  /** How its rows become batches of a model. */
  collatorOf(model: Model): Collator<Row>;
  /** The task's usual scores. */
  readonly computeMetrics: ComputeMetrics;
}

/** Reads through the rows of a head for what it must know: its labels, and of what kind they are. Errors: those of `inspectDataset` and of opening the directory. */
export async function prepareHead(
  directory: string,
  rows: Dataset<Row>,
  { task, columns, problemType, classWeights, collator }: HeadOptions,
  args: TrainingArguments,
): Promise<PreparedHead> {
  const data = await inspectDataset(task, rows, { columns, problemType, known: await labelsOf(directory) });
  const { labels, numChoices } = data;
  const problems = { class: undefined, classes: 'multi_label_classification', numbers: 'regression' } as const;
  const isSequence = task === 'text-classification' || task === 'cross-encoder';
  return {
    learning: {
      ...learningArguments(args),
      task,
      labels: labels?.id2label,
      problemType: isSequence && labels !== undefined ? problems[labels.kind] : undefined,
      labelKind: labels?.kind === 'class' ? 'integers' : undefined,
      classWeights,
      numChoices,
    },
    collatorOf: (model) => createCollator(task, model, { ...collator, ...data, ...(columns === undefined ? {} : { columns }) }),
    computeMetrics: taskMetrics(task, labels?.kind),
  };
}

async function labelsOf(directory: string): Promise<readonly string[]> {
  const opened = await openModelDirectory(directory);
  await opened.close();
  return opened.config.id2label;
}
