import type { SentencePieceTokens } from './sentencepiece-tokens.js';
import { PieceCache } from '../vocabulary/piece-cache.js';
import type { LongWord, WordModel } from '../vocabulary/word-model.js';
import { Lattice, type LatticeOptions } from './lattice.js';
import type { TokenTable } from '../vocabulary/token-table.js';
import type { PieceTable } from './piece-table.js';
import { PieceWriter, type UnknownOptions } from './piece-writer.js';

/** The Unigram model of a tokenizer. */
export interface UnigramOptions {
  readonly pieces: PieceTable;
  readonly unkId: number;
  /** What no piece stands for becomes tokens such as `<0xE2>` of its bytes, if the vocabulary has all of them. */
  readonly byteFallback: boolean;
  readonly sentencePiece?: SentencePieceTokens;
}

/** By how much an unknown character is worse than the worst piece. */
const UNK_PENALTY = 10;
/** Stands for unknown text where the unknown token is no piece. */
const NO_PIECE = -1;
/** A UTF-16 unit is part of a character that has as many bytes, or half as many for each of two units. */
const MOST_BYTES = 3;

/** Takes words apart into the pieces that a unigram language model finds likeliest; those of recent words are remembered. */
export class Unigram implements WordModel {
  readonly unkId: number;
  readonly maxInputCharsPerWord = Infinity;
  readonly #options: LatticeOptions & UnknownOptions;
  readonly #lattice: Lattice;
  readonly #writer: PieceWriter;
  readonly #cache = new PieceCache();

  constructor({ pieces, unkId, byteFallback, sentencePiece: tokens }: UnigramOptions) {
    const { trie, scores } = pieces;
    this.unkId = unkId;
    const worst = scores.reduce((lowest, score) => Math.min(lowest, score), Infinity);
    const byteIds = byteFallback ? readByteIds(tokens?.vocab ?? pieces, tokens === undefined ? -1 : unkId) : undefined;
    const unkPiece = tokens === undefined ? unkId : NO_PIECE;
    const unkScore = tokens?.unkScore ?? worst - UNK_PENALTY;
    this.#options = { trie, scores, unkPiece, unkId, unkScore, isFloat32: tokens !== undefined, tokens, byteIds };
    this.#lattice = new Lattice(this.#options);
    this.#writer = new PieceWriter(this.#options);
  }

  split(units: Uint16Array, length: number, hash: number): number {
    const cached = this.#cache.find(units, length, hash);
    if (cached >= 0) return cached;
    this.#lattice.begin(units, length);
    while (!this.#lattice.run(Infinity));
    const at = this.#cache.reserve(this.#options.byteIds === undefined ? length : MOST_BYTES * length);
    this.#writer.begin(units, this.#lattice, this.#cache.pieces, at);
    this.#writer.run(Infinity);
    this.#cache.keep(units, length, hash);
    return at;
  }

  splitLong(units: Uint16Array, length: number): LongWord {
    return new LongUnigramWord(this.#options, units, length);
  }

  /** That a word is a piece does not mean that others are no better. */
  find(): number {
    return -1;
  }

  get pieces(): Int32Array {
    return this.#cache.pieces;
  }
}

/** A word whose pieces are looked for, then written, in steps. */
class LongUnigramWord implements LongWord {
  readonly #lattice: Lattice;
  readonly #writer: PieceWriter;
  #isFound = false;

  constructor(options: LatticeOptions & UnknownOptions, units: Uint16Array, length: number) {
    this.#lattice = new Lattice(options);
    this.#lattice.begin(units, length);
    this.#writer = new PieceWriter(options);
    this.#writer.begin(units, this.#lattice, new Int32Array(length), 0);
  }

  get pieces(): Int32Array {
    return this.#writer.pieces;
  }

  run(steps: number): boolean {
    if (this.#isFound) return this.#writer.run(steps);
    this.#isFound = this.#lattice.run(steps);
    return false;
  }
}

/** [256]: the tokens of bytes, `missing` where there is none. */
function readByteIds(pieces: TokenTable, missing: number): Int32Array {
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
  return Int32Array.from({ length: 256 }, (_, byte) => pieces.get(`<0x${hex(byte)}>`) ?? missing);
}
