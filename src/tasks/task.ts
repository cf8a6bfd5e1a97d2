// What all tasks have in common: one input or a list, texts that a head reads, what is told of each.
import type { Call } from '../calls/call.js';
import { computeTexts, type Computed } from '../calls/compute.js';
import type { TextInput } from '../calls/inputs.js';
import type { Sequence } from '../calls/job.js';
import type { LimitOptions } from '../calls/options.js';
import { TextReader } from '../calls/text-reader.js';
import { wrongOption } from '../expected.js';
import type { Model, Value } from '../models/index.js';
import type { Check } from '../options.js';
import type { EncodeOptions, Encoding } from '../tokenizer/index.js';

/** What every task tells of a text. */
export interface TaskReport {
  /** Tokens the model read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** A task on one input, or on a list, which runs in one batch. */
export interface TaskFunction<Input, Settings, Result> {
  (model: Model, input: Input, options?: Settings): Promise<Result>;
  (model: Model, inputs: readonly Input[], options?: Settings): Promise<Result[]>;
  (model: Model, input: Input | readonly Input[], options?: Settings): Promise<Result | Result[]>;
}

/** A task from its work on a list of inputs, which nobody has checked. */
export function taskFunction<Input, Settings, Result>(
  work: (model: Model, inputs: readonly unknown[], options: Settings | undefined) => Promise<Result[]>,
): TaskFunction<Input, Settings, Result> {
  const call = async (model: Model, input: Input | readonly Input[], options?: Settings) =>
    Array.isArray(input) ? work(model, input, options) : (await work(model, [input], options))[0]!;
  return call as TaskFunction<Input, Settings, Result>;
}

/** A check for a list of strings. */
export const strings: Check<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value as readonly string[];
  throw wrongOption(`an array of strings for ${name}`, value);
};

/** How the texts of a head's task are read and what is computed of them. */
export interface HeadWork {
  readonly values: readonly Value[];
  /** For the tokenizer. */
  readonly encode?: EncodeOptions;
  /** What is computed of an encoding, where that is not just the encoding. */
  readonly sequencesOf?: (encoding: Encoding, index: number) => readonly Sequence[];
}

/**
 * Reads texts as a head wants them, cut at the call's or the model's limit, and computes values of them.
 *
 * Errors: as `computeTexts`.
 */
export function computeHead(
  call: Call,
  inputs: readonly TextInput[],
  limits: LimitOptions,
  { values, encode, sequencesOf }: HeadWork,
): Promise<Computed> {
  // Prompts and lower case are what sentence-transformers does to the texts of an encoder: the heads' tasks know neither.
  const { tokenizer, maxTokens, config } = call.model;
  const reader = new TextReader(call.name, { tokenizer, maxTokens, config }, limits, encode);
  return computeTexts(call, reader, inputs, values, sequencesOf);
}

/** What a task tells of each text, from its encoding. */
export function reportOf({ length, truncated }: Encoding): TaskReport {
  return { tokens: length, truncated };
}
