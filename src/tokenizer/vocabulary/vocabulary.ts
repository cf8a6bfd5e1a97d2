import type { TokenTable } from './token-table.js';
import { hashUnits, UnitMap } from './unit-map.js';

/** Largest id and vocabulary that are believed. The largest published WordPiece vocabulary has half a million entries. */
export const MAX_VOCAB_SIZE = 1 << 23;

/** Tokens with their ids. A token is a string only once somebody asks for it: a vocabulary has 30,000 of them and more. */
export class Vocabulary implements TokenTable {
  /** Ids by the tokens' UTF-16 units. */
  readonly units: UnitMap;
  /** [ids]: entry + 1 of `units`; 0 = none. */
  #entries: Int32Array;
  #idCount = 0;
  readonly #strings: string[] = [];

  /** `capacity`: how many tokens are expected; it grows. */
  constructor(capacity = 1 << 8) {
    this.units = new UnitMap(capacity, capacity * 8);
    this.#entries = new Int32Array(capacity);
  }

  get size(): number {
    return this.units.size;
  }

  /** One more than the largest id. */
  get idCount(): number {
    return this.#idCount;
  }

  hasId(id: number): boolean {
    return (this.#entries[id] ?? 0) !== 0;
  }

  has(token: string): boolean {
    return this.get(token) !== undefined;
  }

  /** The id of a token. */
  get(token: string): number | undefined {
    const units = unitsOf(token);
    const id = this.units.find(units, 0, units.length, hashUnits(units, 0, units.length));
    return id < 0 ? undefined : id;
  }

  /** The token of an id. */
  token(id: number): string | undefined {
    const entry = this.#entries[id] ?? 0;
    if (entry === 0) return undefined;
    return (this.#strings[id] ??= textOf(this.units.key(entry - 1)));
  }

  /** Gives a token an id, in place of the one it may have. */
  set(token: string, id: number): void {
    const units = unitsOf(token);
    this.setUnits(units, 0, units.length, hashUnits(units, 0, units.length), id);
  }

  /** The same for units[from..from + length), whose hash is `hash`. */
  setUnits(units: Uint16Array, from: number, length: number, hash: number, id: number): void {
    const before = this.units.size;
    const entry = this.units.entry(units, from, length, hash, id);
    if (this.units.size === before) {
      this.#entries[this.units.value(entry)] = 0;
      this.units.setValue(entry, id);
    }
    if (id >= this.#entries.length) {
      const grown = new Int32Array(Math.max(id + 1, this.#entries.length * 2));
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries[id] = entry + 1;
    if (id >= this.#idCount) this.#idCount = id + 1;
  }

  forEach(visit: (units: Uint16Array, from: number, length: number, id: number) => void): void {
    this.units.forEach(visit);
  }

  *[Symbol.iterator](): Generator<[string, number]> {
    for (let id = 0; id < this.#idCount; id++) {
      const token = this.token(id);
      if (token !== undefined) yield [token, id];
    }
  }
}

/** The UTF-16 units of a string. */
export function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let k = 0; k < text.length; k++) units[k] = text.charCodeAt(k);
  return units;
}

/** The string of units. */
export function textOf(units: Uint16Array): string {
  let text = '';
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}
