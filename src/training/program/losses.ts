import type { ModelConfig } from '../../architectures/config.js';
import type { DecoderOutputs } from '../../architectures/encoder-decoder/decoder.js';
import type { EncoderOutputs } from '../../architectures/encoder.js';
import type { Heads } from '../../architectures/heads.js';
import { unexpected } from '../../expected.js';
import type { ProgramBuilder, Value } from '../../models/program/program.js';
import type { TrainingInput } from '../../runtime/native.js';
import type { SentenceOutputs } from '../../models/sentence.js';
import { problemTypeOf } from './problem-type.js';
import { givenGradient, sentenceLosses, sentenceVectors } from '../sentence/program-losses.js';
import type { LossInput, TrainingTaskOptions } from './tasks.js';
import { appendStateLosses, squaredErrorTo } from './teacher-losses.js';

/** The losses of a program. */
export interface Losses {
  readonly inputs: readonly LossInput[];
  /** What predictions are made of. */
  readonly output: Value;
  /** Neighbouring sequences that stay together; 0: all of a micro-batch. */
  readonly sequencesPerGroup: number;
  /** The first op that is there for the losses. */
  readonly firstOp: number;
}

interface Parts {
  readonly encoder: EncoderOutputs;
  /** Of a model that writes. */
  readonly decoder?: DecoderOutputs;
  readonly heads: Heads;
  readonly sentence: SentenceOutputs;
}

/** Appends the losses of a task behind its heads. Errors: INVALID_OPTION. */
export function appendLosses(b: ProgramBuilder, parts: Parts, config: ModelConfig, options: TrainingTaskOptions): Losses {
  const firstOp = b.build().ops.length;
  const task = appendTask(b, parts, config, options);
  const inputs = appendStateLosses(b, parts.encoder.hiddenStates, options.teacher, task.inputs.length);
  const states: LossInput[] = inputs.length === 0 ? [] : [{ loss: 'mean_squared_error', inputs, counts: 'tokens' }];
  return { ...task, inputs: [...task.inputs, ...states], firstOp };
}

function appendTask(
  b: ProgramBuilder,
  { decoder, heads, sentence }: Parts,
  config: ModelConfig,
  options: TrainingTaskOptions,
): Omit<Losses, 'firstOp'> {
  const one = (output: Value, loss: LossInput, sequencesPerGroup = 1): Omit<Losses, 'firstOp'> => ({
    output,
    inputs: [loss],
    sequencesPerGroup,
  });
  switch (options.task) {
    case 'text-classification':
    case 'cross-encoder':
      return one(heads.sequenceClassification!, sequenceLoss(b, heads.sequenceClassification!, config, options));
    case 'token-classification':
      return one(heads.tokenClassification!, classLoss(b, heads.tokenClassification!, options));
    case 'question-answering': {
      const logits = heads.questionAnswering!;
      const spans = b.input({ name: 'spans', rows: 'sequences', width: 2, minimum: kIgnored, required: true });
      b.loss(logits, (output) => ({ op: 'span_cross_entropy', logits: logits.id, spans, output }));
      return one(logits, { loss: 'span_cross_entropy', inputs: ['spans'], counts: 'answers' });
    }
    case 'multiple-choice': {
      const logits = heads.multipleChoice!;
      const choices = options.numChoices;
      if (choices === undefined) throw unexpected('INVALID_OPTION', 'numChoices for multiple-choice', 'none');
      const labels = b.input({ name: 'labels', rows: 'sequences', limit: choices, minimum: kIgnored, required: true });
      b.loss(logits, (output) => ({ op: 'choice_cross_entropy', logits: logits.id, labels, choices, output }));
      return one(logits, { loss: 'choice_cross_entropy', inputs: ['labels'], counts: 'groups' }, choices);
    }
    case 'next-sentence-prediction':
      return one(heads.nextSentence!, classLoss(b, heads.nextSentence!, options));
    case 'fill-mask':
      return one(heads.maskedLm!.logits, classLoss(b, heads.maskedLm!.logits, options));
    case 'pretraining': {
      const words = classLoss(b, heads.maskedLm!.logits, options);
      const next = classLoss(b, heads.nextSentence!, {}, { name: 'sentenceLabels', items: 1 });
      return { output: heads.maskedLm!.logits, inputs: [words, next], sequencesPerGroup: 1 };
    }
    case 'replaced-token':
      return one(heads.replacedToken!, numberLoss(b, heads.replacedToken!, 'binary_cross_entropy'));
    case 'seq2seq':
    case 'causal-lm':
      return one(wordScores(decoder), classLoss(b, wordScores(decoder), options));
    case 'sentence-embedding':
      if (options.teacher?.embeddings === true) {
        const vector = sentenceVectors(sentence);
        return one(vector, { loss: 'mean_squared_error', inputs: [squaredErrorTo(b, vector, 'teacher')], counts: 'sequences' });
      }
      if (options.miniBatchSize !== undefined) {
        return { output: sentenceVectors(sentence), inputs: [givenGradient(b, sentenceVectors(sentence))], sequencesPerGroup: 1 };
      }
      return { output: sentenceVectors(sentence), inputs: [sentenceLosses(b, sentenceVectors(sentence), options)], sequencesPerGroup: 0 };
  }
}

