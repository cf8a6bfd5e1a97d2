import type { Model } from '../../models/index.js';
import { createCollator, taskMetrics, type Collator, type CollatorOptions, type TaskData } from '../collators/index.js';
import type { ColumnNames, Row } from '../datasets/index.js';
import type { LabelSet } from '../datasets/label-set.js';
import type { ProblemType } from '../../checkpoint/labels.js';
import type { ComputeMetrics } from '../trainer/evaluation.js';
import { TextVectorsCollator, textVectorsMetrics } from './text-vectors-collator.js';
import type { DistillTask } from './teacher.js';

/** How the rows of a task are read. */
export interface RowReading {
  readonly columns?: ColumnNames | undefined;
  readonly collator?: Omit<CollatorOptions, keyof TaskData | 'columns'> | undefined;
}

/** The collator of a task for a model that knows its labels. Errors: MAX_LENGTH, those of `createCollator`. */
export function collatorOf(task: DistillTask, model: Model, labels: LabelSet, { columns, collator }: RowReading): Collator<Row> {
  const named = columns === undefined ? {} : { columns };
  if (task === 'sentence-embedding') return new TextVectorsCollator(model, { ...named, maxLength: collator?.maxLength });
  return createCollator(task, model, { ...collator, ...named, ...(task === 'next-sentence-prediction' ? {} : { labels }) });
}

/** The usual scores of a task. */
export function metricsOf(task: DistillTask, { kind }: LabelSet): ComputeMetrics {
  return task === 'sentence-embedding' ? textVectorsMetrics : taskMetrics(task, kind);
}

/** A model's labels, for another that learns the same task: nothing for heads without labels of their own. */
export function labelOptions(
  task: DistillTask,
  { id2label, kind }: LabelSet,
): { readonly labels?: readonly string[]; readonly problemType?: ProblemType } {
  const problemTypes = { class: 'single_label_classification', classes: 'multi_label_classification', numbers: 'regression' } as const;
  if (task === 'token-classification') return { labels: id2label };
  return task === 'text-classification' || task === 'cross-encoder' ? { labels: id2label, problemType: problemTypes[kind] } : {};
}
