/**
 * What makes tokens of words: the interface of a tokenizer's model. It is asked with units of a buffer, so that a word costs no string;
 * `hash` is of these units, as UnitMap wants it.
 */
export interface WordModel {
  /** The token of what no others make up; undefined for a model without one: then nothing becomes of that. */
  readonly unkId: number | undefined;
  /** A word of more code points is that token as a whole. Infinity where there is no such limit. */
  readonly maxInputCharsPerWord: number;
  /** What `split` answers with: `[n, id 0, end 0, id 1, end 1, …]` at the index it returns; ends in units of the word. */
  readonly pieces: Int32Array;
  /** The id of the token that is units[0..length) as a whole, or -1. */
  find(units: Uint16Array, length: number, hash: number): number;
  /** The pieces of a word that is no token itself: an index into `pieces`, valid until the next call. */
  split(units: Uint16Array, length: number, hash: number): number;
}
