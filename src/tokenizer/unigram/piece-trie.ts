/** No node. The root is none that a unit leads to. */
const NONE = 0;
const ROOT = 0;
const FIRST_SLOTS = 1 << 12;
/** Nodes 1 to 65536 are those of single units. */
const FIRST_INNER = 0x10001;

/**
 * Pieces as a trie over their UTF-16 units. What follows two units is made when text first asks for it: loading a quarter of a million pieces
 * costs no more than to chain them by their beginnings, and pieces of other scripts than those that are read cost little memory.
 */
export class PieceTrie {
  /** Units of the longest piece. */
  longest = 0;
  /** The last piece without any. */
  emptyId: number | undefined;
  #units: Uint16Array = new Uint16Array(0);
  #starts: Int32Array = new Int32Array(1);
  /** [65536]: id + 1 of the piece that is a unit. */
  readonly #singles = new Int32Array(1 << 16);
  /** [pieces]: the piece before with the same two units at its beginning, or -1. */
  #previous = new Int32Array(0);
  /** By the first two units: the node behind them, or -1 - the last of the pieces that begin with them. */
  #pairs = new PairMap(FIRST_SLOTS);
  /** By a node and a unit: the node that the unit leads to. */
  readonly #children = new PairMap(FIRST_SLOTS);
  /** [nodes - FIRST_INNER]: id + 1 of the piece that ends at a node. */
  #ids = new Int32Array(FIRST_SLOTS);
  #size = 0;

  /** Takes the pieces units[starts[id]..starts[id + 1]) for all ids below `count`; it keeps the arrays. */
  begin(units: Uint16Array, starts: Int32Array, count: number): void {
    this.#units = units;
    this.#starts = starts;
    this.#previous = new Int32Array(count);
    // Several pieces share their first two units.
    this.#pairs = new PairMap(count >> 1);
    for (let id = 0; id < count; id++) {
      const start = starts[id] as number;
      const length = (starts[id + 1] as number) - start;
      if (length > this.longest) this.longest = length;
      if (length === 0) {
        this.emptyId = id;
        continue;
      }
      const first = units[start] as number;
      if (length === 1) this.#singles[first] = id + 1;
      else this.#previous[id] = -1 - this.#pairs.exchange(first, units[start + 1] as number, -1 - id);
    }
  }

  /** The node that a unit leads to from another one; 0 for none. */
  child(node: number, unit: number): number {
    if (node >= FIRST_INNER) return this.#children.get(node, unit);
    if (node === ROOT) return unit + 1;
    const found = this.#pairs.get(node - 1, unit);
    return found < 0 ? this.#make(node - 1, unit, -1 - found) : found;
  }

  /** The id of the piece that ends at a node; -1 if none does. */
  value(node: number): number {
    return ((node < FIRST_INNER ? this.#singles[node - 1] : this.#ids[node - FIRST_INNER]) as number) - 1;
  }

  /** The id of units[from..to), which are not none, or -1. */
  find(units: Uint16Array, from: number, to: number): number {
    let node = ROOT;
    for (let k = from; k < to; k++) {
      node = this.child(node, units[k] as number);
      if (node === NONE) return -1;
    }
    return this.value(node);
  }

  /** Makes the nodes of the pieces that begin with two units; `last` is the last of them. */
  #make(first: number, second: number, last: number): number {
    const top = this.#newNode();
    this.#pairs.exchange(first, second, top);
    for (let id = last; id >= 0; id = this.#previous[id] as number) {
      const end = this.#starts[id + 1] as number;
      let node = top;
      for (let k = (this.#starts[id] as number) + 2; k < end; k++) {
        const unit = this.#units[k] as number;
        const child = this.#children.get(node, unit);
        if (child === NONE) {
          const added = this.#newNode();
          this.#children.exchange(node, unit, added);
          node = added;
        } else node = child;
      }
      // Of equal pieces the last comes first.
      if (this.#ids[node - FIRST_INNER] === 0) this.#ids[node - FIRST_INNER] = id + 1;
    }
    return top;
  }

  #newNode(): number {
    if (this.#size === this.#ids.length) {
      const ids = new Int32Array(2 * this.#size);
      ids.set(this.#ids);
      this.#ids = ids;
    }
    return FIRST_INNER + this.#size++;
  }
}

/** An open hash table from a number and a unit to a number other than 0. */
class PairMap {
  /** [slots, 3]: number, unit, value; a value of 0 is free. */
  #slots: Int32Array;
  #mask: number;
  #size = 0;

  /** With at least `slots` slots, twice as many as it has numbers; it grows. */
  constructor(slots: number) {
    this.#mask = FIRST_SLOTS - 1;
    while (this.#mask < slots) this.#mask = 2 * this.#mask + 1;
    this.#slots = new Int32Array(3 * (this.#mask + 1));
  }

  /** The value, or 0. */
  get(number: number, unit: number): number {
    return this.#slots[3 * this.#slotOf(number, unit) + 2] as number;
  }

  /** Sets the value; returns the one before, or 0. */
  exchange(number: number, unit: number, value: number): number {
    let slot = this.#slotOf(number, unit);
    const before = this.#slots[3 * slot + 2] as number;
    if (before === 0 && 2 * ++this.#size > this.#mask) {
      this.#grow();
      slot = this.#slotOf(number, unit);
    }
    this.#slots[3 * slot] = number;
    this.#slots[3 * slot + 1] = unit;
    this.#slots[3 * slot + 2] = value;
    return before;
  }

  #slotOf(number: number, unit: number): number {
    const slots = this.#slots;
    const hash = Math.imul(number, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    while (slots[3 * slot + 2] !== 0 && (slots[3 * slot] !== number || slots[3 * slot + 1] !== unit)) slot = (slot + 1) & this.#mask;
    return slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    this.#mask = 2 * this.#mask + 1;
    for (let k = 0; k < old.length; k += 3) {
      if (old[k + 2] !== 0) this.#slots.set(old.subarray(k, k + 3), 3 * this.#slotOf(old[k] as number, old[k + 1] as number));
    }
  }
}
