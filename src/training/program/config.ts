import { classSuffixes } from '../../architectures/class-names.js';
import type { ModelConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import type { JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import { problemTypeOf } from './problem-type.js';
import { headsOfTask, type TrainingTaskOptions } from './tasks.js';

/** config.json of a model that learns a task, as transformers would save it: its class, its labels and how they are read, float32. */
export function trainingConfig(config: ModelConfig, family: Family, options: TrainingTaskOptions): JsonObject {
  const { torch_dtype: _, num_labels: __, ...raw } = config.raw;
  const modelType = family.within?.modelType ?? config.modelType;
  const changed = { ...raw, model_type: modelType, architectures: [family.className + classSuffix(options)], dtype: 'float32' };
  if (!hasLabels(options)) return changed;

  const { id2label: _names, label2id: _ids, problem_type: _type, ...rest } = changed as JsonObject;
  const labels = labelsOf(config, options);
  const problem = options.problemType ?? (sameLabels(labels, config) ? config.problemType : undefined);
  const isSequence = options.task !== 'token-classification';
  return {
    ...rest,
    id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    ...(isSequence ? { problem_type: problemTypeOf(problem, labels.length, options.labelKind) } : {}),
  };
}

function classSuffix({ task }: TrainingTaskOptions): string {
  const heads = headsOfTask[task];
  if (heads.length === 0) return 'Model';
  const [head] = heads;
  return heads.length > 1 || head === 'replacedToken' ? 'ForPreTraining' : classSuffixes[head as keyof typeof classSuffixes];
}

function hasLabels({ task }: TrainingTaskOptions): boolean {
  return task === 'text-classification' || task === 'cross-encoder' || task === 'token-classification';
}

function labelsOf(config: ModelConfig, { task, labels, numLabels }: TrainingTaskOptions): readonly string[] {
  if (labels !== undefined) {
    const distinct = new Set(labels).size;
    if (distinct === labels.length && distinct > 0 && (numLabels ?? distinct) === distinct) return labels;
    throw unexpected('INVALID_OPTION', `${numLabels ?? 'one or more'} different names for labels`, labels.join(', '));
  }
  // sentence-transformers' default for a model that is no cross-encoder yet.
  const isNew = config.architectures.every((name) => !name.endsWith('ForSequenceClassification'));
  const count = numLabels ?? (task === 'cross-encoder' && isNew ? 1 : config.numLabels);
  if (!Number.isInteger(count) || count < 1) throw unexpected('INVALID_OPTION', 'a positive integer for numLabels', String(count));
  return count === config.numLabels ? config.id2label : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
}

function sameLabels(labels: readonly string[], { id2label }: ModelConfig): boolean {
  return labels.length === id2label.length && labels.every((label, id) => label === id2label[id]);
}
