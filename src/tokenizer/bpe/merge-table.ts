/** The merges of a BPE model: which pairs of tokens become one, and which first. */
export class MergeTable {
  /** [merges]: the token that a merge makes, by rank. */
  readonly #merged: Int32Array;
  /** [slots, 3]: left token, right token, rank + 1 (0 = free). */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** `merges` [merges, 3]: left, right and merged token, the merge of the lowest rank first. Of equal pairs the last counts. */
  constructor(merges: Int32Array) {
    const count = merges.length / 3;
    let slots = 16;
    while (slots < 2 * count) slots *= 2;
    this.#mask = slots - 1;
    this.#slots = new Int32Array(3 * slots);
    this.#merged = new Int32Array(count);
    for (let rank = 0; rank < count; rank++) {
      const [left, right] = [merges[3 * rank] as number, merges[3 * rank + 1] as number];
      const slot = this.#slotOf(left, right);
      this.#slots[slot] = left;
      this.#slots[slot + 1] = right;
      this.#slots[slot + 2] = rank + 1;
      this.#merged[rank] = merges[3 * rank + 2] as number;
    }
  }

  /** The rank of a pair, the lowest first; -1 if it is not merged. */
  rank(left: number, right: number): number {
    return (this.#slots[this.#slotOf(left, right) + 2] as number) - 1;
  }

  /** The token that the merge of a rank makes. */
  merged(rank: number): number {
    return this.#merged[rank] as number;
  }

  /** Where a pair is, or would be. */
  #slotOf(left: number, right: number): number {
    const slots = this.#slots;
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 1, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 15)) & this.#mask;
    while (slots[3 * slot + 2] !== 0 && (slots[3 * slot] !== left || slots[3 * slot + 1] !== right)) slot = (slot + 1) & this.#mask;
    return 3 * slot;
  }
}
