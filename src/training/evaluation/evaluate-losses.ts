import type { ModelConfig } from '../../architectures/config.js';
import { unexpected } from '../../expected.js';
import type { BuiltModel } from '../../models/build-model.js';
import type { Value } from '../../models/program/program.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeMicroBatch } from '../../runtime/native.js';
import { wordScores } from '../program/losses.js';
import { problemTypeOf } from '../program/problem-type.js';
import { logSumExp } from './log-sum-exp.js';
import { sentenceLossSum } from '../sentence/loss-sum.js';
import { sentenceVectors } from '../sentence/program-losses.js';
import type { TrainingTaskOptions } from '../program/tasks.js';

/** The values of the live program that predictions and losses are made of; the first is what predictions are made of. */
export function evaluatedValues({ decoder, heads, sentence }: BuiltModel, { task }: TrainingTaskOptions): Value[] {
  if (task === 'seq2seq' || task === 'causal-lm') return [wordScores(decoder)];
  if (task === 'pretraining') return [heads.maskedLm!.logits, heads.nextSentence!];
  const value =
    heads.sequenceClassification ??
    heads.tokenClassification ??
    heads.questionAnswering ??
    heads.multipleChoice ??
    heads.nextSentence ??
    heads.maskedLm?.logits ??
    heads.replacedToken ??
    sentenceVectors(sentence);
  return [value];
}

/**
 * Each loss summed over what counts, in float64, as the training program's losses compute them, in short turns of the event loop.
 *
 * Errors: INVALID_OPTION, the reason of the budget's signal.
 */
export async function evaluateLosses(
  values: readonly Value[],
  outputs: readonly Float32Array[],
  batch: NativeMicroBatch,
  config: ModelConfig,
  options: TrainingTaskOptions,
  budget: Budget,
): Promise<number[]> {
  const logits = outputs[0]!;
  const width = values[0]!.width;
  const labels = batch.labels as Int32Array | undefined;
  const numbers = batch.numbers as Float32Array | undefined;
  switch (options.task) {
    case 'text-classification':
    case 'cross-encoder': {
      const type = problemTypeOf(options.problemType ?? config.problemType, config.numLabels, options.labelKind);
      if (type === 'single_label_classification') return [await classSum(logits, width, labels!, options, budget)];
      return [numberSum(logits, width, numbers!, type === 'regression' ? squaredError : binaryCrossEntropy)];
    }
    case 'token-classification':
    case 'next-sentence-prediction':
    case 'fill-mask':
    case 'seq2seq':
    case 'causal-lm':
      return [await classSum(logits, width, labels!, options, budget)];
    case 'pretraining':
      return [
        await classSum(logits, width, labels!, options, budget),
        await classSum(outputs[1]!, 2, batch.sentenceLabels as Int32Array, {}, budget),
      ];
    case 'replaced-token':
      return [numberSum(logits, 1, numbers!, binaryCrossEntropy)];
    case 'question-answering':
      return [spanSum(logits, batch.cuSeqlens, batch.spans as Int32Array)];
    case 'multiple-choice': {
      const { numChoices } = options;
      if (numChoices === undefined) throw unexpected('INVALID_OPTION', 'numChoices for multiple-choice', 'none');
      const firsts = labels!.filter((_, i) => i % numChoices === 0);
      return [await classSum(logits, numChoices, firsts, {}, budget)];
    }
    case 'sentence-embedding':
      return [sentenceLossSum(logits, width, numbers, options)];
  }
}

/** Σ of cross entropies of rows with a label; of masked words a row has a vocabulary's numbers. */
async function classSum(
  logits: Float32Array,
  width: number,
  labels: Int32Array,
  { labelSmoothing: smoothing = 0, classWeights }: Partial<TrainingTaskOptions>,
  budget: Budget,
): Promise<number> {
  const weightOf = (index: number): number => classWeights?.[index] ?? 1;
  let sum = 0;
  for (const [row, label] of labels.entries()) {
    if (budget.isSpent) await budget.yield();
    if (label < 0) continue;
    const scores = logits.subarray(row * width, (row + 1) * width);
    const whole = logSumExp(scores);
    sum += (1 - smoothing) * weightOf(label) * (whole - scores[label]!);
    if (smoothing > 0) sum += (smoothing / width) * scores.reduce((total, score, index) => total + weightOf(index) * (whole - score), 0);
  }
  return sum;
}

/** Σ over rows of the mean over a row's numbers; a target of NaN adds nothing. */
function numberSum(logits: Float32Array, width: number, targets: Float32Array, loss: (score: number, target: number) => number): number {
  return logits.reduce((sum, score, i) => (Number.isNaN(targets[i]!) ? sum : sum + loss(score, targets[i]!) / width), 0);
}

function squaredError(score: number, target: number): number {
  return (score - target) ** 2;
}

function binaryCrossEntropy(score: number, target: number): number {
  return Math.max(score, 0) - score * target + Math.log1p(Math.exp(-Math.abs(score)));
}

/** Half of the cross entropies of starts and ends over each sequence's own tokens. */
function spanSum(logits: Float32Array, cuSeqlens: Int32Array, spans: Int32Array): number {
  let sum = 0;
  for (let sequence = 0; sequence + 1 < cuSeqlens.length; sequence++) {
    const [begin, end] = [cuSeqlens[sequence]!, cuSeqlens[sequence + 1]!];
    for (const side of [0, 1]) {
      const at = spans[2 * sequence + side]!;
      if (at < 0 || at >= end - begin) continue;
      const scores = Float64Array.from({ length: end - begin }, (_, i) => logits[2 * (begin + i) + side]!);
      sum += (logSumExp(scores) - scores[at]!) / 2;
    }
  }
  return sum;
}
