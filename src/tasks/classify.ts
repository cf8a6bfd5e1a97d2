import type { Model } from '../models/index.js';
import { descending, sigmoid, softmax } from './scoring/scores.js';
import { readInputs, type TextInput } from '../calls/inputs.js';
import type { TaskOptions } from '../calls/options.js';
import { classifySchema } from './schemas.js';
import { computeHead, headTask, reportOf, type TaskFunction, type TaskReport } from './task.js';

/** How logits become scores. */
export type ScoreFunction = 'softmax' | 'sigmoid' | 'none';

/** Options of `classifyText`. */
export interface ClassifyOptions extends TaskOptions {
  /** Labels for each text, the best first; null for all. Default 1. */
  readonly topK?: number | null | undefined;
  /** Default: none for regression, sigmoid for several labels at once or a single one, else softmax. */
  readonly functionToApply?: ScoreFunction | undefined;
}

/** A label and how well it fits. */
export interface LabelScore {
  readonly label: string;
  readonly score: number;
}

/** The labels of one text. */
export interface ClassifiedText extends TaskReport {
  /** The best first. */
  readonly labels: readonly LabelScore[];
}

/**
 * Classifies texts, or pairs of texts.
 *
 * Errors: NO_HEAD, INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 *
 * @example
 * const { labels } = await classifyText(model, 'I love this film.');
 * console.log(labels[0].label, labels[0].score);
 */
export const classifyText: TaskFunction<TextInput, ClassifyOptions, ClassifiedText> = headTask(
  'classifyText',
  'sequenceClassification',
  classifySchema,
  async ({ model, head, call, settings }, inputs) => {
    const { encodings, rows } = await computeHead(call, readInputs('classifyText', inputs), settings, { values: [head] });
    const apply = settings.functionToApply ?? scoreFunction(model);
    const count = settings.topK === null ? Infinity : (settings.topK ?? 1);
    return encodings.map((encoding, i) => {
      const scores = applyFunction(apply, rows[i]![0]!);
      const best = descending(scores).slice(0, count);
      return { labels: best.map((id) => ({ label: model.config.id2label[id]!, score: scores[id]! })), ...reportOf(encoding) };
    });
  },
);

/** The function transformers' pipeline would choose. */
export function scoreFunction({ config }: Model): ScoreFunction {
  if (config.problemType === 'regression') return 'none';
  if (config.problemType === 'multi_label_classification' || config.numLabels === 1) return 'sigmoid';
  if (config.problemType === 'single_label_classification' || config.numLabels > 1) return 'softmax';
  return 'none';
}

function applyFunction(name: ScoreFunction, logits: Float32Array): Float64Array {
  if (name === 'softmax') return softmax(logits);
  return Float64Array.from(logits, name === 'sigmoid' ? sigmoid : (x) => x);
}
