import type { ModelPath } from '../../hub/index.js';
import type { IdList, Tokenizer } from '../../tokenizer/index.js';
import type { PretrainedOptions } from '../loading/options.js';
import type { WithCamelCase } from '../snake-case.js';
import type { IntegerInput } from '../tensor/integer-rows.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of a tokenizer's call as transformers spells them. Null is as if not given. */
export interface TokenizerCallFields {
  /** The second texts of pairs: a text for a text, a list of as many for a list. */
  readonly text_pair?: string | readonly string[] | null;
  /** True or `longest`: to the longest of the call. Default false. */
  readonly padding?: boolean | 'longest' | 'max_length' | 'do_not_pad' | null;
  /** True: at `max_length`, else the model's limit, if one is known. Default false, or true where only `max_length` is given. */
  readonly truncation?: boolean | 'longest_first' | 'only_first' | 'only_second' | 'do_not_truncate' | null;
  /** In tokens, special ones included; never more than the model's limit. */
  readonly max_length?: number | null;
  readonly pad_to_multiple_of?: number | null;
  readonly padding_side?: 'left' | 'right' | null;
  readonly truncation_side?: 'left' | 'right' | null;
  readonly add_special_tokens?: boolean | null;
  readonly split_special_tokens?: boolean | null;
  /** Tokens that neighbouring windows share, with `return_overflowing_tokens`. */
  readonly stride?: number | null;
  /** What was cut off follows its text as further rows; `overflow_to_sample_mapping` says which text each row is of. */
  readonly return_overflowing_tokens?: boolean | null;
  readonly return_token_type_ids?: boolean | null;
  readonly return_attention_mask?: boolean | null;
  readonly return_special_tokens_mask?: boolean | null;
  readonly return_offsets_mapping?: boolean | null;
  readonly return_length?: boolean | null;
  /** False returns lists in place of tensors: of one text a list, of a list of texts lists of any lengths. Default true. */
  readonly return_tensor?: boolean | null;
  /** Python's name of `return_tensor`: the name of any framework is true. */
  readonly return_tensors?: boolean | 'pt' | 'np' | 'tf' | 'jax' | 'mlx' | null;
  /** Without effect. */
  readonly verbose?: boolean | null;
  /** Only false: words are not taken apart from a text. */
  readonly is_split_into_words?: false | null;
}

/** Options of a tokenizer's call, in snake case or in camel case. */
export type TokenizerCallOptions = WithCamelCase<TokenizerCallFields>;

/** A batch as models take it: [texts, tokens], padded. Its keys are read in camel case too, which JSON and spreading do not see. */
export type BatchEncoding = WithCamelCase<BatchFields<Tensor<Int32Array>>>;

/** The same as lists: numbers of one text, or lists of them. */
export type ListEncoding<T extends number[] | number[][]> = WithCamelCase<
  Omit<BatchFields<T>, 'offset_mapping' | 'length' | 'overflow_to_sample_mapping'> & {
    readonly offset_mapping?: T extends number[] ? number[][] : number[][][];
    readonly length?: number[];
    readonly overflow_to_sample_mapping?: number[];
  }
>;

/** What a tokenizer's call returns. */
export interface BatchFields<T> {
  readonly input_ids: T;
  /** Absent where `return_attention_mask` is false. */
  readonly attention_mask: T;
  /** Absent where `return_token_type_ids` is false. */
  readonly token_type_ids?: T;
  /** 1 for tokens that the tokenizer added, with `return_special_tokens_mask`. */
  readonly special_tokens_mask?: T;
  /** [texts, tokens, 2], where each token begins and ends in its text, in UTF-16 units, with `return_offsets_mapping`. */
  readonly offset_mapping?: T;
  /** [texts], how many tokens, with `return_length`. */
  readonly length?: T;
  /** [texts], with `return_overflowing_tokens`. */
  readonly overflow_to_sample_mapping?: T;
}

/** Options of `decode` as transformers spells them. */
export interface TokenizerDecodeFields {
  /** Default false. */
  readonly skip_special_tokens?: boolean | null;
  /** Default: as the model's files say, else false. */
  readonly clean_up_tokenization_spaces?: boolean | null;
}

