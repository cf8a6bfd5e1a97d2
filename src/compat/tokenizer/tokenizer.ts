import { unexpected, wrongArgument } from '../../expected.js';
import { loadTokenizer } from '../../models/load-tokenizer.js';
import { flag } from '../../options.js';
import type { IdList, Tokenizer } from '../../tokenizer/index.js';
import { readPretrainedFiles } from '../loading/options.js';
import { withCamelCase } from '../snake-case.js';
import { toRows, type IntegerInput } from '../tensor/integer-rows.js';
import { encodeOptions, readCallOptions, readNullable } from './call-options.js';
import { encodeTexts } from './encode-texts.js';
import type { PreTrainedTokenizer, TokenizerCallOptions, TokenizerClass, TokenizerDecodeOptions, TokenizeOptions } from './types.js';

/** Loads the tokenizer of a model directory, called as in Python. */
export const AutoTokenizer: TokenizerClass = {
  from_pretrained: async (model, given) => {
    const found = await readPretrainedFiles(model, given);
    return callableTokenizer(await loadTokenizer(found.model, found.options));
  },
};
export { AutoTokenizer as BertTokenizerFast };

const decodingSchema = { skipSpecialTokens: flag, cleanUpTokenizationSpaces: flag };
const NAMES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'] as const;

/** A tokenizer as a function, with the fields and methods of transformers.js. */
export function callableTokenizer(tokenizer: Tokenizer): PreTrainedTokenizer {
  const sides = { padding_side: tokenizer.paddingSide, truncation_side: tokenizer.truncationSide };
  const call = (text: string | readonly string[], given?: TokenizerCallOptions) => {
    const { padding_side: paddingSide, truncation_side: truncationSide } = self;
    return encodeTexts(tokenizer, text, { paddingSide, truncationSide, ...readCallOptions("the tokenizer's call", given) });
  };
  const encodeOne = (name: string, text: string, given?: object) => {
    const { textPair, ...options } = { truncationSide: self.truncation_side, ...readCallOptions(name, given) };
    const pair = textPair === undefined ? {} : { pair: textPair as string };
    return tokenizer.encode(text, { ...encodeOptions(tokenizer, options), ...pair });
  };
  const decode = (ids: IdList, given?: TokenizerDecodeOptions) => {
    const { skipSpecialTokens = false, cleanUpTokenizationSpaces: clean } = readNullable('decode', given, decodingSchema);
    return tokenizer.decode(ids, { skipSpecialTokens, ...(clean === undefined ? {} : { cleanUpSpaces: clean }) });
  };
  const idOf = (token: string) => tokenizer.tokenToId(token) ?? tokenizer.unkId;
  const tokenOf = (id: number | bigint) => tokenizer.idToToken(Number(id)) ?? '';
  const methods = {
    encode: (text: string, options?: TokenizerCallOptions) => Array.from(encodeOne('encode', text, options).ids),
    tokenize: (text: string, { pair, ...options }: TokenizeOptions = {}) => [
      ...encodeOne('tokenize', text, { add_special_tokens: false, ...(pair === undefined ? {} : { text_pair: pair }), ...options }).tokens,
    ],
    get_vocab: () => vocabularyOf(tokenizer),
    convert_tokens_to_ids: (tokens: string | readonly string[]) => (typeof tokens === 'string' ? idOf(tokens) : tokens.map(idOf)),
    convert_ids_to_tokens: (ids: number | ArrayLike<number | bigint>) =>
      typeof ids === 'number' ? tokenOf(ids) : Array.from(ids, tokenOf),
    decode,
    decode_single: decode,
    batch_decode: (ids: IntegerInput | readonly IdList[], options?: TokenizerDecodeOptions) =>
      listsOf(ids).map((row) => decode(row, options)),
    apply_chat_template: refuseChats,
    get_chat_template: refuseChats,
  };
  const self = Object.assign(withCamelCase(Object.assign(call, fieldsOf(tokenizer), sides)), methods) as unknown as PreTrainedTokenizer;
  return self;
}

function fieldsOf(tokenizer: Tokenizer): object {
  const { specialTokens, additionalSpecialTokens } = tokenizer;
  const named = NAMES.flatMap((name): [string, unknown][] => {
    const id = tokenizer[`${name}Id`];
    return [
      [`${name}_token`, id === undefined ? undefined : tokenizer.idToToken(id)],
      [`${name}_token_id`, id],
    ];
  });
  const idsOf = (tokens: readonly string[]) => tokens.map((token) => tokenizer.tokenToId(token));
  return {
    tokenizer,
    model_max_length: tokenizer.maxLength ?? Infinity,
    vocab_size: tokenizer.vocabSize,
    ...Object.fromEntries(named),
    additional_special_tokens: additionalSpecialTokens,
    additional_special_tokens_ids: idsOf(additionalSpecialTokens),
    all_special_tokens: specialTokens,
    all_special_ids: idsOf(specialTokens),
    chat_template: null,
  };
}

function vocabularyOf(tokenizer: Tokenizer): Map<string, number> {
  const vocabulary = new Map<string, number>();
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const token = tokenizer.idToToken(id);
    if (token !== undefined) vocabulary.set(token, id);
  }
  return vocabulary;
}

/** The lists of ids of a batch: a tensor's rows, or what a list holds. */
function listsOf(batch: IntegerInput | readonly IdList[]): readonly IdList[] {
  if (Array.isArray(batch) && (batch.length === 0 || typeof batch[0] === 'object')) return batch as readonly IdList[];
  if (Array.isArray(batch)) throw wrongArgument('lists of ids for batch_decode', batch);
  return toRows(batch as IntegerInput, 'ids');
}

function refuseChats(): never {
  throw unexpected(
    'INVALID_ARG',
    'a tokenizer with a chat template',
    "an encoder's: encoders read texts and pairs of texts, not conversations",
  );
}
