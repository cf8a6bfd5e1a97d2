import type { SentenceTransformersConfig } from '../checkpoint/sentence/sentence-transformers.js';
import { received, unexpected } from '../expected.js';
import type { ForwardInput, Model } from '../models/index.js';
import { oneOf, text, unknownName, type Check } from '../options.js';
import type { PackedBatch } from '../runtime/batch.js';
import { Turn } from '../runtime/turn.js';
import type { EncodedIds, EncodeOptions, EncodeSettings, Encoding, EncodingTask, PreparedBy, Tokenizer } from '../tokenizer/index.js';
import { MAX_TEXT_UNITS } from '../tokenizer/index.js';

/** What reading texts needs to know of a model. */
export interface TextModel {
  readonly tokenizer: Tokenizer;
  /** The length limit in tokens, special ones included, where a call names none. */
  readonly maxTokens: number | undefined;
  readonly config: { readonly maxSequenceLength: number };
  readonly sentence?: Pick<SentenceTransformersConfig, 'prompts' | 'defaultPromptName' | 'doLowerCase' | 'pooling'> | undefined;
}

/** How the texts of a call are read. */
export interface TextSettings {
  readonly promptName?: string | undefined;
  readonly prompt?: string | undefined;
  readonly maxLength?: number | undefined;
  readonly onTruncate?: 'truncate' | 'warn' | 'error' | undefined;
}

const tokenLimit: Check<number> = (value, name) => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw unexpected('MAX_LENGTH', `a whole number of tokens for ${name}`, received(value));
};

/** The checks of the options that choose a prompt. */
export const promptSchema = { promptName: text, prompt: text };
/** The checks of `TextSettings`. */
export const textSchema = { ...promptSchema, maxLength: tokenLimit, onTruncate: oneOf(['truncate', 'warn', 'error']) };

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
    this.#settings = tokenizer.settingsFor(maxLength, options);
    [this.promptTokens, this.poolSkip] = [0, 0];
    if (this.#prompt !== '') {
      const { length, special, isTrailing } = measurePrompt(tokenizer, this.#prompt, lowercase, this.#settings);
      this.promptTokens = length - special;
      if (sentence?.pooling.includePrompt === false) this.poolSkip = length - (isTrailing ? 1 : 0);
    }
    const isPlain = this.#prompt === '' && !lowercase;
    this.#preparation = isPlain ? undefined : { prompt: this.#prompt, lowercase, promptTokens: this.promptTokens };
  }

  /** Whether reading a text, with what stands before it, is better done in slices. */
  isLong(text: string): boolean {
    return this.#prompt.length + text.length > kSliceUnits;
  }

  /** Reads the text at `index` of the call in one go. Errors: MAX_LENGTH, INPUT_TOO_LARGE. */
  readIds(text: string, index: number): EncodedIds {
    const task = this.#begin(text, undefined, index);
    while (!task.run(Infinity));
    return this.#note(this.#end(task, task.finishIds()), index);
  }

  /** The same in slices: each `next` reads a part of the text. */
  *readIdsInSlices(text: string, index: number): Generator<void, EncodedIds> {
    const task = this.#begin(text, undefined, index);
    while (!task.run(kSliceUnits)) yield;
    return this.#note(this.#end(task, task.finishIds()), index);
  }

  /** Reads a text, or a pair, in slices of the event loop. Errors: MAX_LENGTH, INPUT_TOO_LARGE, those of `turn`. */
  async read(text: string, pair: string | undefined, index: number, turn: Turn): Promise<Encoding> {
    const task = this.#begin(text, pair, index);
    while (!task.run(kSliceUnits)) if (turn.isOver) await turn.next();
    const encoding = this.#end(task, task.finish());
    return this.isWindowed ? encoding : this.#note(encoding, index);
  }

  /** Tells, once for the whole call, that texts were cut, if the caller asked to hear of it. */
  warn(): void {
    const { count, first } = this.#cut;
    if (count === 0 || this.#onTruncate !== 'warn') return;
    const which = count === 1 ? `The text at index ${first} was` : `${count} texts, the first at index ${first}, were`;
    process.emitWarning(`${which} cut at ${this.maxLength} tokens.`, { code: 'BERTHA_TRUNCATED' });
  }

  #begin(text: string, pair: string | undefined, index: number): EncodingTask {
    const units = Math.max(this.#prompt.length + text.length, pair?.length ?? 0);
    if (units > MAX_TEXT_UNITS) {
      const what = this.#prompt === '' ? 'the text' : 'the prompt and the text';
      throw unexpected('INPUT_TOO_LARGE', `at most ${MAX_TEXT_UNITS} UTF-16 units for ${what} at index ${index} of ${this.#call}`, units);
    }
    const task = this.#tokenizer.takeTask(this.#settings, this.#preparation);
    task.begin(pair === undefined ? [text] : [text, pair]);
    return task;
  }

  #end<T>(task: EncodingTask, encoded: T): T {
    this.#tokenizer.giveBack(task);
    return encoded;
  }

  #note<T extends { readonly truncated: boolean }>(encoded: T, index: number): T {
    if (!encoded.truncated) return encoded;
    if (this.#onTruncate === 'error') {
      throw unexpected('MAX_LENGTH', `at most ${this.maxLength} tokens for the text at index ${index}`, 'more', {
        hint: "With onTruncate: 'truncate' its end is left out.",
      });
    }
    if (this.#cut.count++ === 0) this.#cut.first = index;
    return encoded;
  }
}

/** The tokens of a text, special ones not counted, read in slices of the event loop; `most` + 1 if there are more than `most`. */
export async function countTokens(tokenizer: Tokenizer, text: string, most: number, turn: Turn): Promise<number> {
  const task = tokenizer.startEncoding(text, { addSpecialTokens: false, truncation: true, maxLength: most + 1, overflow: false });
  while (!task.run(kSliceUnits)) if (turn.isOver) await turn.next();
  return task.finishIds().ids.length;
}

/** `encode` in slices of the event loop. Errors: as `encode`. */
export async function encodeInSlices(
  tokenizer: Tokenizer,
  text: string,
  options: EncodeOptions,
  turn = new Turn(undefined),
): Promise<Encoding> {
  const task = tokenizer.startEncoding(text, options);
  while (!task.run(kSliceUnits)) if (turn.isOver) await turn.next();
  return task.finish();
}

/** Packs texts of which pooling leaves `poolSkip` tokens at the start out. */
export function packPooled(model: Pick<Model, 'pack'>, sequences: readonly ForwardInput[], poolSkip: number): PackedBatch {
  const batch = model.pack(sequences);
  return poolSkip === 0 ? batch : { ...batch, poolSkip: new Int32Array(sequences.length).fill(poolSkip) };
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
