import { wrongArgument } from '../expected.js';
import { argmax, softmax } from './scoring/scores.js';
import { readInputs, refuseUnknownKeys, requireString, type TextPair } from '../calls/inputs.js';
import { taskSchema, type TaskOptions } from '../calls/options.js';
import { computeHead, headTask, reportOf, type TaskFunction, type TaskReport } from './task.js';

/** Whether a text follows another; the two add up to 1. */
export interface NextSentence extends TaskReport {
  readonly isNext: number;
  readonly notNext: number;
}

/**
 * The probability that `textPair` is the sentence after `text`, by the head of BERT's pretraining.
 *
 * Errors: NO_HEAD, INVALID_ARG (also for a text without its pair), INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of
 * `forward`.
 */
export const predictNextSentence: TaskFunction<TextPair, TaskOptions, NextSentence> = headTask(
  'predictNextSentence',
  'nextSentence',
  taskSchema,
  async ({ head, call, settings }, inputs) => {
    const pairs = readInputs('predictNextSentence', inputs);
    pairs.forEach(({ textPair }, i) => requireString(textPair, `textPair of the input at index ${i} of predictNextSentence`));
    const { encodings, rows } = await computeHead(call, pairs, settings, { values: [head] });
    return encodings.map((encoding, i) => {
      const [isNext, notNext] = softmax(rows[i]![0]!);
      return { isNext: isNext!, notNext: notNext!, ...reportOf(encoding) };
    });
  },
);

/** A text and how it may go on. */
export interface ChoiceInput {
  readonly text: string;
  readonly choices: readonly string[];
}

/** The choice a model makes. */
export interface ChosenAnswer extends TaskReport {
  /** Index of the best choice. */
  readonly choice: number;
  /** `[choices]`: probabilities, adding up to 1. */
  readonly scores: readonly number[];
}

/**
 * Chooses how a text goes on: each choice is read together with the text, and their scores meet in one softmax.
 *
 * Errors: as `predictNextSentence`.
 */
export const multipleChoice: TaskFunction<ChoiceInput, TaskOptions, ChosenAnswer> = headTask(
  'multipleChoice',
  'multipleChoice',
  taskSchema,
  async ({ head, call, settings }, inputs) => {
    const questions = inputs.map(readChoices);
    const pairs = questions.flatMap(({ text, choices }) => choices.map((textPair) => ({ text, textPair })));
    const { encodings, rows } = await computeHead(call, pairs, settings, { values: [head] });
    let next = 0;
    return questions.map(({ choices }) => {
      const own = encodings.slice(next, next + choices.length);
      const scores = softmax(choices.map((_, c) => rows[next + c]![0]![0]!));
      next += choices.length;
      const tokens = own.reduce((sum, { length }) => sum + length, 0);
      return { choice: argmax(scores), scores: Array.from(scores), tokens, truncated: own.some(({ truncated }) => truncated) };
    });
  },
);

function readChoices(input: unknown, index: number): ChoiceInput {
  refuseUnknownKeys(input, ['text', 'choices'], `the input at index ${index} of multipleChoice`);
  const { text, choices } = (input ?? {}) as { readonly text?: unknown; readonly choices?: unknown };
  const prompt = requireString(text, `text of the input at index ${index} of multipleChoice`);
  if (!Array.isArray(choices) || choices.length === 0) {
    throw wrongArgument(`a list of texts for choices of the input at index ${index} of multipleChoice`, choices);
  }
  return {
    text: prompt,
    choices: choices.map((each: unknown, c) => requireString(each, `the choice ${c} of the input at index ${index}`)),
  };
}
