import { charactersOfBytes } from '../vocabulary/byte-level.js';
import { PieceCache } from '../vocabulary/piece-cache.js';
import { hashUnits } from '../vocabulary/unit-map.js';
import type { LongWord, WordModel } from '../vocabulary/word-model.js';
import { MergeTable } from './merge-table.js';
import { Merging } from './merging.js';
import { Alphabet, type AlphabetOptions, Symbols } from './symbols.js';

/** The BPE model of a tokenizer. */
export interface BpeOptions extends AlphabetOptions {
  /** [merges, 3]: left, right and merged token, the merge of the lowest rank first. */
  readonly merges: Int32Array;
  /** A word that is a token is that token, whatever its merges make of it. */
  readonly ignoreMerges: boolean;
}

/**
 * Byte pair encoding. Words are given as text; the bytes of byte-level tokens are only made where a word is not remembered, which is rare.
 */
export class Bpe implements WordModel {
  readonly unkId: number | undefined;
  readonly maxInputCharsPerWord = Infinity;
  readonly #cache = new PieceCache();
  readonly #alphabet: Alphabet;
  readonly #merges: MergeTable;
  readonly #symbols: Symbols;
  readonly #merging: Merging;
  readonly #ignoreMerges: boolean;

  constructor(options: BpeOptions) {
    this.unkId = options.unkId;
    this.#alphabet = new Alphabet(options);
    this.#merges = new MergeTable(options.merges);
    this.#symbols = new Symbols(this.#alphabet);
    this.#merging = new Merging(this.#merges);
    this.#ignoreMerges = options.ignoreMerges;
  }

  get pieces(): Int32Array {
    return this.#cache.pieces;
  }

  /** Whole words are found among those that are remembered. */
  find(): number {
    return -1;
  }

  split(units: Uint16Array, length: number, hash: number): number {
    const cached = this.#cache.find(units, length, hash);
    if (cached >= 0) return cached;
    const symbols = this.#symbols;
    const whole = this.#ignoreMerges ? this.#wholeId(units, length) : -1;
    symbols.begin(units, length);
    symbols.read(length);
    this.#merging.begin(symbols);
    if (whole < 0) while (!this.#merging.run(Infinity));
    const at = this.#cache.reserve(symbols.count + 1);
    if (whole < 0) writePieces(symbols, this.#merging, this.#cache.pieces, at);
    else this.#cache.pieces.set([1, whole, 0, length], at);
    this.#cache.keep(units, length, hash);
    return at;
  }

  splitLong(units: Uint16Array, length: number): LongWord {
    const whole = this.#ignoreMerges ? this.#wholeId(units, length) : -1;
    if (whole >= 0) return { pieces: Int32Array.of(1, whole, 0, length), run: () => true };
    return new LongBpeWord(new Symbols(this.#alphabet), new Merging(this.#merges), units, length);
  }

  /** The token that is the word as a whole, or -1. */
  #wholeId(units: Uint16Array, length: number): number {
    const { vocab, isByteLevel } = this.#alphabet.options;
    let spelled = units;
    let spelledLength = length;
    if (length > vocab.units.longestKey) return -1;
    if (isByteLevel) {
      const bytes = Buffer.from(String.fromCharCode(...units.subarray(0, length)), 'utf8');
      spelled = Uint16Array.from(bytes, (byte) => charactersOfBytes[byte] as number);
      spelledLength = bytes.length;
    }
    return vocab.units.find(spelled, 0, spelledLength, hashUnits(spelled, 0, spelledLength));
  }
}

/** A word whose symbols are read and merged step by step. */
class LongBpeWord implements LongWord {
  pieces = new Int32Array(0);
  readonly #symbols: Symbols;
  readonly #merging: Merging;
  #isRead = false;

  constructor(symbols: Symbols, merging: Merging, units: Uint16Array, length: number) {
    this.#symbols = symbols;
    this.#merging = merging;
    symbols.begin(units, length);
  }

  run(steps: number): boolean {
    if (!this.#isRead) {
      this.#isRead = this.#symbols.read(steps);
      if (this.#isRead) this.#merging.begin(this.#symbols);
      return false;
    }
    if (!this.#merging.run(steps)) return false;
    let count = 0;
    this.#merging.forEach(() => count++);
    this.pieces = new Int32Array(1 + 3 * count);
    writePieces(this.#symbols, this.#merging, this.pieces, 0);
    return true;
  }
}

/** Writes `[n, id 0, start 0, end 0, id 1, …]` to pieces[at…]. */
function writePieces(symbols: Symbols, merging: Merging, pieces: Int32Array, at: number): void {
  let count = 0;
  let byte = 0;
  merging.forEach((id, length) => {
    const place = at + 1 + 3 * count++;
    pieces[place] = id;
    pieces[place + 1] = symbols.startOf(byte);
    pieces[place + 2] = symbols.endOf(byte + length - 1);
    byte += length;
  });
  pieces[at] = count;
}
