/** No node; the root, which is none that a unit leads to. */
const NONE = 0;
const ROOT = 0;
const FIRST_SLOTS = 1 << 10;
/** A node's number has 22 bits. */
const MOST_NODES = 1 << 22;

/**
 * Strings as a trie over their UTF-16 units. Children of the root lie in a table, all others in one open hash table of (parent, unit), so
 * that nothing has to be sorted.
 */
export class PieceTrie {
  /** Units of the longest string. */
  longest = 0;
  /** [65536]: children of the root. */
  readonly #roots = new Int32Array(1 << 16);
  /** [slots, 2]: parent << 10 | unit's upper ten bits, child << 6 | unit's lower six bits; 0, 0 is free. */
  #slots = new Int32Array(2 * FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  /** [nodes]: value + 1 of the string that ends at a node. */
  #values = new Int32Array(FIRST_SLOTS);
  #size = 1;

  /** The node that a unit leads to from another one; 0 for none. */
  child(node: number, unit: number): number {
    if (node === ROOT) return this.#roots[unit] as number;
    const slots = this.#slots;
    const upper = (node << 10) | (unit >>> 6);
    const lower = unit & 0x3f;
    for (let slot = this.#home(node, unit); ; slot = (slot + 1) & this.#mask) {
      const found = slots[2 * slot + 1] as number;
      if (found === 0) return NONE;
      if (slots[2 * slot] === upper && (found & 0x3f) === lower) return found >>> 6;
    }
  }

  /** The value of the string that ends at a node; -1 if none does. */
  value(node: number): number {
    return (this.#values[node] as number) - 1;
  }

  /** The value of units[from..to), or -1. */
  find(units: Uint16Array, from: number, to: number): number {
    let node = ROOT;
    for (let k = from; k < to; k++) {
      node = this.child(node, units[k] as number);
      if (node === NONE) return -1;
    }
    return node === ROOT ? -1 : this.value(node);
  }

  /** Gives units[0..length) a value, in place of the one it may have; an empty string gets none. False if there is no room for it. */
  set(units: Uint16Array, length: number, value: number): boolean {
    if (length === 0) return true;
    if (this.#size + length > MOST_NODES) return false;
    let node = ROOT;
    for (let k = 0; k < length; k++) node = this.#childOrNew(node, units[k] as number);
    this.#values[node] = value + 1;
    if (length > this.longest) this.longest = length;
    return true;
  }

  #childOrNew(node: number, unit: number): number {
    const child = this.child(node, unit);
    if (child !== NONE) return child;
    const added = this.#size++;
    if (added === this.#values.length) {
      const values = new Int32Array(2 * added);
      values.set(this.#values);
      this.#values = values;
    }
    if (node === ROOT) this.#roots[unit] = added;
    else {
      if (4 * added > 3 * this.#mask) this.#grow();
      this.#place((node << 10) | (unit >>> 6), (added << 6) | (unit & 0x3f));
    }
    return added;
  }

  #home(node: number, unit: number): number {
    const hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  #place(upper: number, packed: number): void {
    let slot = this.#home(upper >>> 10, ((upper & 0x3ff) << 6) | (packed & 0x3f));
    while (this.#slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[2 * slot] = upper;
    this.#slots[2 * slot + 1] = packed;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    this.#mask = 2 * this.#mask + 1;
    for (let k = 0; k < old.length; k += 2) if (old[k + 1] !== 0) this.#place(old[k] as number, old[k + 1] as number);
  }
}
