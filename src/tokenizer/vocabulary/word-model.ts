/**
 * What makes tokens of words: the interface of a tokenizer's model. It is asked with units of a buffer, so that a word costs no string;
 * `hash` is of these units, as UnitMap wants it.
 */
export interface WordModel {
  /** The token of what no others make up; undefined for a model without one: then nothing becomes of that. */
  readonly unkId: number | undefined;
  /** A word of more code points is that token as a whole. Infinity where there is no such limit. */
  readonly maxInputCharsPerWord: number;
  /**
   * What `split` answers with: `[n, id 0, start 0, end 0, id 1, …]` at the index it returns; starts and ends in units of the word.
   * Pieces that are made of parts of one character all have its start and end.
   */
  readonly pieces: Int32Array;
  /** The id of the token that is units[0..length) as a whole, or -1. */
  find(units: Uint16Array, length: number, hash: number): number;
  /** The pieces of a word that is no token itself: an index into `pieces`, valid until the next call. */
  split(units: Uint16Array, length: number, hash: number): number;
  /** For a word of more than LONG_WORD units, in place of `find` and `split`: it is taken apart step by step. Keeps `units`. */
  splitLong?(units: Uint16Array, length: number): LongWord;
}

/** Longer words are taken apart step by step by a model that has `splitLong`. */
export const LONG_WORD = 1 << 12;

/** A long word that is being taken apart. */
export interface LongWord {
  /** `[n, id 0, start 0, end 0, id 1, …]`, once `run` was true. */
  readonly pieces: Int32Array;
  /** Goes on for about `steps` steps, each of them the time that a unit of text takes; true when it is done. */
  run(steps: number): boolean;
}
