import type { SentenceTransformersConfig } from '../checkpoint/sentence/sentence-transformers.js';
import { unexpected } from '../expected.js';
import { unknownName } from '../options.js';
import type { Budget } from '../runtime/event-loop-budget.js';
import {
  MAX_TEXT_UNITS,
  type EncodedIds,
  type EncodeOptions,
  type EncodeSettings,
  type Encoding,
  type EncodingTask,
  type PreparedBy,
  type Tokenizer,
} from '../tokenizer/index.js';
import type { TextInput } from './inputs.js';
import type { LimitOptions, PromptOptions } from './options.js';

/** What reading texts needs to know of a model. */
export interface TextModel {
  readonly tokenizer: Tokenizer;
  /** The length limit in tokens, special ones included, where a call names none. */
  readonly maxTokens: number | undefined;
  readonly config: { readonly maxSequenceLength: number };
  readonly sentence?: Pick<SentenceTransformersConfig, 'prompts' | 'defaultPromptName' | 'doLowerCase' | 'pooling'> | undefined;
}

/** How the texts of a call are read. */
export type TextSettings = LimitOptions & PromptOptions;

/** What becomes of a text that was read: `asIds` or `asEncoding`. */
export type Finish<E extends EncodedIds> = (task: EncodingTask) => E;
export const asIds: Finish<EncodedIds> = (task) => task.finishIds();
export const asEncoding: Finish<Encoding> = (task) => task.finish();

/** UTF-16 units that are tokenized in one go: well under a millisecond, a few where added tokens are looked for in normalized text. */
const kSliceUnits = 1 << 12;

/**
 * How one call reads its texts: what stands before them, lower case, the length limit, what becomes of longer ones. The one way from
 * text to tokens for all calls. Texts are read one after the other.
 */
export class TextReader {
  readonly maxLength: number | undefined;
  /** Tokens of the prompt, with which every window of a text begins; 0 without a prompt. */
  readonly promptTokens: number;
  /** Tokens at the start of every text that pooling leaves out, as the model's files say: those of the prompt and before it. */
  readonly poolSkip: number;
  /** Whether a longer text is read in windows instead of being cut. */
  readonly isWindowed: boolean;
  readonly #call: string;
  readonly #prompt: string;
  readonly #tokenizer: Tokenizer;
  readonly #settings: EncodeSettings;
  readonly #preparation: PreparedBy | undefined;
  readonly #onTruncate: 'truncate' | 'warn' | 'error';
  readonly #cut = { count: 0, first: 0 };

