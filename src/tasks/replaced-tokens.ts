import { readOptions } from '../options.js';
import { sigmoid } from './scores.js';
import {
  compute,
  encodeInputs,
  readInputs,
  reportOf,
  requireHead,
  taskFunction,
  taskSchema,
  type TaskOptions,
  type TaskReport,
  type TextInput,
} from './task-call.js';

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
export const detectReplacedTokens = taskFunction<TextInput, TaskOptions, ReplacedTokens>(async (model, inputs, options) => {
  const head = requireHead(model, 'replacedToken', 'detectReplacedTokens');
  const settings = readOptions('detectReplacedTokens', options, taskSchema);
  const encodings = await encodeInputs(model, 'detectReplacedTokens', readInputs('detectReplacedTokens', inputs), settings, {
    offsets: true,
  });
  const logits = await compute(model, encodings, [head], settings);
  return encodings.map((encoding, i) => ({
    replacedTokens: encoding.tokens.map((token, t) => {
      const logit = logits[i]![0]![t]!;
      const [start, end] = [encoding.offsets![2 * t]!, encoding.offsets![2 * t + 1]!];
      return { token, score: sigmoid(logit), replaced: logit > 0, start, end, special: encoding.specialTokensMask[t] === 1 };
    }),
    ...reportOf(encoding),
  }));
});
