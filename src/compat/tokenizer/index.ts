export { AutoTokenizer, BertTokenizerFast } from './tokenizer.js';
export type {
  BatchEncoding,
  BatchFields,
  ListCallOptions,
  ListEncoding,
  PreTrainedTokenizer,
  TokenizeFields,
  TokenizerCallFields,
  TokenizerCallOptions,
  TokenizerClass,
  TokenizerDecodeFields,
  TokenizerDecodeOptions,
  TokenizeOptions,
  TokenizerFields,
  TokenizerMethods,
} from './types.js';
