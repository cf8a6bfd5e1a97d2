import { randomInt } from 'node:crypto';
import { Call } from '../calls/call.js';
import { requireModel } from '../calls/inputs.js';
import { callSchema, limitSchema, type CallOptions, type LimitOptions } from '../calls/options.js';
import { asEncoding, TextReader } from '../calls/text-reader.js';
import { received, unexpected, wrongArgument, wrongOption } from '../expected.js';
import type { ForwardInput, Model } from '../models/index.js';
import type { Value } from '../models/program/values.js';
import { readOptions, type Check, type Options } from '../options.js';
import { isInt32Array } from '../realms.js';
import { warnOnce } from '../runtime/warn-once.js';
import type { SearchEngine, SearchRun, SearchTask } from './engine.js';
import {
  readSettings,
  settingSchema,
  settingsOf,
  type GenerationLimits,
  type GenerationSettings,
  type ReadSettings,
  type Sequence,
} from './settings.js';

/** What a text is generated from: a text, or its ids. Behind an encoder the source, else what the text goes on from. */
export type GenerationInput = string | ForwardInput;

/** Options of `generate` and `generateStream`. */
export interface GenerateOptions extends GenerationSettings, Omit<LimitOptions, 'maxLength'>, CallOptions {
  /** Of an encoder-decoder: what its decoder begins with. Gets the start token in front where it lacks it. Default: the start token. */
  readonly decoderInputIds?: Int32Array | readonly number[] | undefined;
  /** Milliseconds from the call after which texts end with what they have, `finishReason: 'deadline'`. Default: none. */
  readonly deadlineMs?: number | undefined;
  /** New tokens where neither the call nor the model's files say how many, at most what fits. Default: what fits. */
  readonly defaultNewTokens?: number | undefined;
  /** Numbers in [0, 1) to draw with, one a step. @internal */
  readonly uniforms?: readonly number[] | undefined;
}

const idList: Check<Int32Array> = (value, name) => {
  if (isInt32Array(value)) return value;
  if (Array.isArray(value) && value.every((id) => Number.isSafeInteger(id))) return Int32Array.from(value as number[]);
  throw unexpected('INVALID_IDS', `an Int32Array or an array of ids for ${name}`, received(value));
};

const uniformList: Check<readonly number[]> = (value, name) => {
  if (Array.isArray(value) && value.every((u) => typeof u === 'number' && u >= 0 && u < 1)) return value as number[];
  throw wrongOption(`an array of numbers from 0 and below 1 for ${name}`, value);
};

const { onTruncate, truncationSide, splitSpecialTokens } = limitSchema;

/** The checks of `GenerateOptions`. */
export const generateSchema = {
  ...settingSchema,
  ...callSchema,
  onTruncate,
  truncationSide,
  splitSpecialTokens,
  decoderInputIds: idList,
  defaultNewTokens: settingSchema.minNewTokens,
  uniforms: uniformList,
};

/** One text of a call, ready to be searched for. */
export interface PreparedText extends SearchTask {
  /** Tokens of the input that the model reads, and whether there were more. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/** The logits of a model that writes text. Errors: NO_HEAD for another model. */
export function requireWriter(model: Model, name: string): Value {
  const logits = model.values.decoder?.logits;
  if (logits !== undefined) return logits;
  const is = model.config.architectures[0] ?? model.config.modelType;
  throw unexpected('NO_HEAD', `a model that writes text (an encoder-decoder, or a decoder with is_decoder) for ${name}`, is, {
    hint: 'Encoders make vectors (embed), their heads fill masks and classify (fillMask, classifyText).',
  });
}

/** A call of `generate`, its options read. */
export class GenerationCall {
  readonly name: string;
  readonly model: Model;
  readonly options: Options<typeof generateSchema>;
  readonly read: ReadSettings;
  readonly #limits: GenerationLimits;
  readonly #call: Call;
  readonly #reader: TextReader;

  /**
   * Errors: INVALID_ARG, DISPOSED, NO_HEAD (a model that does not write), INVALID_OPTION, INVALID_IDS, MAX_LENGTH, CONFIG, CONFIG_UNSUPPORTED.
   */
  constructor(name: string, model: Model, options: unknown) {
    requireModel(model, name);
    const logits = requireWriter(model, name);
    this.name = name;
    this.model = model;
    this.options = readOptions(name, options, generateSchema);
    const decoder = model.config.decoder ?? model.config;
    this.#limits = { maxLength: decoder.maxSequenceLength, vocabSize: logits.width, isEncoderDecoder: model.config.decoder !== undefined };
    const files = { generationConfig: model.generationConfig, config: model.config.raw };
    this.read = readSettings(name, this.options, files, this.#limits);
    if (this.options.decoderInputIds !== undefined && !this.#limits.isEncoderDecoder) {
      throw wrongOption(`no decoderInputIds for ${name} by a decoder alone`, this.options.decoderInputIds, {
        hint: 'Its input is what the text goes on from.',
      });
    }
    if (this.read.values.eosTokenId!.length === 0) {
      warnOnce(
        'BERTHA_NO_EOS',
        model.directory,
        `No eos_token_id stands in the model's files (${model.directory}): texts run to their limit.`,
      );
    }
    this.#call = new Call(name, model, this.options);
    this.#reader = new TextReader(name, readerModel(model), {
      ...this.#readerOptions(),
      splitSpecialTokens: this.options.splitSpecialTokens,
    });
  }

