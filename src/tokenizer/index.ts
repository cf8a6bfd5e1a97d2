export type { TokenizerFiles } from './definition/definition.js';
export { type EncodeOptions, type EncodeSettings, MAX_TEXT_UNITS } from './encode-options.js';
export type { EncodedIds, Encoding } from './encoding.js';
export type { EncodingTask, PreparedBy } from './encoding-task.js';
export { createTokenizer, type DecodeOptions, Tokenizer, type TokenizerOptions } from './tokenizer.js';
export type { Side, TruncationStrategy } from './definition/truncation.js';
export type { IdList } from './id-list.js';
