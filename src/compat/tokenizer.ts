import { BerthaError } from '../errors.js';
import { loadTokenizer } from '../tasks/load-tokenizer.js';
import type { EncodeOptions, IdList, Tokenizer } from '../tokenizer/index.js';
import { toRows, type IntegerInput } from './integer-rows.js';
import { readPretrainedFiles, type PretrainedOptions } from './load-options.js';
import { Tensor } from './tensor.js';

/** Options of a tokenizer's call, as in transformers. */
export interface TokenizerCallOptions {
  readonly text_pair?: string | readonly string[] | null;
  readonly padding?: boolean | 'longest' | 'max_length';
  readonly truncation?: boolean | 'longest_first' | 'only_first' | 'only_second';
  readonly max_length?: number;
  readonly add_special_tokens?: boolean;
  readonly return_token_type_ids?: boolean;
}

/** A batch as models take it: [texts, tokens], padded. */
export interface BatchEncoding {
  readonly input_ids: Tensor<Int32Array>;
  readonly attention_mask: Tensor<Int32Array>;
  readonly token_type_ids?: Tensor<Int32Array>;
}

interface Decoding {
  readonly skip_special_tokens?: boolean;
  readonly clean_up_tokenization_spaces?: boolean;
}

/** A tokenizer that is called as in transformers.js. */
export interface PreTrainedTokenizer {
  (text: string | readonly string[], options?: TokenizerCallOptions): BatchEncoding;
  readonly tokenizer: Tokenizer;
  readonly mask_token: string | undefined;
  readonly mask_token_id: number | undefined;
  readonly pad_token_id: number | undefined;
  readonly cls_token_id: number | undefined;
  readonly sep_token_id: number | undefined;
  encode(text: string, options?: TokenizerCallOptions): number[];
  tokenize(text: string): string[];
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

function callable(tokenizer: Tokenizer): PreTrainedTokenizer {
  const call = (text: string | readonly string[], options: TokenizerCallOptions = {}): BatchEncoding => toBatch(tokenizer, text, options);
  const decode = (ids: IdList, { skip_special_tokens: skip = false, clean_up_tokenization_spaces: clean }: Decoding = {}) =>
    tokenizer.decode(ids, { skipSpecialTokens: skip, ...(clean === undefined ? {} : { cleanUpSpaces: clean }) });
  return Object.assign(call, {
    tokenizer,
    mask_token: tokenizer.maskId === undefined ? undefined : tokenizer.idToToken(tokenizer.maskId),
    mask_token_id: tokenizer.maskId,
    pad_token_id: tokenizer.padId,
    cls_token_id: tokenizer.clsId,
    sep_token_id: tokenizer.sepId,
    encode: (text: string, options: TokenizerCallOptions = {}) => {
      const pair = options.text_pair ?? undefined;
      return Array.from(tokenizer.encode(text, { ...encodeOptions(options), ...(typeof pair === 'string' ? { pair } : {}) }).ids);
    },
    tokenize: (text: string) => [...tokenizer.encode(text, { addSpecialTokens: false }).tokens],
    convert_tokens_to_ids: (tokens: readonly string[]) => tokens.map((token) => tokenizer.tokenToId(token) ?? tokenizer.unkId),
    convert_ids_to_tokens: (ids: ArrayLike<number>) => Array.from(ids, (id) => tokenizer.idToToken(id) ?? ''),
    decode,
    batch_decode: (ids: IntegerInput, options?: Decoding) => toRows(ids, 'ids').map((row) => decode(row, options)),
  });
}

function toBatch(tokenizer: Tokenizer, text: string | readonly string[], options: TokenizerCallOptions): BatchEncoding {
  const texts = typeof text === 'string' ? [text] : text;
  const pairs = typeof options.text_pair === 'string' ? [options.text_pair] : (options.text_pair ?? undefined);
  if (pairs !== undefined && pairs.length !== texts.length) {
    throw new BerthaError('INVALID_ARG', `Expected ${texts.length} texts for text_pair but received ${pairs.length}.`);
  }
  const items = pairs === undefined ? texts : texts.map((each, i): [string, string] => [each, pairs[i]!]);
  const encodings = tokenizer.encodeBatch(items, encodeOptions(options));
  const width = encodings[0]?.length ?? 0;
  if (encodings.some(({ length }) => length !== width)) {
    throw new BerthaError('INVALID_ARG', 'Expected texts of one length for a tensor but received several lengths. Use padding: true.');
  }
  const stack = (rows: readonly Int32Array[]) => {
    const data = new Int32Array(rows.length * width);
    rows.forEach((row, i) => data.set(row, i * width));
    return new Tensor(data, [rows.length, width]);
  };
  return {
    input_ids: stack(encodings.map(({ ids }) => ids)),
    attention_mask: stack(encodings.map(({ attentionMask }) => attentionMask)),
    ...(options.return_token_type_ids === false ? {} : { token_type_ids: stack(encodings.map(({ typeIds }) => typeIds)) }),
  };
}

function encodeOptions({ padding, truncation, max_length: maxLength, add_special_tokens: special }: TokenizerCallOptions): EncodeOptions {
  return { padding, truncation, maxLength, addSpecialTokens: special };
}
