import { makeTokenizer, type Tokenizer, type TokenizerFiles, type TokenizerOptions } from '../tokenizer/index.js';
import { bert } from './bert/bert.js';
import { families } from './registry.js';

const kinds = Object.values(families).map(({ vocab }) => vocab);

/** `makeTokenizer` with what the families know of a vocab.txt; one that nothing is known of is read as BERT's. Errors: as `makeTokenizer`. */
export function createTokenizer(files: TokenizerFiles, options?: TokenizerOptions): Tokenizer {
  return makeTokenizer(files, options, [bert.vocab, ...kinds]);
}
