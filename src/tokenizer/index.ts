export type { TokenizerFiles } from './definition/definition.js';
export { type EncodeOptions, type EncodeSettings, MAX_TEXT_UNITS } from './encode-options.js';
export type { EncodedIds, Encoding } from './encoding.js';
export type { EncodingTask, PreparedBy } from './encoding-task.js';
export { type DecodeOptions, makeTokenizer, Tokenizer, type TokenizerOptions } from './tokenizer.js';
export { bertTemplate, robertaTemplate } from './definition/template.js';
export type { VocabKind } from './definition/vocab-kind.js';
export type { Side, TruncationStrategy } from './definition/truncation.js';
export type { IdList } from './id-list.js';
