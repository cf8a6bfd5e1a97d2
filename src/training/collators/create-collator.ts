import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { Columns, type ColumnNames } from '../datasets/columns.js';
import { rowsOf, type Dataset } from '../datasets/dataset.js';
import { labelSet, readLabelSet, type LabelSet, type LabelTask } from '../datasets/label-set.js';
import { describeRow, type Row } from '../datasets/row.js';
import { ClassificationCollator } from './classification.js';
import type { Collator } from './collator.js';
import { LanguageModelingCollator, type LanguageModelingOptions } from './language-modeling.js';
import { choicesOf, MultipleChoiceCollator } from './multiple-choice.js';
import { QuestionAnsweringCollator, type QuestionAnsweringOptions } from './question-answering.js';
import { ReplacedTokenCollator, type ReplacedTokenOptions } from './replaced-token.js';
import { TokenClassificationCollator, type TokenClassificationOptions } from './token-classification.js';

/** Tasks that have a collator. */
export type DataTask =
  | 'text-classification'
  | 'token-classification'
  | 'question-answering'
  | 'multiple-choice'
  | 'next-sentence-prediction'
  | 'fill-mask'
  | 'replaced-token'
  | 'cross-encoder';

/** What a task's head must know of its data before it can be built. */
export interface TaskData {
  readonly labels?: LabelSet | undefined;
  readonly numChoices?: number | undefined;
}

/** How the labels of a task are found. */
export interface InspectOptions {
  readonly columns?: ColumnNames | undefined;
  /** What texts are labelled with. Default: as the labels look. */
  readonly problemType?: 'single_label_classification' | 'multi_label_classification' | 'regression' | undefined;
  /** The labels that a model has: they are kept if they hold all that the data has, by name or as ids. */
  readonly known?: readonly string[] | undefined;
}

/**
 * Reads through a dataset for what a task's head must know: the labels and their kind, or the number of choices.
 *
 * Errors: DATASET, INVALID_LABEL (fewer than two classes), EMPTY_INPUT (no rows).
 */
export async function inspectDataset(task: DataTask, dataset: Dataset<Row>, options: InspectOptions = {}): Promise<TaskData> {
  const { columns, known } = options;
  if (task === 'multiple-choice') return { numChoices: await countChoices(dataset, columns) };
  if (task === 'next-sentence-prediction') return { labels: labelSet(['is_next', 'not_next']) };
  const labelTask = labelTaskOf(task, options);
  if (labelTask === undefined) return {};
  const found = await readLabelSet(labelTask, dataset, columns);
  if (known === undefined || found.kind === 'numbers') return { labels: found };
  const isKnown = found.id2label.every((label) => known.includes(label));
  const isIds = found.id2label.every((label) => /^(?:LABEL_)?\d+$/.test(label) && Number(label.replace('LABEL_', '')) < known.length);
  return { labels: isKnown || isIds ? labelSet(known, found.kind) : found };
}

/** Options of all collators; each takes what it knows. */
export interface CollatorOptions
  extends
    TaskData,
    Omit<TokenClassificationOptions, 'labels'>,
    Omit<QuestionAnsweringOptions, 'columns' | 'maxLength'>,
    Omit<LanguageModelingOptions, 'columns' | 'maxLength'>,
    Omit<ReplacedTokenOptions, 'columns' | 'maxLength'> {}

/** The collator of a task. Errors: INVALID_OPTION for labels or numChoices that the task needs, MAX_LENGTH, those of the collator. */
export function createCollator(task: DataTask, model: TextModel, options: CollatorOptions = {}): Collator<Row> {
  const labels = (): LabelSet => {
    if (options.labels !== undefined) return options.labels;
    throw unexpected('INVALID_OPTION', `labels for ${task}`, 'none');
  };
  switch (task) {
    case 'text-classification':
      return new ClassificationCollator(model, { ...options, labels: labels() });
    case 'next-sentence-prediction':
      return new ClassificationCollator(model, { ...options, labels: options.labels ?? labelSet(['is_next', 'not_next']), pairs: true });
    case 'cross-encoder':
      return new ClassificationCollator(model, { ...options, labels: labels(), pairs: true });
    case 'token-classification':
      return new TokenClassificationCollator(model, { ...options, labels: labels() });
    case 'question-answering':
      return new QuestionAnsweringCollator(model, options);
    case 'multiple-choice':
      if (options.numChoices === undefined) throw unexpected('INVALID_OPTION', 'numChoices for multiple-choice', 'none');
      return new MultipleChoiceCollator(model, { ...options, numChoices: options.numChoices });
    case 'fill-mask':
      return new LanguageModelingCollator(model, options);
    case 'replaced-token':
      return new ReplacedTokenCollator(model, options);
  }
}

function labelTaskOf(task: DataTask, { problemType }: InspectOptions): LabelTask | undefined {
  if (task === 'token-classification') return task;
  if (task !== 'text-classification' && task !== 'cross-encoder') return undefined;
  if (problemType === 'regression') return 'regression';
  return problemType === 'multi_label_classification' ? 'multi-label' : 'text-classification';
}

async function countChoices(dataset: Dataset<Row>, names: ColumnNames | undefined): Promise<number> {
  const columns = new Columns(names);
  for await (const row of rowsOf(dataset)) {
    const choices = choicesOf(row, columns.get(row, 'choices'));
    if (choices === undefined || choices.length < 2) {
      throw unexpected('DATASET', `two or more choices in ${describeRow(row, 0)}`, choices === undefined ? 'none' : choices.length);
    }
    return choices.length;
  }
  throw unexpected('EMPTY_INPUT', 'rows to learn from', 'none');
}
