import { sigmoid } from './scoring/scores.js';
import { readInputs, type TextInput } from '../calls/inputs.js';
import { taskSchema, type TaskOptions } from '../calls/options.js';
import { computeHead, headTask, reportOf, type TaskFunction, type TaskReport } from './task.js';

/** A token and whether it was replaced. */
export interface ReplacedToken {
  readonly token: string;
  /** Probability that it is not the original one. */
  readonly score: number;
  readonly replaced: boolean;
  /** Where it is in its text, in UTF-16 units; 0, 0 for special tokens. */
  readonly start: number;
  readonly end: number;
  /** Whether the tokenizer added it, as [CLS] and [SEP]. */
  readonly special: boolean;
}

/** The tokens of one text, special ones included. */
export interface ReplacedTokens extends TaskReport {
  readonly replacedTokens: readonly ReplacedToken[];
}

/**
 * ELECTRA's discriminator: which tokens of a text do not belong there.
 *
 * Errors: NO_HEAD, INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 */
export const detectReplacedTokens: TaskFunction<TextInput, TaskOptions, ReplacedTokens> = headTask(
  'detectReplacedTokens',
  'replacedToken',
  taskSchema,
  async ({ head, call, settings }, inputs) => {
    const texts = readInputs('detectReplacedTokens', inputs);
    const { encodings, rows } = await computeHead(call, texts, settings, { values: [head], encode: { offsets: true } });
    return encodings.map((encoding, i) => ({
      replacedTokens: encoding.tokens.map((token, t) => {
        const logit = rows[i]![0]![t]!;
        const [start, end] = [encoding.offsets![2 * t]!, encoding.offsets![2 * t + 1]!];
        return { token, score: sigmoid(logit), replaced: logit > 0, start, end, special: encoding.specialTokensMask[t] === 1 };
      }),
      ...reportOf(encoding),
    }));
  },
);
