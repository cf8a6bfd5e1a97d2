import { HASH_PRIME, HASH_SEED, UnitMap, hashUnits } from '../vocabulary/unit-map.js';
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

const MAX_CACHED_UNITS = 64;
const MAX_CACHE_ENTRIES = 1 << 15;
// Bounds what an adversary gains from words chosen to collide.
const CACHE_PROBE_LIMIT = 32;
const MAX_CACHED_PIECES = 1 << 18;

/**
 * Greedy longest match first. Whole words, which most are, cost one lookup; the pieces of other words are remembered in a bounded
 * cache; a miss costs at most units x longest token lookups.
 */
export class WordPiece implements WordModel {
  readonly unkId: number;
  readonly maxInputCharsPerWord: number;
  pieces: Int32Array = new Int32Array(1 << 10);
  readonly #initial: UnitMap;
  readonly #continuing: UnitMap;
  readonly #cache = new UnitMap(1 << 10, 1 << 13);
  #cachedPieces = 0;
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

  split(units: Uint16Array, length: number, hash: number): number {
    if (length > MAX_CACHED_UNITS) return this.#match(units, length, this.#cachedPieces);
    const cached = this.#cache.find(units, 0, length, hash);
    if (cached >= 0) return cached;
    if (this.#cache.size >= MAX_CACHE_ENTRIES || this.#cachedPieces >= MAX_CACHED_PIECES) {
      this.#cache.clear();
      this.#cachedPieces = 0;
    }
    const at = this.#match(units, length, this.#cachedPieces);
    if (this.#cache.add(units, 0, length, hash, at, CACHE_PROBE_LIMIT)) this.#cachedPieces += 1 + 2 * (this.pieces[at] as number);
    return at;
  }

  #match(units: Uint16Array, length: number, at: number): number {
    if (at + 1 + 2 * length > this.pieces.length) {
      const pieces = new Int32Array(Math.max(at + 1 + 2 * length, this.pieces.length * 2));
      pieces.set(this.pieces);
      this.pieces = pieces;
    }
    const pieces = this.pieces;
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
        pieces[at + 2] = length;
        return at;
      }
      start += end;
      pieces[at + 1 + 2 * count] = id;
      pieces[at + 2 + 2 * count] = start;
      count++;
    }
    pieces[at] = count;
    return at;
  }
}
