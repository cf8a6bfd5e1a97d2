export { AutoTokenizer, BertTokenizer, BertTokenizerFast, DistilBertTokenizer, ElectraTokenizer, MPNetTokenizer } from './tokenizer.js';
export type {
  BatchEncoding,
  BatchFields,
  ListEncoding,
  PreTrainedTokenizer,
  TokenizerCallOptions,
  TokenizerClass,
  TokenizerDecodeOptions,
  TokenizeOptions,
  TokenizerFields,
} from './types.js';
