import type { PieceTrie } from './piece-trie.js';

/** The pieces of a Unigram model, whose places in their list are their ids. */
export interface Pieces {
  /** Of equal pieces the last. */
  readonly trie: PieceTrie;
  /** [ids]: finite. */
  readonly scores: Float64Array;
}
