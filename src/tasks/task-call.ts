import { exampleClass } from '../architectures/registry.js';
import { deadline, type Deadline } from '../calls/deadline.js';
import { packPooled, TextReader, type TextModel } from '../calls/text-reader.js';
import { BerthaError } from '../errors.js';
import { unexpected, wrongArgument, wrongOption } from '../expected.js';
import type { Heads, Model } from '../models/index.js';
import type { Value } from '../models/program/program.js';
import { abortSignal, integer, oneOf, unknownName, type Check, type Options } from '../options.js';
import type { PackedBatch } from '../runtime/batch.js';
import { newGroup } from '../runtime/session.js';
import type { EncodeOptions, Encoding } from '../tokenizer/index.js';
import { Turn } from '../runtime/turn.js';

/** What every task takes. */
export interface TaskOptions {
  /** Longest input in tokens, special tokens included. Default: the model's limit. */
  readonly maxLength?: number | undefined;
  /** What happens to a longer text: cut it, cut it with a process warning, or reject with MAX_LENGTH. Default `'truncate'`. */
  readonly onTruncate?: 'truncate' | 'warn' | 'error' | undefined;
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** `interactive` (default) goes before `bulk`. */
  readonly priority?: 'interactive' | 'bulk' | undefined;
  /** Milliseconds from the call after which nothing of it is started any more: it then rejects with DEADLINE. Default: none. */
  readonly deadlineMs?: number | undefined;
}