/** Options of `decode`, in snake case or in camel case. */
export type TokenizerDecodeOptions = WithCamelCase<TokenizerDecodeFields>;

/** Options of `tokenize` as transformers spells them. */
export interface TokenizeFields {
  readonly text_pair?: string | null;
  /** transformers.js's name of `text_pair`. */
  readonly pair?: string | null;
  /** Default false. */
  readonly add_special_tokens?: boolean | null;
}

/** Options of `tokenize`, in snake case or in camel case. */
export type TokenizeOptions = WithCamelCase<TokenizeFields>;

/** Options that ask for lists in place of tensors. */
export type ListCallOptions = TokenizerCallOptions &
  (
    | { readonly return_tensor: false }
    | { readonly return_tensors: false }
    | { readonly returnTensor: false }
    | { readonly returnTensors: false }
  );

/** A tokenizer's fields; `undefined` where the vocabulary has no such token. */
export interface TokenizerFields {
  /** Bertha's own tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Infinity where no limit is known. */
  readonly model_max_length: number;
  readonly vocab_size: number;
  /** May be set, for the calls that follow. */
  padding_side: 'left' | 'right';
  /** May be set, for the calls that follow. */
  truncation_side: 'left' | 'right';
  readonly bos_token: string | undefined;
  readonly bos_token_id: number | undefined;
  readonly eos_token: string | undefined;
  readonly eos_token_id: number | undefined;
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
  readonly additional_special_tokens: readonly string[];
  readonly additional_special_tokens_ids: readonly number[];
  /** In Python's order: the named ones, then the others. */
  readonly all_special_tokens: readonly string[];
  readonly all_special_ids: readonly number[];
  /** Encoders have none. */
  readonly chat_template: null;
}

/** What a tokenizer does besides being called. Options in camel case are taken as well. */
export interface TokenizerMethods {
  /** The ids of a text or a pair. Errors: as a call. */
  encode(text: string, options?: TokenizerCallOptions): number[];
  /** The tokens of a text or a pair, by default without special ones. Errors: as a call. */
  tokenize(text: string, options?: TokenizeOptions): string[];
  /** Every token and its id. */
  get_vocab(): Map<string, number>;
  /** The id of a token, that of the unknown token where the vocabulary has no such one. */
  convert_tokens_to_ids(token: string): number;
  /** The ids of tokens. */
  convert_tokens_to_ids(tokens: readonly string[]): number[];
  /** The token of an id, `''` where it has none. */
  convert_ids_to_tokens(id: number): string;
  /** The tokens of ids. */
  convert_ids_to_tokens(ids: ArrayLike<number | bigint>): string[];
  /** The text of ids, or of a tensor of one row. Errors: INVALID_ARG, INVALID_IDS. */
  decode(ids: IdList, options?: TokenizerDecodeOptions): string;
  /** Another name of `decode`. */
  decode_single(ids: IdList, options?: TokenizerDecodeOptions): string;
  /** The texts of lists of ids, or of a tensor's rows. Errors: INVALID_ARG, INVALID_IDS. */
  batch_decode(ids: IntegerInput | readonly IdList[], options?: TokenizerDecodeOptions): string[];
  /** Errors: INVALID_ARG: encoders have no chats. */
  apply_chat_template(...args: readonly unknown[]): never;
  /** Errors: INVALID_ARG: encoders have no chats. */
  get_chat_template(...args: readonly unknown[]): never;
}

/** A tokenizer that is called as in transformers.js. Its fields are read in camel case too. Options that are not known are INVALID_OPTION. */
export interface PreTrainedTokenizer extends WithCamelCase<TokenizerFields>, TokenizerMethods {
  (text: string, options: ListCallOptions): ListEncoding<number[]>;
  (text: readonly string[], options: ListCallOptions): ListEncoding<number[][]>;
  (text: string | readonly string[], options?: TokenizerCallOptions): BatchEncoding;
}

/** `AutoTokenizer` and its like. */
export interface TokenizerClass {
  /** Errors: as `loadTokenizer`. */
  from_pretrained(model: ModelPath, options?: PretrainedOptions): Promise<PreTrainedTokenizer>;
}
