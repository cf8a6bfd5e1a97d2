import { HASH_PRIME, HASH_SEED, UnitMap, hashUnits } from '../vocabulary/unit-map.js';
import { PieceCache } from '../vocabulary/piece-cache.js';
import { unitsOf, type Vocabulary } from '../vocabulary/vocabulary.js';
import type { WordModel } from '../vocabulary/word-model.js';

/** The WordPiece model of a tokenizer. */
export interface WordPieceOptions {
  /** Tokens with their ids; well-formed strings. */
  readonly vocab: Vocabulary;
  readonly unkId: number;
  /** What a token begins with that continues a word, usually "##". */
  readonly continuingSubwordPrefix: string;
  /** A word of more code points is [UNK] as a whole. */
  readonly maxInputCharsPerWord: number;
}

/**
 * Greedy longest match first. Whole words, which most are, cost one lookup; the pieces of other words are remembered in a bounded
 * cache; a miss costs at most units x longest token lookups.
 */
export class WordPiece implements WordModel {
  readonly unkId: number;
  readonly maxInputCharsPerWord: number;
  readonly #initial: UnitMap;
  readonly #continuing: UnitMap;
  readonly #cache = new PieceCache();
  /** Hash of each prefix of what is left of the word, by length. */
  readonly #prefixHashes: Int32Array;

  constructor({ vocab, unkId, continuingSubwordPrefix, maxInputCharsPerWord }: WordPieceOptions) {
    this.unkId = unkId;
    this.maxInputCharsPerWord = maxInputCharsPerWord;
    this.#initial = vocab.units;
    this.#continuing = new UnitMap(vocab.size >> 2, vocab.size);
    const prefix = unitsOf(continuingSubwordPrefix);
    vocab.units.forEach((units, from, length, id) => {
      const rest = length - prefix.length;
      if (rest <= 0) return;
      for (let k = 0; k < prefix.length; k++) if (units[from + k] !== prefix[k]) return;
      const start = from + prefix.length;
      this.#continuing.add(units, start, rest, hashUnits(units, start, rest), id);
    });
    this.#prefixHashes = new Int32Array(Math.max(this.#initial.longestKey, this.#continuing.longestKey) + 1);
  }

  find(units: Uint16Array, length: number, hash: number): number {
    return this.#initial.find(units, 0, length, hash);
  }

  get pieces(): Int32Array {
    return this.#cache.pieces;
  }

  split(units: Uint16Array, length: number, hash: number): number {
    const cached = this.#cache.find(units, length, hash);
    if (cached >= 0) return cached;
    const at = this.#cache.reserve(length);
    this.#match(units, length, at);
    this.#cache.keep(units, length, hash);
    return at;
  }

  #match(units: Uint16Array, length: number, at: number): void {
    const { pieces } = this.#cache;
    const hashes = this.#prefixHashes;
    let count = 0;
    let start = 0;
    while (start < length) {
      const tokens = start === 0 ? this.#initial : this.#continuing;
      const longest = Math.min(length - start, tokens.longestKey);
      let hash = HASH_SEED;
      for (let k = 0; k < longest; k++) {
        hash = Math.imul(hash ^ (units[start + k] as number), HASH_PRIME);
        hashes[k + 1] = hash;
      }
      let end = longest;
      let id = -1;
      for (; end > 0; end--) {
        id = tokens.find(units, start, end, hashes[end] as number);
        if (id >= 0) break;
      }
      if (id < 0) {
        pieces[at] = 1;
        pieces[at + 1] = this.unkId;
        pieces[at + 2] = 0;
        pieces[at + 3] = length;
        return;
      }
      pieces[at + 1 + 3 * count] = id;
      pieces[at + 2 + 3 * count] = start;
      pieces[at + 3 + 3 * count] = start += end;
      count++;
    }
    pieces[at] = count;
  }
}
