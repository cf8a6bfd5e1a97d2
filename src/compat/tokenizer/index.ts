export { AutoTokenizer, BertTokenizer, BertTokenizerFast, DistilBertTokenizer, ElectraTokenizer, MPNetTokenizer } from './tokenizer.js';
export type {
  BatchEncoding,
  BatchFields,
  ListCallOptions,
  ListEncoding,
  PreTrainedTokenizer,
  TokenizerCallOptions,
  TokenizerClass,
  TokenizerDecodeOptions,
  TokenizeOptions,
  TokenizerFields,
  TokenizerMethods,
} from './types.js';