  /** Reads the input at `index`. Errors: INVALID_ARG, INVALID_IDS, MAX_LENGTH, INPUT_TOO_LARGE, INVALID_OPTION, CONFIG, the signal's reason. */
  async prepare(input: GenerationInput, index: number): Promise<PreparedText> {
    const { ids, typeIds, truncated } = await this.#encode(input, index);
    const source = this.#limits.isEncoderDecoder ? { ids, ...(typeIds && { typeIds }) } : undefined;
    const prompt = this.#checked(source === undefined ? this.#promptOf(ids, input) : this.#decoderPrompt());
    const seed = (this.read.values.seed as number | undefined) ?? randomInt(2 ** 48 - 1);
    const settings = settingsOf(this.read, prompt.length, seed, this.#limits, this.options.defaultNewTokens ?? undefined);
    const { uniforms } = this.options;
    return { source, prompt, settings: uniforms === undefined ? settings : { ...settings, uniforms }, tokens: ids.length, truncated };
  }

  /** What a search found; counts what it read and wrote. Errors: those of the engine. */
  async search(engine: SearchEngine, prepared: PreparedText, run: Pick<SearchRun, 'signal' | 'onIds'>): Promise<readonly Sequence[]> {
    const { priority, deadlineMs } = this.options;
    const { sequences, queuedMs, computeMs } = await engine(prepared, { ...run, priority, deadlineMs: deadlineMs?.left });
    const written = sequences.reduce((sum, { ids }) => sum + ids.length - prepared.prompt.length, 0);
    this.#call.count({ tokens: prepared.tokens + written, queuedMs, computeMs });
    return sequences;
  }

  /** Tells that texts were cut, if the caller asked to hear of it, and what the call spent its time on. */
  finish(): void {
    this.#reader.warn();
    this.#call.finish();
  }

  #readerOptions(): LimitOptions {
    // Of what a text is to go on from, neither end can be left out unasked.
    const cut = this.#limits.isEncoderDecoder ? 'truncate' : 'error';
    return { onTruncate: this.options.onTruncate ?? cut, truncationSide: this.options.truncationSide };
  }

  async #encode(input: GenerationInput, index: number): Promise<{ ids: Int32Array; typeIds?: Int32Array | undefined; truncated: boolean }> {
    if (typeof input === 'string') return this.#call.read(this.#reader.read(input, index, asEncoding));
    const { ids, typeIds } = (input ?? {}) as Partial<ForwardInput>;
    if (!isInt32Array(ids)) throw wrongArgument(`a string, or an object with ids, for the input at index ${index} of ${this.name}`, input);
    const most = this.model.config.maxSequenceLength;
    if (ids.length > most) {
      throw unexpected(
        'MAX_LENGTH',
        `at most ${most} ids, the model's positions, for the input at index ${index} of ${this.name}`,
        ids.length,
      );
    }
    return { ids, typeIds, truncated: false };
  }

  /** What a decoder alone goes on from: a text's tokens without the end token that its tokenizer adds. */
  #promptOf(ids: Int32Array, input: GenerationInput): Int32Array {
    const last = ids.at(-1);
    const { eosId, sepId } = this.model.tokenizer;
    const isEnd = last !== undefined && (last === eosId || last === sepId || this.read.values.eosTokenId!.includes(last));
    const prompt = typeof input === 'string' && isEnd ? ids.subarray(0, -1) : ids;
    return prompt.length > 0 ? prompt : Int32Array.of(this.#start());
  }

  #decoderPrompt(): Int32Array {
    const start = this.#start();
    const given = this.options.decoderInputIds ?? new Int32Array(0);
    return given[0] === start ? given : Int32Array.of(start, ...given);
  }

  #start(): number {
    const { startId } = this.read;
    if (startId !== undefined) return startId;
    throw unexpected('CONFIG', '"decoder_start_token_id" or "bos_token_id" in generation_config.json or config.json', 'neither', {
      hint: 'Add it to one of these files, or pass decoderStartTokenId.',
    });
  }

  #checked(prompt: Int32Array): Int32Array {
    const { vocabSize } = this.#limits;
    const stranger = prompt.find((id) => id < 0 || id >= vocabSize);
    if (stranger === undefined) return prompt;
    throw unexpected('INVALID_IDS', `ids from 0 to ${vocabSize - 1} for what the decoder of ${this.name} begins with`, stranger);
  }
}

/** Prompts and lower case are what sentence-transformers does to the texts of an encoder. */
function readerModel({ tokenizer, maxTokens, config }: Model) {
  return { tokenizer, maxTokens, config };
}
