import { unexpected, wrongOption } from '../expected.js';
import type { Model } from '../models/index.js';
import { descending, softmax } from './scoring/scores.js';
import { strFormat } from './templates/str-format.js';
import { startCall } from '../calls/call.js';
import { requireString } from '../calls/inputs.js';
import type { TaskOptions } from '../calls/options.js';
import { requireHead } from './require-head.js';
import { zeroShotSchema } from './schemas.js';
import { computeHead } from './task.js';

/** Options of `classifyZeroShot`. */
export interface ZeroShotOptions extends TaskOptions {
  /** The hypothesis about a text; `{}` is where the label goes. Read as Python's `str.format` reads it. Default `'This example is {}.'`. */
  readonly hypothesisTemplate?: string | undefined;
  /** Whether labels are independent of each other, each with a score of its own. Default false: the scores add up to 1. */
  readonly multiLabel?: boolean | undefined;
}

/** The labels of one text, the best first. */
export interface ZeroShotResult {
  readonly sequence: string;
  readonly labels: readonly string[];
  readonly scores: readonly number[];
  /** Whether the text was cut to make room for a hypothesis. */
  readonly truncated: boolean;
}

/**
 * Classifies texts by labels the model was never trained on: a model for inference (entailment) judges "This example is {label}." for
 * each. All pairs of texts and labels run in one packed batch.
 *
 * Errors: NO_HEAD, INVALID_LABEL (a model without a label for entailment; no label to choose from), INVALID_ARG, INVALID_OPTION, MAX_LENGTH,
 * INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 *
 * @example
 * const result = await classifyZeroShot(model, 'The match ended two to one.', ['sports', 'politics']);
 * console.log(result.labels[0], result.scores[0]);
 */
export function classifyZeroShot(
  model: Model,
  input: string,
  labels: string | readonly string[],
  options?: ZeroShotOptions,
): Promise<ZeroShotResult>;
export function classifyZeroShot(
  model: Model,
  input: readonly string[],
  labels: string | readonly string[],
  options?: ZeroShotOptions,
): Promise<ZeroShotResult[]>;
export function classifyZeroShot(
  model: Model,
  input: string | readonly string[],
  labels: string | readonly string[],
  options?: ZeroShotOptions,
): Promise<ZeroShotResult | ZeroShotResult[]>;
export async function classifyZeroShot(
  model: Model,
  input: string | readonly string[],
  labels: string | readonly string[],
  options?: ZeroShotOptions,
): Promise<ZeroShotResult | ZeroShotResult[]> {
  const head = requireHead(model, 'sequenceClassification', 'classifyZeroShot');
  const [call, settings] = startCall('classifyZeroShot', model, options, zeroShotSchema);
  const texts = (Array.isArray(input) ? input : [input]).map((each: unknown, i) =>
    requireString(each, `the text at index ${i} of classifyZeroShot`),
  );
  const candidates = readLabels(labels);
  const { entailment, contradiction } = inferenceLabels(model);
  const template = settings.hypothesisTemplate ?? 'This example is {}.';
  const hypotheses = candidates.map((label) => strFormat(template, label));
  if (hypotheses[0] === template) {
    throw wrongOption('{} in classifyZeroShot option hypothesisTemplate', template);
  }
  const pairs = texts.flatMap((text) => hypotheses.map((textPair) => ({ text, textPair })));
  const { encodings, rows: logits } = await computeHead(call, pairs, settings, { values: [head], encode: { truncation: 'only_first' } });
  const isSingle = candidates.length === 1;
  const results = texts.map((sequence, t) => {
    const rows = candidates.map((_, c) => logits[t * candidates.length + c]![0]!);
    const scores =
      settings.multiLabel === true || isSingle
        ? rows.map((row) => softmax([row[contradiction]!, row[entailment]!])[1]!)
        : Array.from(softmax(rows.map((row) => row[entailment]!)));
    const order = descending(scores);
    return {
      sequence,
      labels: order.map((c) => candidates[c]!),
      scores: order.map((c) => scores[c]!),
      truncated: encodings.slice(t * candidates.length, (t + 1) * candidates.length).some(({ truncated }) => truncated),
    };
  });
  call.finish();
  return Array.isArray(input) ? results : results[0]!;
}

/** A list as it is, or what stands between commas, trimmed and without blanks. */
function readLabels(labels: string | readonly string[]): string[] {
  const list: readonly unknown[] = Array.isArray(labels) ? labels : [labels];
  const names = list.map((label, i) => requireString(label, `the label at index ${i} of classifyZeroShot`));
  const candidates = typeof labels === 'string' ? splitLabels(labels) : names;
  if (candidates.length > 0) return candidates;
  throw unexpected('INVALID_LABEL', 'at least one label for classifyZeroShot', 'none');
}

function splitLabels(labels: string): string[] {
  return labels
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}

/** Which logits say "follows" and "contradicts", by the labels' names as transformers reads them. */
function inferenceLabels({ config }: Model): { entailment: number; contradiction: number } {
  const entailment = config.id2label.findIndex((label) => label.toLowerCase().startsWith('entail'));
  if (entailment >= 0 && config.numLabels > 1) return { entailment, contradiction: entailment === 0 ? config.numLabels - 1 : 0 };
  throw unexpected(
    'INVALID_LABEL',
    'a model with a label for entailment for classifyZeroShot',
    `the labels ${config.id2label.slice(0, 10).join(', ')}`,
    { hint: 'Use a model trained on natural language inference.' },
  );
}
