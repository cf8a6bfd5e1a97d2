// The checks of the tasks' options. They load no task, so that the command line can make its flags of them.
import { callSchema, limitSchema, taskSchema } from '../calls/options.js';
import { flag, integer, oneOf, strings, taking, text, tokenLimit, type Check } from '../options.js';

const most = 1 << 20;

/** A check for a number of results, or null for all of them. */
export const countOrAll: Check<number | null> = taking({ kind: 'whole', least: 1 }, (value, name) =>
  value === null ? null : integer(1, most)(value, name),
);

/** Of `fillMask`. */
export const fillMaskSchema = { ...taskSchema, topK: integer(1, most), targets: strings };

/** Of `classifyText`. */
export const classifySchema = { ...taskSchema, topK: countOrAll, functionToApply: oneOf(['softmax', 'sigmoid', 'none']) };

/** Of `classifyZeroShot`. */
export const zeroShotSchema = { ...taskSchema, hypothesisTemplate: text, multiLabel: flag };

/** Of `recognizeEntities`. */
export const entitySchema = {
  ...taskSchema,
  aggregationStrategy: oneOf(['none', 'simple', 'first', 'average', 'max']),
  ignoreLabels: strings,
  stride: integer(0, most),
};

/** Of `answerQuestion`. */
export const answerSchema = {
  ...callSchema,
  splitSpecialTokens: limitSchema.splitSpecialTokens,
  topK: integer(1, 10_000),
  docStride: integer(0, most),
  maxAnswerLen: integer(1, most),
  maxSeqLen: tokenLimit(),
  maxQuestionLen: tokenLimit(),
  handleImpossibleAnswer: flag,
  alignToWords: flag,
  equalAnswers: oneOf(['sum', 'best']),
};

/** Of `predictPairs`. */
export const scoreSchema = { ...taskSchema, activation: oneOf(['sigmoid', 'none']) };

/** Of `rerank`. */
export const rerankSchema = { ...scoreSchema, topK: integer(1, Number.MAX_SAFE_INTEGER), returnDocuments: flag };
