import type { PieceTrie } from './piece-trie.js';

/** What decides about the pieces of a text. */
export interface LatticeOptions {
  /** Pieces with their ids: of equal ones the last. */
  readonly trie: PieceTrie;
  /** [ids]: logarithms of probabilities, as a rule. */
  readonly scores: Float64Array;
  /** What stands for a character that is no piece. */
  readonly unkPiece: number;
  /** Of a character that is no piece. */
  readonly unkScore: number;
  /** Whether sums are rounded to float32, as SentencePiece itself adds; its other reader adds in float64. */
  readonly isFloat32: boolean;
}

const FIRST_CAPACITY = 256;

/**
 * The best way to take a word apart into pieces (Viterbi): of all ways that with the greatest sum of scores, summed from left to
 * right; of several that which was found first, where pieces come by their beginning, then by their length. In steps: `begin`, then `run`
 * until it is true, then one piece after the other by `next`.
 */
export class Lattice {
  /** The piece that `next` read: its id, and where it ends. */
  id = 0;
  end = 0;
  readonly #options: LatticeOptions;
  /** [ring]: the score of the best way to each of the places that pieces reach. */
  readonly #best: Float64Array;
  readonly #mask: number;
  /** [length + 1]: of the piece that ends at a place on the best way there, its id, and where it begins + 1; 0: there is no way. */
  #ids = new Int32Array(FIRST_CAPACITY);
  #begins = new Int32Array(FIRST_CAPACITY);
  #units!: Uint16Array;
  #length = 0;
  #at = 0;
  /** The way back from the end: where the piece ends that is looked at; -1 once it is at the beginning. */
  #back = 0;
  #backBegin = 0;

  constructor(options: LatticeOptions) {
    this.#options = options;
    let ring = 4;
    while (ring <= options.trie.longest) ring *= 2;
    this.#best = new Float64Array(ring);
    this.#mask = ring - 1;
  }

  /** Starts with the word units[0..length), which has well-formed text. */
  begin(units: Uint16Array, length: number): void {
    this.#units = units;
    this.#length = length;
    this.#at = this.end = 0;
    this.#best[0] = 0;
    if (length < this.#begins.length) this.#begins.fill(0, 0, length + 1);
    else {
      this.#begins = new Int32Array(length + 1);
      this.#ids = new Int32Array(length + 1);
    }
    this.#back = length;
    this.#backBegin = -1;
  }

  /** Goes on for about `steps` steps; true when the best way is found. */
  run(steps: number): boolean {
    let left = this.#at < this.#length ? this.#search(steps) : steps;
    if (this.#at < this.#length) return false;
    // Behind every piece of the best way, where the next one ends is written in place of where it begins itself.
    const begins = this.#begins;
    if (this.#backBegin < 0) this.#backBegin = (begins[this.#length] as number) - 1;
    for (; this.#back > 0 && left > 0; left--) {
      const begin = this.#backBegin;
      this.#backBegin = (begins[begin] as number) - 1;
      begins[begin] = this.#back;
      this.#back = begin;
    }
    return this.#back === 0;
  }

  /** Reads the next piece of the best way; false at its end. */
  next(): boolean {
    if (this.end === this.#length) return false;
    this.end = this.#begins[this.end] as number;
    this.id = this.#ids[this.end] as number;
    return true;
  }

  /** Looks for the best ways to places behind `#at`; returns how many of the steps are left. */
  #search(steps: number): number {
    const { trie, scores, unkPiece, unkScore, isFloat32 } = this.#options;
    const best = this.#best;
    const mask = this.#mask;
    const ids = this.#ids;
    const begins = this.#begins;
    const units = this.#units;
    const length = this.#length;
    let left = steps;
    let at = this.#at;
    while (at < length && left > 0) {
      const scoreHere = best[at & mask] as number;
      const first = units[at] as number;
      const characterEnd = (first & 0xfc00) === 0xd800 ? at + 2 : at + 1;
      let isCharacterKnown = false;
      let end = at + 1;
      for (let node = trie.child(0, first); node !== 0; node = trie.child(node, units[end++] as number)) {
        const id = trie.value(node);
        if (id >= 0) {
          const sum = (scores[id] as number) + scoreHere;
          const score = isFloat32 ? Math.fround(sum) : sum;
          if (begins[end] === 0 || score > (best[end & mask] as number)) {
            best[end & mask] = score;
            begins[end] = at + 1;
            ids[end] = id;
          }
          if (end === characterEnd) isCharacterKnown = true;
        }
        if (end === length) break;
      }
      left -= end - at;
      if (!isCharacterKnown) {
        const sum = unkScore + scoreHere;
        const score = isFloat32 ? Math.fround(sum) : sum;
        if (begins[characterEnd] === 0 || score > (best[characterEnd & mask] as number)) {
          best[characterEnd & mask] = score;
          begins[characterEnd] = at + 1;
          ids[characterEnd] = unkPiece;
        }
      }
      at = characterEnd;
    }
    this.#at = at;
    return left;
  }
}
