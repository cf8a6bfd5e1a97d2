import { unexpected } from '../expected.js';
import { flag, integer, readOptions, received, tokenLimit } from '../options.js';
import { cleanUpSpaces as cleanUp, decodeTokens, type Decoder } from './definition/decoder.js';
import type { ModelDefinition, TokenizerDefinition, TokenizerFiles } from './definition/definition.js';
import type { VocabKind } from './definition/vocab-kind.js';
import { checkText, type EncodeDefaults, type EncodeOptions, type EncodeSettings, readEncodeOptions } from './encode-options.js';
import type { EncodedIds, Encoding } from './encoding.js';
import { EncodingTask, type PreparedBy } from './encoding-task.js';
import { makePipeline } from './pipeline.js';
import type { Pipeline } from './scanning/sequence-encoder.js';
import { SUPPORTED_DECODERS } from './files/decoder-json.js';
import { readTokenizerJson } from './files/tokenizer-json.js';
import { readBpeFiles } from './files/bpe-files.js';
import { type MarianFiles, readBertGenerationFiles, readMarianFiles } from './files/sentencepiece/translation-files.js';
import { readVocabFiles } from './files/vocab-files.js';
import { type IdList, readIds } from './id-list.js';
import type { TokenTable } from './vocabulary/token-table.js';

/** Options of `createTokenizer` (`src/architectures`). */
export interface TokenizerOptions {
  /** The model's length limit in tokens, special tokens included. Default: model_max_length of tokenizer_config.json. */
  readonly maxLength?: number | undefined;
  /** The model's positions: a larger maxLength is an error. Default: no such limit. */
  readonly maxPositions?: number | undefined;
  /** Rows of the model's embedding table: a vocabulary with larger ids is an error. Default: not checked. */
  readonly vocabSize?: number | undefined;
  /** The same for a vocabulary of its own that the model writes with. Default: `vocabSize`. */
  readonly targetVocabSize?: number | undefined;
  /** Lets calls without truncation or padding options follow the entries of tokenizer.json. Default: false. */
  readonly useFileDefaults?: boolean | undefined;
}

/** Word indices of a batch that share an array. */
const WORDS_PER_ARRAY = 1 << 14;

/** Tasks whose buffers are kept: more than run at once as a rule. */
const MOST_IDLE_TASKS = 4;

/** Options of `decode`. */
export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean | undefined;
  readonly cleanUpSpaces?: boolean | undefined;
}

const LIMIT = Number.MAX_SAFE_INTEGER;
const TOKENIZER_SCHEMA = {
  maxLength: tokenLimit(),
  maxPositions: integer(1, LIMIT),
  vocabSize: integer(1, LIMIT),
  targetVocabSize: integer(1, LIMIT),
  useFileDefaults: flag,
};
const DECODE_SCHEMA = { skipSpecialTokens: flag, cleanUpSpaces: flag };

/**
 * Makes a tokenizer from the contents of a model's files: tokenizer.json where there is one, else vocab.txt, or vocab.json and merges.txt, each with what
 * tokenizer_config.json and special_tokens_map.json add. A vocab.txt beside a tokenizer.json is not looked at, as in Python; it is read as one of `kinds`.
 *
 * Errors: TOKENIZER (a file that is malformed, contradictory or asks for what is not supported), VOCAB, INVALID_OPTION, MAX_LENGTH.
 */
export function makeTokenizer(
  files: TokenizerFiles,
  options: TokenizerOptions | undefined,
  kinds: readonly [VocabKind, ...VocabKind[]],
): Tokenizer {
  const given = readOptions('createTokenizer', options, TOKENIZER_SCHEMA);
  let definition: TokenizerDefinition;
  if (files.tokenizerJson !== undefined) definition = readTokenizerJson(files.tokenizerJson, files);
  else if (files.vocab !== undefined) definition = readVocabFiles(files.vocab, files, kinds);
  else if (files.vocabJson !== undefined && files.merges !== undefined) definition = readBpeFiles(files.vocabJson, files.merges, files);
  else if (hasSource(files)) definition = readMarianFiles(files);
  else if (files.spiece !== undefined) definition = readBertGenerationFiles({ ...files, spiece: files.spiece });
  else throw unexpected('TOKENIZER', 'a tokenizer.json, a vocab.txt, or a vocab.json with a merges.txt or a source.spm', missing(files));
  return new Tokenizer({
    definition,
    maxLength: given.maxLength ?? definition.maxLength,
    maxPositions: given.maxPositions,
    vocabSize: given.vocabSize,
    targetVocabSize: given.targetVocabSize,
    useFileDefaults: given.useFileDefaults ?? false,
  });
}

function hasSource(files: TokenizerFiles): files is MarianFiles {
  if (files.sourceSpm !== undefined && files.vocabJson === undefined) throw unexpected('VOCAB', 'a vocab.json beside source.spm', 'none');
  return files.sourceSpm !== undefined;
}

