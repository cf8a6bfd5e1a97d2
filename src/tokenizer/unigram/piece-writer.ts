import type { SentencePieceTokens } from './sentencepiece-tokens.js';
import { utf8Byte, utf8Length } from '../unicode/utf8.js';
import { hashUnits } from '../vocabulary/unit-map.js';
import type { Lattice } from './lattice.js';
import type { PieceTrie } from './piece-trie.js';

/** What becomes of text that no piece stands for. */
export interface UnknownOptions {
  readonly trie: PieceTrie;
  readonly unkPiece: number;
  /** The unknown token. */
  readonly unkId: number;
  /** How pieces become tokens that are not the tokens themselves. */
  readonly tokens: SentencePieceTokens | undefined;
  /** [256]: the tokens that stand for bytes, -1 where there is none. Undefined: unknown text is one unknown token. */
  readonly byteIds: Int32Array | undefined;
}

/**
 * Writes the pieces of a word as `WordModel.pieces` has them. Unknown pieces that follow one another are one: the piece of that spelling if
 * there is one, else the tokens of its bytes, each of them standing for all of it, else the unknown token.
 */
export class PieceWriter {
  pieces: Int32Array = new Int32Array(0);
  readonly #options: UnknownOptions;
  #units!: Uint16Array;
  #lattice!: Lattice;
  #at = 0;
  #count = 0;
  /** Where the unknown text began that is being read, or -1. */
  #unknownFrom = -1;
  /** Unknown text whose bytes are being written, and where. */
  #bytesFrom = 0;
  #bytesAt = 0;
  #bytesEnd = 0;
  /** Where the piece begins that the lattice read but that was not written yet, or -1. */
  #waitingFrom = -1;
  #isAtEnd = false;

  constructor(options: UnknownOptions) {
    this.#options = options;
  }

  /** Starts with the word `units` whose best way `lattice` has found; writes to `pieces` from `at` on, or a longer copy. */
  begin(units: Uint16Array, lattice: Lattice, pieces: Int32Array, at: number): void {
    this.#units = units;
    this.#lattice = lattice;
    this.pieces = pieces;
    this.#at = at;
    this.#count = this.#bytesAt = this.#bytesEnd = 0;
    this.#unknownFrom = this.#waitingFrom = -1;
    this.#isAtEnd = false;
  }

  /** Goes on for about `steps` steps; true when all is written. */
  run(steps: number): boolean {
    for (let left = steps; left > 0; left--) {
      if (this.#bytesAt < this.#bytesEnd) this.#writeBytes();
      else if (this.#waitingFrom >= 0) {
        const { id, end } = this.#lattice;
        const { tokens } = this.#options;
        this.#write(tokens === undefined ? id : (tokens.ids[id] as number), this.#waitingFrom, end);
        this.#waitingFrom = -1;
      } else if (this.#isAtEnd) {
        this.pieces[this.#at] = this.#count;
        return true;
      } else this.#read();
    }
    return false;
  }

  #read(): void {
    const lattice = this.#lattice;
    const from = lattice.end;
    const isPiece = lattice.next();
    if (isPiece && lattice.id === this.#options.unkPiece) {
      if (this.#unknownFrom < 0) this.#unknownFrom = from;
      return;
    }
    if (this.#unknownFrom >= 0) this.#endUnknown(this.#unknownFrom, from);
    this.#unknownFrom = -1;
    if (isPiece) this.#waitingFrom = from;
    else this.#isAtEnd = true;
  }

  #endUnknown(from: number, end: number): void {
    const { unkId } = this.#options;
    const id = this.#find(from, end);
    if (id < 0 && this.#hasBytes(from, end)) {
      this.#bytesFrom = this.#bytesAt = from;
      this.#bytesEnd = end;
    } else this.#write(id < 0 ? unkId : id, from, end);
  }

  /** The token that is spelled like unknown text, or -1. */
  #find(from: number, end: number): number {
    const { trie, tokens, byteIds } = this.#options;
    if (tokens !== undefined && byteIds !== undefined) return -1;
    if (tokens !== undefined) return tokens.vocab.units.find(this.#units, from, end - from, hashUnits(this.#units, from, end - from));
    return end - from > trie.longest ? -1 : trie.find(this.#units, from, end);
  }

  #hasBytes(from: number, end: number): boolean {
    const { byteIds } = this.#options;
    if (byteIds === undefined) return false;
    if (!byteIds.includes(-1)) return true;
    for (let k = from; k < end;) {
      const codePoint = this.#codePointAt(k);
      const size = utf8Length(codePoint);
      for (let index = 0; index < size; index++) if ((byteIds[utf8Byte(codePoint, size, index)] as number) < 0) return false;
      k += size === 4 ? 2 : 1;
    }
    return true;
  }

  #writeBytes(): void {
    const byteIds = this.#options.byteIds as Int32Array;
    const codePoint = this.#codePointAt(this.#bytesAt);
    const size = utf8Length(codePoint);
    for (let index = 0; index < size; index++) {
      this.#write(byteIds[utf8Byte(codePoint, size, index)] as number, this.#bytesFrom, this.#bytesEnd);
    }
    this.#bytesAt += size === 4 ? 2 : 1;
  }

  #codePointAt(index: number): number {
    const first = this.#units[index] as number;
    return (first & 0xfc00) === 0xd800 ? 0x10000 + ((first & 0x3ff) << 10) + ((this.#units[index + 1] as number) & 0x3ff) : first;
  }

  #write(id: number, from: number, end: number): void {
    const to = this.#at + 1 + 3 * this.#count++;
    if (to + 3 > this.pieces.length) {
      const pieces = new Int32Array(2 * to + 16);
      pieces.set(this.pieces);
      this.pieces = pieces;
    }
    this.pieces[to] = id;
    this.pieces[to + 1] = from;
    this.pieces[to + 2] = end;
  }
}
