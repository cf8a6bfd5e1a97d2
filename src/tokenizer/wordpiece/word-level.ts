import type { UnitMap } from '../vocabulary/unit-map.js';
import type { Vocabulary } from '../vocabulary/vocabulary.js';
import type { WordModel } from '../vocabulary/word-model.js';

/** The WordLevel model of a tokenizer: a word is a token as a whole, or unknown. */
export class WordLevel implements WordModel {
  readonly unkId: number;
  /** No token is longer. */
  readonly maxInputCharsPerWord: number;
  readonly pieces: Int32Array;
  readonly #tokens: UnitMap;

  constructor(vocab: Vocabulary, unkId: number) {
    this.unkId = unkId;
    this.#tokens = vocab.units;
    this.maxInputCharsPerWord = vocab.units.longestKey;
    this.pieces = Int32Array.of(1, unkId, 0, 0);
  }

  find(units: Uint16Array, length: number, hash: number): number {
    return this.#tokens.find(units, 0, length, hash);
  }

  split(_units: Uint16Array, length: number): number {
    this.pieces[3] = length;
    return 0;
  }
}
