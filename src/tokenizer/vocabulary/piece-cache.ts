import { UnitMap } from './unit-map.js';

/** Longer words are not remembered. */
const MAX_CACHED_UNITS = 64;
const MAX_CACHE_ENTRIES = 1 << 15;
// Bounds what an adversary gains from words chosen to collide.
const CACHE_PROBE_LIMIT = 32;
/** A word without pieces counts too. */
const MAX_CACHED_PIECES = 1 << 18;

/** Remembers the pieces of words, as `WordModel.pieces` has them; forgets all when it is full. */
export class PieceCache {
  pieces: Int32Array = new Int32Array(1 << 10);
  readonly #words = new UnitMap(1 << 10, 1 << 13);
  /** How much of `pieces` is remembered. */
  #used = 0;

  /** Where the pieces of units[0..length) are, or -1. */
  find(units: Uint16Array, length: number, hash: number): number {
    return length > MAX_CACHED_UNITS ? -1 : this.#words.find(units, 0, length, hash);
  }

  /** Where the pieces of a new word go, with room for `count` of them. */
  reserve(count: number): number {
    if (this.#words.size >= MAX_CACHE_ENTRIES || this.#used >= MAX_CACHED_PIECES) {
      this.#words.clear();
      this.#used = 0;
    }
    const end = this.#used + 1 + 3 * count;
    if (end > this.pieces.length) {
      const pieces = new Int32Array(Math.max(end, this.pieces.length * 2));
      pieces.set(this.pieces.subarray(0, this.#used));
      this.pieces = pieces;
    }
    return this.#used;
  }

  /** Remembers the pieces that were written where `reserve` said. */
  keep(units: Uint16Array, length: number, hash: number): void {
    if (length > MAX_CACHED_UNITS || !this.#words.add(units, 0, length, hash, this.#used, CACHE_PROBE_LIMIT)) return;
    this.#used += 1 + 3 * (this.pieces[this.#used] as number);
  }
}
