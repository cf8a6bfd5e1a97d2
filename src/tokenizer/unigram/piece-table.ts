import type { TokenTable } from '../vocabulary/token-table.js';
import { textOf, unitsOf } from '../vocabulary/vocabulary.js';
import type { PieceColumns } from './piece-columns.js';
import { PieceTrie } from './piece-trie.js';

/** The pieces of a Unigram model: their places in the list are their ids. Of equal pieces the last has the id that text becomes. */
export class PieceTable implements TokenTable {
  readonly trie = new PieceTrie();
  readonly size: number;
  /** [pieces] */
  readonly scores: Float64Array;
  /** Pieces end to end. */
  readonly #units: Uint16Array;
  /** [pieces + 1]: where they begin. */
  readonly #starts: Int32Array;
  readonly #emptyId: number | undefined;

  /** Takes the columns over: they are written no more. */
  constructor({ units, starts, scores, size }: PieceColumns) {
    this.size = size;
    this.#units = units;
    this.#starts = starts;
    this.scores = scores.subarray(0, size);
    this.trie.begin(units, starts, size);
    this.#emptyId = this.trie.emptyId;
  }

  get idCount(): number {
    return this.size;
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
    return Number.isInteger(id) && id >= 0 && id < this.size;
  }

  forEach(visit: (units: Uint16Array, from: number, length: number, id: number) => void): void {
    for (let id = 0; id < this.size; id++) {
      const start = this.#starts[id] as number;
      visit(this.#units, start, (this.#starts[id + 1] as number) - start, id);
    }
  }

  *[Symbol.iterator](): Generator<[string, number]> {
    for (let id = 0; id < this.size; id++) yield [this.token(id) as string, id];
  }
}
