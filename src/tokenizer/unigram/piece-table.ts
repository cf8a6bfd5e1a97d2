import type { TokenTable } from '../vocabulary/token-table.js';
import { textOf, unitsOf } from '../vocabulary/vocabulary.js';
import { PieceTrie } from './piece-trie.js';

/** The pieces of a Unigram model: their places in the list are their ids. Of equal pieces the last has the id that text becomes. */
export class PieceTable implements TokenTable {
  readonly trie: PieceTrie;
  #scores: Float64Array;
  /** Pieces end to end. */
  #units: Uint16Array;
  /** [pieces + 1]: where they begin. */
  #starts: Int32Array;
  #size = 0;
  #emptyId: number | undefined;

  /** `capacity`: how many pieces are expected; it grows. */
  constructor(capacity: number) {
    this.#units = new Uint16Array(8 * capacity);
    this.#starts = new Int32Array(capacity + 1);
    this.#scores = new Float64Array(capacity);
    this.trie = new PieceTrie();
  }

  get size(): number {
    return this.#size;
  }

  get idCount(): number {
    return this.#size;
  }

  /** [pieces] */
  get scores(): Float64Array {
    return this.#scores.subarray(0, this.#size);
  }

  /** Adds units[0..length), with the next id. */
  add(units: Uint16Array, length: number, score: number): void {
    const id = this.#size++;
    const start = this.#starts[id] as number;
    const end = start + length;
    if (end > this.#units.length) this.#units = grown(this.#units, new Uint16Array(2 * end));
    if (id + 2 > this.#starts.length) {
      this.#starts = grown(this.#starts, new Int32Array(2 * id + 2));
      this.#scores = grown(this.#scores, new Float64Array(2 * id + 1));
    }
    for (let k = 0; k < length; k++) this.#units[start + k] = units[k] as number;
    this.#starts[id + 1] = end;
    this.#scores[id] = score;
    if (length === 0) this.#emptyId = id;
  }

  /** Tells that there are no more pieces. */
  finish(): void {
    this.trie.begin(this.#units, this.#starts, this.#size);
  }

  get(token: string): number | undefined {
    if (token === '') return this.#emptyId;
    const units = unitsOf(token);
    const id = this.trie.find(units, 0, units.length);
    return id < 0 ? undefined : id;
  }

  has(token: string): boolean {
    return this.get(token) !== undefined;
  }

  token(id: number): string | undefined {
    return this.hasId(id) ? textOf(this.#units.subarray(this.#starts[id], this.#starts[id + 1])) : undefined;
  }

  hasId(id: number): boolean {
    return Number.isInteger(id) && id >= 0 && id < this.#size;
  }

  forEach(visit: (units: Uint16Array, from: number, length: number, id: number) => void): void {
    for (let id = 0; id < this.#size; id++) {
      const start = this.#starts[id] as number;
      visit(this.#units, start, (this.#starts[id + 1] as number) - start, id);
    }
  }

  *[Symbol.iterator](): Generator<[string, number]> {
    for (let id = 0; id < this.#size; id++) yield [this.token(id) as string, id];
  }
}

function grown<T extends Uint16Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