  /**
   * `call` is what errors name. Texts get the prompt that `settings` choose, by default the model's, and are lower-cased if the model wants
   * it. `options` go to the tokenizer.
   *
   * Errors: INVALID_OPTION (both ways to a prompt, or one that the model lacks), MAX_LENGTH (a limit that the model cannot have, a prompt
   * that is longer than it).
   */
  constructor(call: string, model: TextModel, settings: TextSettings, options?: EncodeOptions) {
    const { tokenizer, sentence, config } = model;
    const maxLength = settings.maxLength ?? model.maxTokens;
    if (maxLength !== undefined && maxLength > config.maxSequenceLength) {
      throw unexpected(
        'MAX_LENGTH',
        `at most ${config.maxSequenceLength} tokens, the model's positions, for the limit of ${call}`,
        maxLength,
      );
    }
    this.#call = call;
    this.maxLength = maxLength;
    this.isWindowed = options?.overflow === true || options?.stride !== undefined;
    this.#onTruncate = settings.onTruncate ?? 'truncate';
    this.#prompt = choosePrompt(call, sentence, settings);
    const lowercase = sentence?.doLowerCase ?? false;
    this.#tokenizer = tokenizer;
    this.#settings = tokenizer.settingsFor(maxLength, encodingOf(settings, options, this.isWindowed));
    [this.promptTokens, this.poolSkip] = [0, 0];
    if (this.#prompt !== '') {
      const { length, special, isTrailing } = measurePrompt(tokenizer, this.#prompt, lowercase, this.#settings);
      this.promptTokens = length - special;
      if (sentence?.pooling.includePrompt === false) this.poolSkip = length - (isTrailing ? 1 : 0);
    }
    const isPlain = this.#prompt === '' && !lowercase;
    this.#preparation = isPlain ? undefined : { prompt: this.#prompt, lowercase, promptTokens: this.promptTokens };
  }

  /** Whether texts are read as they stand: without a prompt, and not in lower case. */
  get readsPlain(): boolean {
    return this.#preparation === undefined;
  }

  /**
   * Reads the text, or the pair, at `index` of the call in slices: each `next` reads a part of it. `finish` says what becomes of it.
   *
   * Errors: MAX_LENGTH, INPUT_TOO_LARGE.
   */
  *read<E extends EncodedIds>(input: TextInput, index: number, finish: Finish<E>): Generator<void, E> {
    const task = this.#begin(input, index);
    while (!task.run(kSliceUnits)) yield;
    const encoded = finish(task);
    this.#tokenizer.giveBack(task);
    if (encoded.truncated) {
      if (this.isWindowed) this.#requireRoom(encoded, index);
      else this.#noteCut(index);
    }
    return encoded;
  }

  /** Tells, once for the whole call, that texts were cut, if the caller asked to hear of it. */
  warn(): void {
    const { count, first } = this.#cut;
    if (count === 0 || this.#onTruncate !== 'warn') return;
    const which = count === 1 ? `The text at index ${first} was` : `${count} texts, the first at index ${first}, were`;
    process.emitWarning(`${which} cut at ${this.maxLength} tokens.`, { code: 'BERTHA_TRUNCATED' });
  }

  #begin(input: TextInput, index: number): EncodingTask {
    const { text, textPair: pair } = typeof input === 'string' ? { text: input, textPair: undefined } : input;
    const units = Math.max(this.#prompt.length + text.length, pair?.length ?? 0);
    if (units > MAX_TEXT_UNITS) {
      const what = this.#prompt === '' ? 'the text' : 'the prompt and the text';
      throw unexpected('INPUT_TOO_LARGE', `at most ${MAX_TEXT_UNITS} UTF-16 units for ${what} at index ${index} of ${this.#call}`, units);
    }
    const task = this.#tokenizer.takeTask(this.#settings, this.#preparation);
    task.begin(pair === undefined ? [text] : [text, pair]);
    return task;
  }

  #noteCut(index: number): void {
    if (this.#onTruncate === 'error') {
      throw unexpected('MAX_LENGTH', `at most ${this.maxLength} tokens for the text at index ${index}`, 'more', {
        hint: "With onTruncate: 'truncate' one end is left out.",
      });
    }
    if (this.#cut.count++ === 0) this.#cut.first = index;
  }

  /** Refuses windows that special tokens fill, so that nothing of the text would be read. */
  #requireRoom({ specialTokensMask }: EncodedIds & Partial<Encoding>, index: number): void {
    if (specialTokensMask?.every((isSpecial) => isSpecial === 1) !== true) return;
    const wanted = `windows with room for the text at index ${index} of ${this.#call}`;
    throw unexpected('MAX_LENGTH', wanted, `a limit of ${this.maxLength} tokens, which special tokens fill`);
  }
}

/** What the tokenizer is told: of windows nothing is left out, so that no side of them is. */
function encodingOf(
  { truncationSide, splitSpecialTokens }: LimitOptions,
  options: EncodeOptions | undefined,
  isWindowed: boolean,
): EncodeOptions | undefined {
  const side = isWindowed ? undefined : truncationSide;
  if (side === undefined && splitSpecialTokens === undefined) return options;
  return { ...(options ?? { padding: false, overflow: false }), truncationSide: side, splitSpecialTokens };
}

/** Runs slices to their end, in turns of the event loop. Errors: those of `slices`, the signal's reason. */
export async function inSlices<T>(slices: Generator<void, T>, budget: Budget): Promise<T> {
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
    if (budget.isSpent) await budget.yield();
  }
}

/** Runs slices to their end in one go. */
export function atOnce<T>(slices: Generator<void, T>): T {
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
  }
}

/** Counts, in slices, the tokens of a text, special ones not counted; `most` + 1 if there are more than `most`. */
export function* countTokens(tokenizer: Tokenizer, text: string, most: number): Generator<void, number> {
  const task = tokenizer.startEncoding(text, { addSpecialTokens: false, truncation: true, maxLength: most + 1, overflow: false });
  while (!task.run(kSliceUnits)) yield;
  return task.finishIds().ids.length;
}

/** `encode` in slices. Errors: as `encode`. */
export function* encodeSlices(tokenizer: Tokenizer, text: string, options: EncodeOptions): Generator<void, Encoding> {
  const task = tokenizer.startEncoding(text, options);
  while (!task.run(kSliceUnits)) yield;
  return task.finish();
}

function choosePrompt(call: string, sentence: TextModel['sentence'], { prompt, promptName }: TextSettings): string {
  if (prompt !== undefined && promptName !== undefined) {
    throw unexpected('INVALID_OPTION', `either prompt or promptName for ${call}`, 'both');
  }
  if (prompt !== undefined) return prompt;
  const prompts = sentence?.prompts ?? {};
  const chosen = promptName ?? sentence?.defaultPromptName;
  if (chosen === undefined) return '';
  if (!Object.hasOwn(prompts, chosen)) throw unknownName('prompt of this model', chosen, Object.keys(prompts));
  return prompts[chosen]!;
}

/** The tokens of a prompt alone, how many of them are special, and whether the last one is. Errors: MAX_LENGTH. */
function measurePrompt(
  tokenizer: Tokenizer,
  prompt: string,
  lowercase: boolean,
  settings: EncodeSettings,
): { length: number; special: number; isTrailing: boolean } {
  const task = tokenizer.takeTask({ ...settings, overflow: false, offsets: false }, { prompt, lowercase, promptTokens: 0 });
  task.begin(['']);
  while (!task.run(Infinity));
  const { length, truncated, specialTokensMask } = task.finish();
  tokenizer.giveBack(task);
  if (truncated) {
    throw unexpected(
      'MAX_LENGTH',
      `a prompt of at most ${settings.maxLength} tokens, the special ones included,`,
      'a longer one: nothing of the text could be read',
    );
  }
  return { length, special: specialTokensMask.reduce((sum, flag) => sum + flag, 0), isTrailing: specialTokensMask.at(-1) === 1 };
}
