import { countTokens } from '../calls/text-reader.js';
import { received, unexpected } from '../expected.js';
import type { Model } from '../models/index.js';
import type { Options } from '../options.js';
import { Budget } from '../runtime/event-loop-budget.js';
import type { Encoding } from '../tokenizer/index.js';
import { bestSlices, spanProbabilities } from './spans/answer-spans.js';
import { refuseUnknownKeys, requireString } from '../calls/inputs.js';
import type { CallOptions } from '../calls/options.js';
import { answerSchema } from './schemas.js';
import { computeHead, headTask, type TaskFunction, type TaskReport } from './task.js';

/** Options of `answerQuestion`; names and defaults are those of transformers' pipeline. */
export interface AnswerOptions extends CallOptions {
  /** Answers for each question, the best first. Default 1. */
  readonly topK?: number | undefined;
  /** Tokens that neighbouring windows of a long context share. Default: half a window, at most 128. */
  readonly docStride?: number | undefined;
  /** Longest answer in tokens. Default 15. */
  readonly maxAnswerLen?: number | undefined;
  /** Longest window in tokens, the question and special tokens included. Default: the model's limit, at most 384. */
  readonly maxSeqLen?: number | undefined;
  /** Longest question in tokens; a longer one is an error. Default 64. */
  readonly maxQuestionLen?: number | undefined;
  /** Lets "no answer" compete: an empty answer at 0, 0. Default false. */
  readonly handleImpossibleAnswer?: boolean | undefined;
  /** Widens answers to whole words. Default true. */
  readonly alignToWords?: boolean | undefined;
  /** As `LimitOptions` has it. */
  readonly splitSpecialTokens?: boolean | undefined;
  /**
   * What becomes of spans with one text. `'sum'` (default), as transformers 4.53 to 4.57: of each window the best 2 topK + 10 spans (topK
   * without `alignToWords`) count, the scores of equal texts add up, whatever their case and place, and the place is the first one's. A
   * score may then be above 1. `'best'`: every slice of the context is an answer of its own, with its best score; the best answer is that
   * of transformers up to 4.52.
   */
  readonly equalAnswers?: 'sum' | 'best' | undefined;
}

/** A question and the text that holds the answer. */
export interface QuestionInput {
  readonly question: string;
  readonly context: string;
}