/** What every task tells of a text. */
export interface TaskReport {
  /** Tokens the model read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** A text, or a pair of texts that the model reads together. */
export type TextInput = string | TextPair;

/** Two texts that the model reads together. */
export interface TextPair {
  readonly text: string;
  readonly textPair?: string | undefined;
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

/** The checks of `TaskOptions`. */
export const taskSchema = {
  maxLength: integer(1, 1 << 20),
  onTruncate: oneOf(['truncate', 'warn', 'error']),
  signal: abortSignal,
  priority: oneOf(['interactive', 'bulk']),
  deadlineMs: deadline,
};

/** `TaskOptions`, checked. */
export type TaskSettings = Options<typeof taskSchema>;

/** How the work of a call is scheduled, checked. */
export interface CallSettings {
  readonly signal?: AbortSignal | undefined;
  readonly priority?: 'interactive' | 'bulk' | undefined;
  readonly deadlineMs?: Deadline | undefined;
}

/** A sequence on its way to the model. */
export interface Sequence {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  /** Positions whose rows `selected` values hold. */
  readonly selected?: Int32Array;
  /** Tokens at the start that pooling leaves out. */
  readonly poolSkip?: number;
  /** Ids that `targets` values are about, `TARGETS_PER_ROW` a selected position. */
  readonly targets?: Int32Array;
}

/** A job carries about this many tokens: enough to feed every thread, little enough to bound memory and to notice an abort soon. */
const kJobTokens = 8192;
/** Sequences in a job at most. */
const kJobSequences = 512;
/** Jobs of one call that may wait or run at once. */
const kJobsInFlight = 4;

const kHeadNames: Readonly<Record<keyof Heads, string>> = {
  maskedLm: 'a masked-word head',
  nextSentence: 'a next-sentence head',
  sequenceClassification: 'a classification head',
  tokenClassification: 'a head over tokens',
  questionAnswering: 'a head for answers',
  multipleChoice: 'a multiple-choice head',
  replacedToken: "a discriminator's head",
};

/** A head as messages name it: `a masked-word head (BertForMaskedLM)`. */
function headName(head: keyof Heads): string {
  return `${kHeadNames[head]} (${exampleClass(head)})`;
}

/** Heads whose rows are labels, so that they need those of config.json. */
const kLabelHeads: readonly (keyof Heads)[] = ['sequenceClassification', 'tokenClassification'];

/**
 * The head that a task needs: by default the model's, or another reading of the same tensors.
 *
 * Errors: INVALID_ARG, DISPOSED, NO_HEAD; MODEL_MISMATCH, DTYPE_UNSUPPORTED, CONFIG, CONFIG_UNSUPPORTED where the head is there and cannot be used.
 */
export function requireHead<K extends keyof Heads>(model: Model, head: K, task: string): NonNullable<Heads[K]> {
  requireModel(model, task);
  const { heads, otherHeads, headFaults } = model.values;
  const found = heads[head] ?? otherHeads[head];
  const { labelError } = model.config;
  const fault = headFaults[head] ?? (found !== undefined && kLabelHeads.includes(head) ? labelError : undefined);
  if (fault !== undefined) throw new BerthaError(fault.code, fault.message, { cause: fault });
  if (found !== undefined) return found;
  const is = model.config.architectures[0] ?? model.config.modelType;
  const has = Object.keys({ ...heads, ...otherHeads }).map((name) => headName(name as keyof Heads));
  throw unexpected('NO_HEAD', `a model with ${headName(head)} for ${task}`, `${is} with ${has.join(' and ') || 'no head at all'}`, {
    hint: 'Load a model that was trained for this task.',
  });
}

/** Errors: INVALID_ARG for what is no model, DISPOSED. */
export function requireModel(model: Model, task: string): void {
  const session: unknown = (model as Partial<Model> | null | undefined)?.session;
  if (session === undefined) throw wrongArgument(`a model from loadModel for ${task}`, model);
  if (model.session.disposed) throw unexpected('DISPOSED', `a loaded model for ${task}`, 'one that was disposed');
}

/** Texts and pairs, checked. Errors: INVALID_ARG, naming the index. */
export function readInputs(task: string, inputs: readonly unknown[]): TextPair[] {
  return inputs.map((each, i) => {
    if (typeof each === 'string') return { text: each };
    refuseUnknownKeys(each, ['text', 'textPair', 'text_pair'], `the input at index ${i} of ${task}`);
    const { text, text_pair: alias, textPair = alias } = (each ?? {}) as { text?: unknown; textPair?: unknown; text_pair?: unknown };
    if (typeof text !== 'string' || (textPair !== undefined && typeof textPair !== 'string')) {
      throw wrongArgument(`a string, or an object with text and textPair, for the input at index ${i} of ${task}`, each);
    }
    return textPair === undefined ? { text } : { text, textPair };
  });
}

/** Refuses a key of an input object that nobody reads, such as a mistyped one. Errors: INVALID_ARG. */
export function refuseUnknownKeys(input: unknown, known: readonly string[], name: string): void {
  if (typeof input !== 'object' || input === null) return;
  const unknown = Object.keys(input).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new BerthaError('INVALID_ARG', unknownName(`key of ${name}`, unknown, known).message);
}

/** Checks a string of a task's input. Errors: INVALID_ARG. */
export function requireString(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw wrongArgument(`a string for ${name}`, value);
}

/** A check for a list of strings. */
export const strings: Check<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value as readonly string[];
  throw wrongOption(`an array of strings for ${name}`, value);
};

/**
 * Tokenizes texts in slices of the event loop, cut at the call's or the model's limit.
 *
 * Errors: MAX_LENGTH, INPUT_TOO_LARGE, DEADLINE, the signal's reason.
 */
export async function encodeInputs(
  { tokenizer, maxTokens, config }: Pick<TextModel, 'tokenizer' | 'maxTokens' | 'config'>,
  task: string,
  inputs: readonly TextPair[],
  settings: TaskSettings,
  options: EncodeOptions = {},
): Promise<Encoding[]> {
  // Prompts and lower case are what sentence-transformers does to the texts of an encoder: the heads' tasks know neither.
  return readAll(new TextReader(task, { tokenizer, maxTokens, config }, settings, options), task, inputs, settings);
}

/** Reads texts one after the other, in slices of the event loop. Errors: as `encodeInputs`. */
export async function readAll(
  reader: TextReader,
  task: string,
  inputs: readonly TextPair[],
  { signal, priority, deadlineMs: deadline }: CallSettings,
): Promise<Encoding[]> {
  signal?.throwIfAborted();
  const turn = new Turn(signal, priority);
  const encodings: Encoding[] = [];
  for (const [index, { text, textPair }] of inputs.entries()) {
    encodings.push(await reader.read(text, textPair, index, turn));
    if (!turn.isOver) continue;
    await turn.next();
    deadline?.check();
  }
  if (reader.isWindowed) requireRoom(encodings, task, reader.maxLength);
  reader.warn();
  return encodings;
}

/** Refuses windows that special tokens fill, so that nothing of the text would be read. Errors: MAX_LENGTH. */
export function requireRoom(encodings: readonly Encoding[], task: string, maxLength: number | undefined): void {
  const first = encodings.findIndex(
    ({ truncated, specialTokensMask }) => truncated && specialTokensMask.every((isSpecial) => isSpecial === 1),
  );
  if (first < 0) return;
  throw unexpected(
    'MAX_LENGTH',
    `windows with room for the text at index ${first} of ${task}`,
    `a limit of ${maxLength} tokens, which special tokens fill`,
  );
}

/**
 * Computes values for sequences, packed without padding. For each sequence one array a value: its own rows.
 *
 * Errors: as `Session.run`.
 */
export async function compute(
  model: Model,
  sequences: readonly Sequence[],
  values: readonly Value[],
  { signal, priority, deadlineMs: deadline }: TaskSettings,
): Promise<Float32Array[][]> {
  const results = new Array<Float32Array[]>(sequences.length);
  const inFlight = new Set<Promise<void>>();
  const group = newGroup();
  try {
    for (let begin = 0; begin < sequences.length;) {
      const end = jobEnd(sequences, begin);
      const job = sequences.slice(begin, end);
      const batch = packSequences(model, job);
      const first = begin;
      const running = model.session.run(batch, values, { signal, priority, group, deadlineMs: deadline?.left }).then((outputs) => {
        job.forEach((_, i) => (results[first + i] = values.map((value, v) => rowsOf(outputs[v]!, value, batch, i))));
        inFlight.delete(running);
      });
      // It may fail while nobody waits for it; the next wait finds it then.
      running.catch(() => undefined);
      inFlight.add(running);
      if (inFlight.size >= kJobsInFlight) await Promise.race(inFlight);
      begin = end;
    }
    await Promise.all(inFlight);
  } finally {
    await Promise.allSettled(inFlight);
  }
  return results;
}

function jobEnd(sequences: readonly Sequence[], begin: number): number {
  let tokens = 0;
  let end = begin;
  while (end < sequences.length && end - begin < kJobSequences && tokens < kJobTokens) tokens += sequences[end++]!.ids.length;
  return end;
}

function packSequences(model: Model, sequences: readonly Sequence[]): PackedBatch {
  const batch = packPooled(model, sequences, sequences[0]?.poolSkip ?? 0);
  if (sequences[0]?.selected === undefined) return batch;
  const cuSelected = new Int32Array(sequences.length + 1);
  sequences.forEach(({ selected }, i) => (cuSelected[i + 1] = cuSelected[i]! + (selected?.length ?? 0)));
  const selected = Int32Array.from(sequences.flatMap((each) => Array.from(each.selected ?? [])));
  if (sequences[0].targets === undefined) return { ...batch, selected, cuSelected };
  return { ...batch, selected, cuSelected, targets: Int32Array.from(sequences.flatMap((each) => Array.from(each.targets ?? []))) };
}

/** The rows of one sequence in a value of a whole batch. */
function rowsOf(data: Float32Array, { rows, width }: Value, { cuSeqlens, cuSelected }: PackedBatch, sequence: number): Float32Array {
  if (rows === 'scores') {
    const square = (i: number) => width * (cuSeqlens[i + 1]! - cuSeqlens[i]!) ** 2;
    let begin = 0;
    for (let i = 0; i < sequence; i++) begin += square(i);
    return data.subarray(begin, begin + square(sequence));
  }
  const bounds = rows === 'tokens' ? cuSeqlens : rows === 'selected' ? cuSelected! : undefined;
  const begin = bounds === undefined ? sequence : bounds[sequence]!;
  const end = bounds === undefined ? sequence + 1 : bounds[sequence + 1]!;
  return data.subarray(begin * width, end * width);
}

/** What a task tells of each text, from its encoding. */
export function reportOf({ length, truncated }: Encoding): TaskReport {
  return { tokens: length, truncated };
}