function missing({ vocabJson, merges }: TokenizerFiles): string {
  if (vocabJson !== undefined) return 'a vocab.json alone';
  return merges === undefined ? 'neither' : 'a merges.txt alone';
}

/** Text to token ids and offsets, token for token what the Rust library "tokenizers" 0.23 gives. */
export class Tokenizer {
  /** How words become tokens: `model.type` of tokenizer.json. */
  readonly modelType: ModelDefinition['type'];
  /** What tokens begin with that continue a word, such as `##`; empty where nothing tells them. */
  readonly continuingSubwordPrefix: string;
  /** One more than the largest id. */
  readonly vocabSize: number;
  /** The model's length limit in tokens, special tokens included; undefined if none is known. */
  readonly maxLength: number | undefined;
  /** The token of what is no other; undefined for a model that has none. */
  readonly unkId: number | undefined;
  /** Ids of the special tokens that the vocabulary has. */
  readonly padId: number | undefined;
  readonly clsId: number | undefined;
  readonly sepId: number | undefined;
  readonly maskId: number | undefined;
  /** Ids of the tokens that begin and end a text, where the model's files name them. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Special tokens that the model's files list without a name of their own. */
  readonly additionalSpecialTokens: readonly string[];
  /** Where `padding` fills up and `truncation` cuts off unless a call says otherwise. */
  readonly paddingSide: 'left' | 'right';
  readonly truncationSide: 'left' | 'right';
  /** Codes such as `>>de<<` that a text may begin with to name the language that it is translated into. */
  readonly languageCodes: readonly string[];
  readonly #target: Tokenizer | undefined;
  readonly #vocab: TokenTable;
  /** Added tokens that the vocabulary lacks, by their ids, which go on where it ends. */
  readonly #outside = new Map<number, string>();
  readonly #outsideIds = new Map<string, number>();
  /** Added tokens that were found in normalized form are decoded to it, as in the reference. */
  readonly #decoded = new Map<number, string>();
  readonly #special = new Set<string>();
  readonly #defaults: EncodeDefaults;
  readonly #pipeline: Pipeline;
  readonly #task: EncodingTask;
  readonly #defaultSettings: EncodeSettings;
  /** The settings of the last `encodeIds`, and of the last `settingsFor` without options. */
  #idsSettings: { readonly maxLength: number | undefined; readonly settings: EncodeSettings } | undefined;
  #cutSettings: { readonly maxLength: number | undefined; readonly settings: EncodeSettings } | undefined;
  readonly #idleTasks: EncodingTask[] = [];
  readonly #tokenOf = (id: number): string | undefined => this.#outside.get(id) ?? this.#vocab.token(id);

  /** @internal Use `createTokenizer` or `loadTokenizer`. */
  constructor(defaults: EncodeDefaults & { readonly vocabSize: number | undefined; readonly targetVocabSize?: number | undefined }) {
    const { definition } = defaults;
    const { target, languageCodes } = definition;
    const vocabSizes = defaults.targetVocabSize ?? defaults.vocabSize;
    this.#target = target === undefined ? undefined : new Tokenizer({ ...defaults, definition: target, vocabSize: vocabSizes });
    this.languageCodes =
      languageCodes === undefined ? [] : [...definition.vocab].flatMap(([token]) => (/^>>.*<<$/su.test(token) ? [token] : []));
    const { specialTokens, addedTokens } = definition;
    const { vocab } = definition;
    this.modelType = definition.model.type;
    this.continuingSubwordPrefix = 'continuingSubwordPrefix' in definition.model ? definition.model.continuingSubwordPrefix : '';
    let vocabSize = vocab.idCount;
    // A token that files only name has an id that the model may lack: as in transformers, only a text that holds it is an error.
    let neededSize = vocabSize;
    for (const { content, id, isNamedOnly } of addedTokens) {
      if (vocab.has(content)) continue;
      this.#outside.set(id, content);
      this.#outsideIds.set(content, id);
      vocabSize = Math.max(vocabSize, id + 1);
      if (isNamedOnly !== true) neededSize = Math.max(neededSize, id + 1);
    }
    if (defaults.vocabSize !== undefined && neededSize > defaults.vocabSize) {
      throw unexpected('VOCAB', `ids below ${defaults.vocabSize}, the model's vocab_size,`, `${neededSize - 1} in the vocabulary`);
    }
    this.#vocab = vocab;
    const idOf = (token: string | undefined) => (token === undefined ? undefined : this.tokenToId(token));
    this.vocabSize = vocabSize;
    for (const piece of [...definition.template.single, ...definition.template.pair]) {
      if (piece.kind === 'special' && piece.id >= this.vocabSize) {
        throw unexpected('TOKENIZER', `special tokens with ids below ${this.vocabSize} in the template`, piece.id);
      }
    }
    this.maxLength = defaults.maxLength;
    this.unkId = idOf(specialTokens.unk);
    this.padId = idOf(specialTokens.pad);
    this.clsId = idOf(specialTokens.cls);
    this.sepId = idOf(specialTokens.sep);
    this.maskId = idOf(specialTokens.mask);
    this.bosId = idOf(definition.namedTokens.bos);
    this.eosId = idOf(definition.namedTokens.eos);
    this.additionalSpecialTokens = definition.namedTokens.additional;
    this.paddingSide = definition.paddingSide;
    this.truncationSide = definition.truncationSide;
    for (const token of addedTokens) if (token.special) this.#special.add(token.content);
    this.#defaults = defaults;
    this.#pipeline = makePipeline(definition, this.#decoded);
    this.#task = new EncodingTask(this.#pipeline, this.#tokenOf);
    this.#defaultSettings = readEncodeOptions('encode', undefined, defaults);
  }

