/** What makes tokens of a word: the model of a tokenizer. */
export interface WordModel {
  readonly unkId: number;
  /** A word of more code points is unknown as a whole. */
  readonly maxInputCharsPerWord: number;
  /** What `split` answers with: `[n, id 0, end 0, id 1, end 1, …]` at the index it returns; ends in units of the word. */
  readonly pieces: Int32Array;
  /** The id of the token that is units[0..length) as a whole, or -1; `hash` as UnitMap wants it. */
  find(units: Uint16Array, length: number, hash: number): number;
  /** The pieces of a word that is no token itself: an index into `pieces`, valid until the next call. */
  split(units: Uint16Array, length: number, hash: number): number;
}
