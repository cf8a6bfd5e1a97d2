// What all tasks have in common: one input or a list, texts that a head reads, what is told of each.
import { startCall, type Call } from '../calls/call.js';
import { computeTexts, type Computed } from '../calls/compute.js';
import type { TextInput } from '../calls/inputs.js';
import type { Sequence } from '../calls/job.js';
import type { LimitOptions } from '../calls/options.js';
import { asEncoding, TextReader } from '../calls/text-reader.js';
import type { Heads, Model, Value } from '../models/index.js';
import type { Options, Schema } from '../options.js';
import type { EncodeOptions, Encoding } from '../tokenizer/index.js';
import { requireHead } from './require-head.js';

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

/** What a task's work is given. */
export interface HeadCall<K extends keyof Heads, S extends Schema> {
  readonly model: Model;
  readonly head: NonNullable<Heads[K]>;
  readonly call: Call;
  readonly settings: Options<S>;
}

/**
 * A task of a head, from its work on a list of inputs, which nobody has checked. The task's name is what errors and events call it.
 *
 * Errors of the task: those of `requireHead`, INVALID_OPTION, MAX_LENGTH, those of `work`.
 */
export function headTask<K extends keyof Heads, S extends Schema, Input, Settings, Result>(
  name: string,
  head: K,
  schema: S,
  work: (call: HeadCall<K, S>, inputs: readonly unknown[]) => Promise<Result[]>,
): TaskFunction<Input, Settings, Result> {
  const run = async (model: Model, inputs: readonly unknown[], options: unknown): Promise<Result[]> => {
    const found = requireHead(model, head, name);
    const [call, settings] = startCall(name, model, options, schema);
    const results = await work({ model, head: found, call, settings }, inputs);
    call.finish();
    return results;
  };
  const task = async (model: Model, input: Input | readonly Input[], options?: Settings) =>
    Array.isArray(input) ? run(model, input, options) : (await run(model, [input], options))[0]!;
  return task as TaskFunction<Input, Settings, Result>;
}

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

/** Reads texts as `computeHead` does, without computing anything yet. Errors: MAX_LENGTH, INPUT_TOO_LARGE; DEADLINE, the signal's reason. */
export async function readTexts(call: Call, inputs: readonly TextInput[], limits: LimitOptions): Promise<Encoding[]> {
  const { tokenizer, maxTokens, config } = call.model;
  const reader = new TextReader(call.name, { tokenizer, maxTokens, config }, limits);
  const encodings: Encoding[] = [];
  for (const [index, input] of inputs.entries()) encodings.push(await call.read(reader.read(input, index, asEncoding)));
  reader.warn();
  return encodings;
}

/** What a task tells of each text, from its encoding. */
export function reportOf({ length, truncated }: Encoding): TaskReport {
  return { tokens: length, truncated };
}