  /**
   * Tokenizes a text, or a pair of texts. With truncation the rest of a long text is not read.
   *
   * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE (more than 2^25 UTF-16 units).
   */
  encode(text: string, options?: EncodeOptions): Encoding {
    const settings = options === undefined ? this.#defaultSettings : readEncodeOptions('encode', options, this.#defaults);
    const first = checkText(text, 'the text');
    this.#task.configure(settings, 0);
    const encoding = this.#encode(settings.pair === undefined ? [first] : [first, settings.pair]);
    return settings.padTo === undefined ? encoding : (this.#pad([encoding], settings)[0] as Encoding);
  }

  /** Tokenizes texts or `[first, second]` pairs; padding goes by the longest of them. Errors: as `encode`, naming the index. */
  encodeBatch(texts: readonly (string | readonly [string, string])[], options?: EncodeOptions): Encoding[] {
    const settings = options === undefined ? this.#defaultSettings : readEncodeOptions('encodeBatch', options, this.#defaults);
    if (!Array.isArray(texts)) throw unexpected('INVALID_ARG', 'an array of texts or pairs', received(texts));
    for (let i = 0; i < texts.length; i++) checkItem(texts[i], i);
    this.#task.configure(settings, WORDS_PER_ARRAY);
    const encodings: Encoding[] = [];
    for (const item of texts as readonly (string | readonly [string, string])[]) {
      encodings.push(this.#encode(typeof item === 'string' ? [item] : item));
    }
    return settings.padTo === undefined ? encodings : this.#pad(encodings, settings);
  }

  /**
   * The fastest way to a model's input: the ids that `encode` gives, cut at `maxLength` tokens if given, else not.
   *
   * Errors: INVALID_ARG, MAX_LENGTH, INPUT_TOO_LARGE.
   */
  encodeIds(text: string, maxLength?: number): EncodedIds {
    if (this.#idsSettings === undefined || this.#idsSettings.maxLength !== maxLength) {
      const limit = maxLength === undefined ? { truncation: false } : { truncation: true, maxLength };
      this.#idsSettings = {
        maxLength,
        settings: readEncodeOptions('encode', { ...limit, padding: false, overflow: false }, this.#defaults),
      };
    }
    const task = this.#task;
    task.configure(this.#idsSettings.settings, 0);
    task.begin([checkText(text, 'the text')]);
    while (!task.run(Infinity));
    return task.finishIds();
  }

  /**
   * `encode` in slices: call `run(units)` until it returns true, then `finish()`. Padding 'longest' has no effect.
   *
   * Errors: as `encode`.
   */
  startEncoding(text: string, options?: EncodeOptions): EncodingTask {
    const { pair } = options ?? {};
    const task = this.takeTask(readEncodeOptions('encode', options, this.#defaults));
    const first = checkText(text, 'the text');
    task.begin(pair === undefined ? [first] : [first, pair]);
    return task;
  }

  /**
   * Checked options for `takeTask`, with truncation unless they say otherwise; `maxLength` comes before theirs.
   *
   * @internal
   * Errors: as `encode`, for the options.
   */
  settingsFor(maxLength: number | undefined, options?: EncodeOptions): EncodeSettings {
    const limit = maxLength === undefined ? undefined : { maxLength };
    if (options !== undefined) return readEncodeOptions('encode', { truncation: true, ...options, ...limit }, this.#defaults);
    if (this.#cutSettings === undefined || this.#cutSettings.maxLength !== maxLength) {
      const cut = { truncation: true, padding: false, overflow: false, ...limit };
      this.#cutSettings = { maxLength, settings: readEncodeOptions('encode', cut, this.#defaults) };
    }
    return this.#cutSettings.settings;
  }

  /**
   * A task for texts that are prepared as `preparation` says: `begin`, `run` until it returns true, `finish` or `finishIds`, and so on;
   * then `giveBack`.
   *
   * @internal
   */
  takeTask(settings: EncodeSettings, preparation?: PreparedBy): EncodingTask {
    const task = this.#idleTasks.pop() ?? new EncodingTask(this.#pipeline, this.#tokenOf);
    task.configure(settings, 0, preparation);
    return task;
  }

  /** Keeps the buffers of a task that has finished for the next one. @internal */
  giveBack(task: EncodingTask): void {
    if (this.#idleTasks.length < MOST_IDLE_TASKS) this.#idleTasks.push(task);
  }

  /**
   * Turns ids back into text: a list, a typed array, or a tensor of one row. Ids without a token, such as those of a padded vocabulary,
   * are left out, as in Python. `skipSpecialTokens` leaves out [CLS] and its like; `cleanUpSpaces` takes
   * back the spaces around apostrophes as well (default: clean_up_tokenization_spaces of tokenizer_config.json, else false).
   *
   * Errors: INVALID_ARG for what is no list, INVALID_IDS for what is no whole number from 0, TOKENIZER if tokenizer.json asks for a decoder that is not supported.
   */
  decode(ids: IdList, options?: DecodeOptions): string {
    if (this.#target !== undefined) return this.#target.decode(ids, options);
    const { definition } = this.#defaults;
    const { skipSpecialTokens = false, cleanUpSpaces = definition.cleanUpSpaces } = readOptions('decode', options, DECODE_SCHEMA);
    const decoder = this.#decoder;
    const tokens: string[] = [];
    for (const id of readIds(ids)) {
      const token = this.#decoded.get(id) ?? this.#tokenOf(id);
      if (token !== undefined && !(skipSpecialTokens && this.#special.has(token))) tokens.push(token);
    }
    const text = decodeTokens(tokens, decoder);
    // As transformers 5: BPE's own spaces before punctuation stay.
    return cleanUpSpaces && this.modelType !== 'BPE' ? cleanUp(text) : text;
  }

  /** The tokenizer of texts that the model is to write: another one only where files describe the two languages apart. */
  get target(): Tokenizer {
    return this.#target ?? this;
  }

  /** Joins tokens, or words already joined, into text as `decode` does. Errors: TOKENIZER, as `decode`. */
  joinTokens(tokens: readonly string[]): string {
    if (this.#target !== undefined) return this.#target.joinTokens(tokens);
    return decodeTokens(tokens, this.#decoder);
  }

  /** The special tokens of the vocabulary as it spells them, in Python's order: beginning, end, unknown, separator, padding, class and mask as far as there are any, then others. */
  get specialTokens(): readonly string[] {
    const named = [this.bosId, this.eosId, this.unkId, this.sepId, this.padId, this.clsId, this.maskId].flatMap((id) =>
      id === undefined ? [] : [this.#tokenOf(id)!],
    );
    return [...new Set([...named, ...this.#special])];
  }

  /** The id of a token as the vocabulary spells it. */
  tokenToId(token: string): number | undefined {
    return this.#vocab.get(token) ?? this.#outsideIds.get(token);
  }

  /** The token of an id as the vocabulary spells it. */
  idToToken(id: number): string | undefined {
    return this.#tokenOf(id);
  }

  get #decoder(): Decoder {
    const { decoder } = this.#defaults.definition;
    if (typeof decoder !== 'string') return decoder;
    throw unexpected('TOKENIZER', `${SUPPORTED_DECODERS} for the decoder of tokenizer.json`, `${received(decoder)}: no other is supported`);
  }

  #encode(texts: readonly string[]): Encoding {
    const task = this.#task;
    task.begin(texts);
    while (!task.run(Infinity));
    return task.finish();
  }

  #pad(encodings: readonly Encoding[], { padTo, padToMultipleOf, paddingSide }: EncodeSettings): Encoding[] {
    if (this.padId === undefined) throw unexpected('INVALID_ARG', 'a vocabulary with a padding token for padding', 'none');
    let length = padTo === 'longest' ? 0 : (padTo as number);
    if (padTo === 'longest') for (const encoding of encodings) length = Math.max(length, encoding.length);
    length = Math.ceil(length / padToMultipleOf) * padToMultipleOf;
    return encodings.map((encoding) => encoding.padded(length, this.padId as number, paddingSide));
  }
}

/** Checks an item of a batch. Errors: INVALID_ARG, INPUT_TOO_LARGE. */
function checkItem(item: unknown, index: number): void {
  if (!Array.isArray(item)) {
    checkText(item, `the text at index ${index}`);
    return;
  }
  if (item.length !== 2) throw unexpected('INVALID_ARG', `two texts for the pair at index ${index}`, item.length);
  checkText(item[0], `the first text at index ${index}`);
  checkText(item[1], `the second text at index ${index}`);
}
