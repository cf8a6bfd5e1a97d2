export type { TokenizerFiles } from './definition.js';
export type { EncodeOptions } from './encode-options.js';
export type { Encoding } from './encoding.js';
export type { EncodingTask } from './encoding-task.js';
export { createTokenizer, type DecodeOptions, type EncodedIds, Tokenizer, type TokenizerOptions } from './tokenizer.js';
