// The options that calls have in common, each with its check. A call's own schema begins with these.
import { callback, flag, oneOf, text, tokenLimit } from '../options.js';
import type { CallReport } from '../runtime/observe.js';
import { runSchema } from '../runtime/options/run-options.js';
import type { RunOptions } from '../runtime/session.js';
import { deadline } from './deadline.js';

/** When a call runs, and who hears of it. */
export interface CallOptions {
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** `'interactive'` goes before `'bulk'`, also before bulk work that has begun. Default `'interactive'`. */
  readonly priority?: RunOptions['priority'];
  /** Milliseconds from the call after which nothing of it is started any more: it then rejects with DEADLINE. Default: none. */
  readonly deadlineMs?: number | undefined;
  /** Hears, before the call resolves, what it spent its time on, and how much the model read. */
  readonly onTimings?: ((report: CallReport) => void) | undefined;
}

/** The checks of `CallOptions`. */
export const callSchema = { ...runSchema, deadlineMs: deadline, onTimings: callback };

/** `CallOptions`, checked. */
export type CallSettings = { readonly [Key in keyof typeof callSchema]?: ReturnType<(typeof callSchema)[Key]> | undefined };

/** What becomes of long texts, and of special tokens that stand in texts. */
export interface LimitOptions {
  /** Longest input in tokens, special tokens included. Default: the model's limit. */
  readonly maxLength?: number | undefined;
  /** What happens to a longer text: cut it, cut it with a process warning, or reject with MAX_LENGTH. Default `'truncate'`. */
  readonly onTruncate?: 'truncate' | 'warn' | 'error' | undefined;
  /** Which end of a longer text is left out; of a pair, always from the longer text of the two. Default: as the tokenizer's files say, `'right'` as a rule. */
  readonly truncationSide?: 'left' | 'right' | undefined;
  /** Reads `[SEP]` and its like in a text as ordinary text, for texts that nobody vouches for. Default: they are the tokens, as in Python. */
  readonly splitSpecialTokens?: boolean | undefined;
}

/** The checks of `LimitOptions`. */
export const limitSchema = {
  maxLength: tokenLimit(),
  onTruncate: oneOf(['truncate', 'warn', 'error']),
  truncationSide: oneOf(['left', 'right']),
  splitSpecialTokens: flag,
};

/** What stands before texts. */
export interface PromptOptions {
  /** Name of one of the model's prompts, put before each text. Default: the model's default prompt, if it has one. */
  readonly promptName?: string | undefined;
  /** A prompt of your own, put before each text as it is; `''` for none. Not together with `promptName`. */
  readonly prompt?: string | undefined;
}

/** The checks of `PromptOptions`. */
export const promptSchema = { promptName: text, prompt: text };

/** What every task takes. */
export interface TaskOptions extends LimitOptions, CallOptions {}

/** The checks of `TaskOptions`. */
export const taskSchema = { ...limitSchema, ...callSchema };
