/** Start value of `hashStep`. */
export const HASH_SEED = 0x811c9dc5 | 0;
/** Words are hashed unit by unit while they are scanned: h = Math.imul(h ^ unit, HASH_PRIME) (FNV-1a over UTF-16 units). */
export const HASH_PRIME = 0x01000193;

/**
 * A hash map from UTF-16 strings to integers that is asked with slices of a unit buffer, so that looking up a word allocates nothing.
 * Open addressing, linear probing; keys lie end to end in one pool.
 */
export class UnitMap {
  #mask: number;
  /** [2 * slots]: hash, entry + 1 (0 = free). */
  #slots: Int32Array;
  #pool: Uint16Array;
  /** [entries + 1] */
  #starts: Int32Array;
  #values: Int32Array;
  #size = 0;
  /** No key lies further than this from its home slot, so a lookup may stop there. */
  #longestProbe = 0;
  #longestKey = 0;

  /** Holds `capacity` keys of `units` units in all; both grow. */
  constructor(capacity: number, units: number) {
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#mask = slots - 1;
    this.#slots = new Int32Array(slots * 2);
    this.#pool = new Uint16Array(Math.max(16, units));
    this.#starts = new Int32Array(capacity + 1);
    this.#values = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Units of the longest key. */
  get longestKey(): number {
    return this.#longestKey;
  }

  /** The value of units[from..from + length), whose hash is `hash`; -1 if there is none. */
  find(units: Uint16Array, from: number, length: number, hash: number): number {
    const slots = this.#slots;
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let probe = this.#longestProbe; probe >= 0; probe--) {
      const entry = slots[2 * slot + 1] as number;
      if (entry === 0) return -1;
      if (slots[2 * slot] === hash && this.#equals(entry - 1, units, from, length)) return this.#values[entry - 1] as number;
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }

  /** Adds a key that is not there yet. Returns false, and adds nothing, if it would lie further than `probeLimit` from its home. */
  add(units: Uint16Array, from: number, length: number, hash: number, value: number, probeLimit = Infinity): boolean {
    if (this.#size * 2 > this.#mask) this.#growSlots();
    if (!this.#place(hash, this.#size + 1, probeLimit)) return false;
    const start = this.#starts[this.#size] as number;
    const end = start + length;
    if (end > this.#pool.length) this.#pool = grown(this.#pool, new Uint16Array(Math.max(end, this.#pool.length * 2)));
    if (this.#size === this.#values.length) {
      const capacity = this.#size * 2 + 1;
      this.#starts = grown(this.#starts, new Int32Array(capacity + 1));
      this.#values = grown(this.#values, new Int32Array(capacity));
    }
    for (let k = 0; k < length; k++) this.#pool[start + k] = units[from + k] as number;
    this.#values[this.#size] = value;
    this.#starts[++this.#size] = end;
    if (length > this.#longestKey) this.#longestKey = length;
    return true;
  }

  /** The entry of units[from..from + length), whose hash is `hash`; where there is none yet, a new one with `value`. */
  entry(units: Uint16Array, from: number, length: number, hash: number, value: number): number {
    const slots = this.#slots;
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let entry; (entry = slots[2 * slot + 1] as number) !== 0; slot = (slot + 1) & this.#mask) {
      if (slots[2 * slot] === hash && this.#equals(entry - 1, units, from, length)) return entry - 1;
    }
    this.add(units, from, length, hash, value);
    return this.#size - 1;
  }

  value(entry: number): number {
    return this.#values[entry] as number;
  }

  setValue(entry: number, value: number): void {
    this.#values[entry] = value;
  }

  /** The units of an entry's key. */
  key(entry: number): Uint16Array {
    return this.#pool.subarray(this.#starts[entry] as number, this.#starts[entry + 1] as number);
  }

  /** Calls `visit` for each key, units[from..from + length), and its value. */
  forEach(visit: (units: Uint16Array, from: number, length: number, value: number) => void): void {
    for (let entry = 0; entry < this.#size; entry++) {
      const start = this.#starts[entry] as number;
      visit(this.#pool, start, (this.#starts[entry + 1] as number) - start, this.#values[entry] as number);
    }
  }

  /** Forgets all keys; keeps the memory. */
  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
    this.#longestProbe = 0;
    this.#longestKey = 0;
  }

  #equals(entry: number, units: Uint16Array, from: number, length: number): boolean {
    const start = this.#starts[entry] as number;
    if ((this.#starts[entry + 1] as number) - start !== length) return false;
    const pool = this.#pool;
    for (let k = 0; k < length; k++) {
      if (pool[start + k] !== units[from + k]) return false;
    }
    return true;
  }

  #place(hash: number, entry: number, probeLimit: number): boolean {
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    for (let probe = 0; probe <= probeLimit; probe++) {
      if (this.#slots[2 * slot + 1] === 0) {
        this.#slots[2 * slot] = hash;
        this.#slots[2 * slot + 1] = entry;
        if (probe > this.#longestProbe) this.#longestProbe = probe;
        return true;
      }
      slot = (slot + 1) & this.#mask;
    }
    return false;
  }

  #growSlots(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = old.length - 1;
    this.#longestProbe = 0;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] !== 0) this.#place(old[i] as number, old[i + 1] as number, Infinity);
    }
  }
}

function grown<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The hash of units[from..from + length). */
export function hashUnits(units: Uint16Array, from: number, length: number): number {
  let hash = HASH_SEED;
  for (let k = from; k < from + length; k++) hash = Math.imul(hash ^ (units[k] as number), HASH_PRIME);
  return hash;
}