/** The logits of a model that writes. Errors: NO_HEAD for a decoder that is stored without its head. */
export function wordScores(decoder: DecoderOutputs | undefined): Value {
  if (decoder?.logits !== undefined) return decoder.logits;
  throw unexpected('NO_HEAD', 'a decoder with a head over its words', 'one that is stored without');
}

/** Labels that do not count. */
const kIgnored = -100;

function sequenceLoss(b: ProgramBuilder, logits: Value, config: ModelConfig, options: TrainingTaskOptions): LossInput {
  const type = problemTypeOf(options.problemType ?? config.problemType, config.numLabels, options.labelKind);
  if (type === 'single_label_classification') return classLoss(b, logits, options);
  const loss = type === 'regression' ? 'mean_squared_error' : 'binary_cross_entropy';
  const { distillation } = options;
  if (distillation === undefined) return numberLoss(b, logits, loss);
  const { alpha } = distillation;
  const { inputs } = numberLoss(b, logits, loss, { weight: alpha });
  const soft = numberLoss(b, logits, loss, { weight: 1 - alpha, name: 'teacher' });
  return { ...soft, inputs: [...inputs, ...soft.inputs] };
}

function countsOf({ rows }: Value): LossInput['counts'] {
  return rows === 'tokens' || rows === 'target' || rows === 'selected' ? rows : 'sequences';
}

type ClassOptions = Pick<TrainingTaskOptions, 'labelSmoothing' | 'classWeights' | 'distillation'>;

function classLoss(
  b: ProgramBuilder,
  logits: Value,
  options: ClassOptions,
  place: { readonly name: TrainingInput; readonly items: number } = { name: 'labels', items: 0 },
): LossInput {
  const { name, items } = place;
  const labels = b.input({ name, rows: logits.rows, limit: logits.width, minimum: kIgnored, required: true });
  const counts = countsOf(logits);
  const { labelSmoothing, classWeights, distillation } = options;
  if (classWeights !== undefined && classWeights.length !== logits.width) {
    throw unexpected('INVALID_OPTION', `${logits.width} numbers for classWeights, one a label,`, String(classWeights.length));
  }
  if (distillation !== undefined) {
    const teacher = b.input({ name: 'teacher', rows: logits.rows, width: logits.width, dtype: 'float32', required: true });
    b.loss(logits, (output) => ({ op: 'distill', logits: logits.id, labels, teacher, ...distillation, items, output }));
    return { loss: 'distill', inputs: [name, 'teacher'], counts };
  }
  b.loss(logits, (output) => ({ op: 'cross_entropy', logits: logits.id, labels, labelSmoothing, classWeights, items, output }));
  return { loss: 'cross_entropy', inputs: [name], counts };
}

/** The mean over all numbers of a row, so that `numItems` counts rows. */
function numberLoss(
  b: ProgramBuilder,
  logits: Value,
  loss: 'binary_cross_entropy' | 'mean_squared_error',
  { name = 'numbers', weight = 1 }: { readonly name?: TrainingInput; readonly weight?: number } = {},
): LossInput {
  const targets = b.input({ name, rows: logits.rows, width: logits.width, dtype: 'float32', required: true });
  b.loss(logits, (output) => ({ op: loss, logits: logits.id, targets, weight: weight / logits.width, output }));
  return { loss, inputs: [name], counts: countsOf(logits) };
}
