import { BerthaError } from '../../errors.js';
import { flag, readOptions, received, type Check, type Options } from '../../options.js';
import { loadTokenizer } from '../../models/load-tokenizer.js';
import { toCamelCase } from '../snake-case.js';
import type { EncodeOptions, IdList, Tokenizer } from '../../tokenizer/index.js';
import { toRows, type IntegerInput } from '../tensor/integer-rows.js';
import { readPretrainedFiles, type PretrainedOptions } from '../loading/options.js';
import { Tensor } from '../tensor/index.js';

/** Options of a tokenizer's call, as in transformers; camel case is taken as well. */
export interface TokenizerCallOptions {
  readonly text_pair?: string | readonly string[] | null;
  readonly padding?: boolean | 'longest' | 'max_length' | 'do_not_pad' | null;
  readonly truncation?: boolean | 'longest_first' | 'only_first' | 'only_second' | 'do_not_truncate' | null;
  readonly max_length?: number | null;
  readonly pad_to_multiple_of?: number | null;
  readonly padding_side?: 'left' | 'right' | null;
  readonly truncation_side?: 'left' | 'right' | null;
  readonly add_special_tokens?: boolean;
  readonly split_special_tokens?: boolean;
  readonly return_token_type_ids?: boolean | null;
  readonly return_attention_mask?: boolean | null;
  /** False returns lists in place of tensors: of one text a list, of a list of texts lists of any lengths. Default true. */
  readonly return_tensor?: boolean;
}

/** A batch as models take it: [texts, tokens], padded. */
export interface BatchEncoding {
  readonly input_ids: Tensor<Int32Array>;
  /** Absent where `return_attention_mask` is false. */
  readonly attention_mask: Tensor<Int32Array>;
  readonly token_type_ids?: Tensor<Int32Array>;
}

/** The same as lists: numbers of one text, or lists of them. */
export interface ListEncoding<T extends number[] | number[][]> {
  readonly input_ids: T;
  readonly attention_mask: T;
  readonly token_type_ids?: T;
}

interface Decoding {
  readonly skip_special_tokens?: boolean;
  readonly clean_up_tokenization_spaces?: boolean;
}

type AsLists = TokenizerCallOptions & { readonly return_tensor: false };

/** A tokenizer that is called as in transformers.js. Options that are not known are INVALID_OPTION. */
export interface PreTrainedTokenizer {
  (text: string, options: AsLists): ListEncoding<number[]>;
  (text: readonly string[], options: AsLists): ListEncoding<number[][]>;
  (text: string | readonly string[], options?: TokenizerCallOptions): BatchEncoding;
  readonly tokenizer: Tokenizer;
  /** Infinity where no limit is known. */
  readonly model_max_length: number;
  readonly vocab_size: number;
  readonly padding_side: 'left' | 'right';
  readonly truncation_side: 'left' | 'right';
  readonly unk_token: string | undefined;
  readonly unk_token_id: number | undefined;
  readonly sep_token: string | undefined;
  readonly sep_token_id: number | undefined;
  readonly pad_token: string | undefined;
  readonly pad_token_id: number | undefined;
  readonly cls_token: string | undefined;
  readonly cls_token_id: number | undefined;
  readonly mask_token: string | undefined;
  readonly mask_token_id: number | undefined;
  readonly all_special_tokens: readonly string[];
  readonly all_special_ids: readonly number[];
  encode(text: string, options?: TokenizerCallOptions): number[];
  tokenize(text: string, options?: Pick<TokenizerCallOptions, 'add_special_tokens'> & { readonly text_pair?: string | null }): string[];
  convert_tokens_to_ids(tokens: readonly string[]): number[];
  convert_ids_to_tokens(ids: ArrayLike<number>): string[];
  decode(ids: IdList, options?: Decoding): string;
  batch_decode(ids: IntegerInput, options?: Decoding): string[];
}

/** `AutoTokenizer` and its like. */
export interface TokenizerClass {
  /** Errors: as `loadTokenizer`. */
  from_pretrained(model: string, options?: PretrainedOptions): Promise<PreTrainedTokenizer>;
}

/** Loads the tokenizer of a model directory, called as in Python. */
export const AutoTokenizer: TokenizerClass = {
  from_pretrained: async (model, given) => {
    const found = await readPretrainedFiles(model, given);
    return callable(await loadTokenizer(found.model, found.options));
  },
};
export { AutoTokenizer as BertTokenizer, AutoTokenizer as BertTokenizerFast, AutoTokenizer as DistilBertTokenizer };
export { AutoTokenizer as ElectraTokenizer, AutoTokenizer as MPNetTokenizer };

const decodingSchema = { skipSpecialTokens: flag, cleanUpTokenizationSpaces: flag };
const pass: Check<unknown> = (value) => value;
/** The values are for `encodeBatch` to check, under these names. */
const encodingSchema = {
  padding: (value: unknown) => (value === 'do_not_pad' ? false : value),
  truncation: (value: unknown) => (value === 'do_not_truncate' ? false : value),
  maxLength: pass,
  padToMultipleOf: pass,
  paddingSide: pass,
  truncationSide: pass,
  addSpecialTokens: pass,
  splitSpecialTokens: pass,
};
const callSchema = {
  ...encodingSchema,
  textPair: pass,
  returnTokenTypeIds: flag,
  returnAttentionMask: flag,
  returnTensor: flag,
};

