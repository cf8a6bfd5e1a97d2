import { makeTokenizer, type Tokenizer, type TokenizerFiles, type TokenizerOptions } from '../tokenizer/index.js';
import { bertVocab } from './bert/bert.js';
import type { Family } from './family.js';
import { families } from './registry.js';

const all: readonly Family[] = Object.values(families);
const kinds = all.flatMap(({ vocab }) => vocab ?? []);

/** `makeTokenizer` with what the families know of a vocab.txt; one that nothing is known of is read as BERT's. Errors: as `makeTokenizer`. */
export function createTokenizer(files: TokenizerFiles, options?: TokenizerOptions): Tokenizer {
  return makeTokenizer(files, options, [bertVocab, ...kinds]);
}