/** A slice of the context: `context.slice(start, end)`. */
export interface Answer {
  readonly answer: string;
  readonly score: number;
  /** In UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** The answers to one question. */
export interface AnsweredQuestion extends TaskReport {
  /** The best first; empty only where no span of the context has any probability. */
  readonly answers: readonly Answer[];
  /** Windows the context was read in; nothing of it is cut off. */
  readonly windows: number;
}

/**
 * Finds answers in texts of any length: a long context is read in overlapping windows, all of them in one packed batch.
 *
 * Errors: NO_HEAD, EMPTY_INPUT (a question or context without text), MAX_LENGTH (a question over the limit), INVALID_ARG, INVALID_OPTION,
 * INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 *
 * @example
 * const { answers } = await answerQuestion(model, { question: 'Who sat on the mat?', context: 'A cat sat on the mat.' });
 * console.log(answers[0].answer, answers[0].score);
 */
export const answerQuestion: TaskFunction<QuestionInput, AnswerOptions, AnsweredQuestion> = headTask(
  'answerQuestion',
  'questionAnswering',
  answerSchema,
  async ({ model, head, call, settings }, inputs) => {
    const questions = inputs.map(readQuestion);
    const maxLength = settings.maxSeqLen ?? Math.min(model.maxTokens, 384);
    const room = maxLength - model.tokenizer.encode('', { pair: '' }).length;
    for (const [i, { question }] of questions.entries())
      await call.read(requireShort(model, question, { limit: settings.maxQuestionLen ?? 64, room }, i));
    const stride = settings.docStride ?? Math.min(Math.floor(maxLength / 2), 128);
    const pairs = questions.map(({ question, context }) => ({ text: question, textPair: context }));
    const windowsOf = (encoding: Encoding) => [encoding, ...encoding.overflowing];
    const { encodings, rows } = await computeHead(
      call,
      pairs,
      { maxLength, splitSpecialTokens: settings.splitSpecialTokens },
      { values: [head], encode: { truncation: 'only_second', stride, offsets: true }, sequencesOf: windowsOf },
    );
    const budget = new Budget(settings.signal, settings.priority);
    let next = 0;
    const results: AnsweredQuestion[] = [];
    for (const [i, encoding] of encodings.entries()) {
      const own = windowsOf(encoding);
      const logits = rows.slice(next, (next += own.length)).map(([row]) => row!);
      results.push({
        answers: await findAnswers(questions[i]!.context, own, logits, settings, budget),
        windows: own.length,
        tokens: own.reduce((sum, { length }) => sum + length, 0),
        truncated: false,
      });
    }
    return results;
  },
);

/** The best answers of all windows, found in turns of the event loop. */
async function findAnswers(
  context: string,
  windows: readonly Encoding[],
  logits: readonly Float32Array[],
  settings: Options<typeof answerSchema>,
  budget: Budget,
): Promise<Answer[]> {
  const { topK = 1, maxAnswerLen: longest = 15, alignToWords = true, equalAnswers = 'sum' } = settings;
  const isSum = equalAnswers === 'sum';
  // Of spans that widen to one word several may be needed: transformers' number decides which scores are added up.
  const choice = { longest, alignToWords, distinct: !isSum, count: isSum && alignToWords ? 2 * topK + 10 : topK };
  const answers = new Map<string, Answer>();
  let none = Infinity;
  for (const [w, window] of windows.entries()) {
    if (budget.isSpent) await budget.yield();
    const probabilities = spanProbabilities(window, logits[w]!);
    none = Math.min(none, probabilities.none);
    for (const { start, end, score } of bestSlices(window, probabilities, choice)) {
      const answer = context.slice(start, end);
      const key = isSum ? answer.toLowerCase() : `${start} ${end}`;
      const known = answers.get(key);
      if (known === undefined) answers.set(key, { answer, score, start, end });
      else answers.set(key, { ...known, score: isSum ? known.score + score : Math.max(known.score, score) });
    }
  }
  const all = [...answers.values()];
  if (settings.handleImpossibleAnswer === true) all.push({ answer: '', score: none, start: 0, end: 0 });
  return all.sort((a, b) => b.score - a.score).slice(0, topK);
}

function readQuestion(input: unknown, index: number): QuestionInput {
  refuseUnknownKeys(input, ['question', 'context'], `the input at index ${index} of answerQuestion`);
  const { question, context } = (input ?? {}) as { readonly question?: unknown; readonly context?: unknown };
  const read = (value: unknown, name: string): string => {
    const text = requireString(value, `${name} of the input at index ${index} of answerQuestion`);
    if (text.trim() !== '') return text;
    throw unexpected('EMPTY_INPUT', `a ${name} with text for the input at index ${index}`, received(text));
  };
  return { question: read(question, 'question'), context: read(context, 'context') };
}

/** Errors: MAX_LENGTH for a question over the limit, or one that leaves no room for the context in a window. */
function* requireShort(
  { tokenizer, config }: Model,
  question: string,
  { limit, room }: { limit: number; room: number },
  index: number,
): Generator<void, void> {
  const most = Math.min(Math.max(limit, room), config.maxSequenceLength - 1);
  const length = yield* countTokens(tokenizer, question, most);
  const got = length > most ? `more than ${most}` : length;
  if (length > limit) {
    throw unexpected('MAX_LENGTH', `a question of at most ${limit} tokens at index ${index}`, got, {
      hint: 'Shorten it or raise maxQuestionLen.',
    });
  }
  if (length >= room) {
    const wanted = `a question below ${room} tokens, so that windows have room for the context, at index ${index}`;
    throw unexpected('MAX_LENGTH', wanted, got, { hint: 'Shorten it or raise maxSeqLen.' });
  }
}