function callable(tokenizer: Tokenizer): PreTrainedTokenizer {
  const call = (text: string | readonly string[], options?: TokenizerCallOptions) => encodeTexts(tokenizer, text, options);
  const decode = (ids: IdList, given?: Decoding) => {
    const { skipSpecialTokens = false, cleanUpTokenizationSpaces: clean } = readOptions('decode', toCamelCase(given), decodingSchema);
    return tokenizer.decode(ids, { skipSpecialTokens, ...(clean === undefined ? {} : { cleanUpSpaces: clean }) });
  };
  const encodeOne = (name: string, text: string, given?: object) => {
    const { textPair, ...options } = readCallOptions(name, given);
    return tokenizer.encode(text, { ...encodeOptions(options), ...(textPair === undefined ? {} : { pair: textPair as string }) });
  };
  const { specialTokens } = tokenizer;
  const tokenOf = (id: number | undefined) => (id === undefined ? undefined : tokenizer.idToToken(id));
  return Object.assign(call, {
    tokenizer,
    model_max_length: tokenizer.maxLength ?? Infinity,
    vocab_size: tokenizer.vocabSize,
    padding_side: tokenizer.paddingSide,
    truncation_side: tokenizer.truncationSide,
    unk_token: tokenOf(tokenizer.unkId),
    unk_token_id: tokenizer.unkId,
    sep_token: tokenOf(tokenizer.sepId),
    sep_token_id: tokenizer.sepId,
    pad_token: tokenOf(tokenizer.padId),
    pad_token_id: tokenizer.padId,
    cls_token: tokenOf(tokenizer.clsId),
    cls_token_id: tokenizer.clsId,
    mask_token: tokenOf(tokenizer.maskId),
    mask_token_id: tokenizer.maskId,
    all_special_tokens: specialTokens,
    all_special_ids: specialTokens.map((token) => tokenizer.tokenToId(token)!),
    encode: (text: string, options?: TokenizerCallOptions) => Array.from(encodeOne('encode', text, options).ids),
    tokenize: (text: string, options?: object) => [
      ...encodeOne('tokenize', text, { addSpecialTokens: false, ...toCamelCase(options) }).tokens,
    ],
    convert_tokens_to_ids: (tokens: readonly string[]) => tokens.map((token) => tokenizer.tokenToId(token) ?? tokenizer.unkId),
    convert_ids_to_tokens: (ids: ArrayLike<number>) => Array.from(ids, (id) => tokenizer.idToToken(id) ?? ''),
    decode,
    batch_decode: (ids: IntegerInput, options?: Decoding) => toRows(ids, 'ids').map((row) => decode(row, options)),
  }) as unknown as PreTrainedTokenizer;
}

/** Options in camel case, those that are null left out as if they were not given. */
function readCallOptions(call: string, given: object | undefined): Options<typeof callSchema> {
  const options = toCamelCase<Record<string, unknown>>(given);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return readOptions(call, options, callSchema);
  return readOptions(call, Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)), callSchema);
}

function encodeOptions(options: Options<typeof callSchema>): EncodeOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(encodingSchema, name)));
}

function encodeTexts(tokenizer: Tokenizer, text: string | readonly string[], given?: TokenizerCallOptions) {
  const options = readCallOptions("the tokenizer's call", given);
  const texts = typeof text === 'string' ? [text] : text;
  const { textPair } = options;
  const pairs = (typeof textPair === 'string' ? [textPair] : textPair) as readonly string[] | undefined;
  if (pairs !== undefined && (!Array.isArray(pairs) || pairs.length !== texts.length)) {
    throw new BerthaError('INVALID_ARG', `Expected ${texts.length} texts for text_pair but received ${received(textPair)}.`);
  }
  const items = pairs === undefined ? texts : texts.map((each, i): [string, string] => [each, pairs[i]!]);
  const encodings = tokenizer.encodeBatch(items, encodeOptions(options));
  const fields = {
    input_ids: encodings.map(({ ids }) => ids),
    ...(options.returnAttentionMask === false ? {} : { attention_mask: encodings.map(({ attentionMask }) => attentionMask) }),
    ...(options.returnTokenTypeIds === false ? {} : { token_type_ids: encodings.map(({ typeIds }) => typeIds) }),
  };
  const shape = (rows: readonly Int32Array[]): unknown => {
    if (options.returnTensor !== false) return stack(rows);
    const lists = rows.map((row) => Array.from(row));
    return typeof text === 'string' ? lists[0] : lists;
  };
  return Object.fromEntries(Object.entries(fields).map(([name, rows]) => [name, shape(rows)]));
}

function stack(rows: readonly Int32Array[]): Tensor<Int32Array> {
  const width = rows[0]?.length ?? 0;
  if (rows.some(({ length }) => length !== width)) {
    throw new BerthaError('INVALID_ARG', 'Expected texts of one length for a tensor but received several lengths. Use padding: true.');
  }
  const data = new Int32Array(rows.length * width);
  rows.forEach((row, i) => data.set(row, i * width));
  return new Tensor(data, [rows.length, width]);
}
