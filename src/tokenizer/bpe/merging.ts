import type { MergeTable } from './merge-table.js';
import type { Symbols } from './symbols.js';

/** In words of more symbols the next merge is kept at the top of a heap. */
const MOST_SEARCHED = 48;
/** What a merge from the heap costs, in steps. */
const MERGE_COST = 16;
/** More than a word has symbols. */
const POSITIONS = 2 ** 28;

/**
 * Merges the symbols of a word: of all pairs that may be merged the one of the lowest rank, of several the first, until there is none. In
 * steps: `begin`, then `run` until it is true; the tokens are those that `forEach` visits.
 */
export class Merging {
  readonly #merges: MergeTable;
  #symbols!: Symbols;
  /** [symbols]: the next symbol that is left, `count` at the end, and the one before, -1 at the beginning. */
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  /** [size]: rank * POSITIONS + place of the left symbol; an entry counts while the pair at that place still has that rank. */
  #heap = new Float64Array(0);
  #size = 0;
  /** Symbols whose pair with the one before was looked up. */
  #numPaired = 0;

  constructor(merges: MergeTable) {
    this.#merges = merges;
  }

  /** Starts with the symbols of a word. */
  begin(symbols: Symbols): void {
    this.#symbols = symbols;
    this.#size = this.#numPaired = 0;
    if (this.#next.length >= symbols.count) return;
    const capacity = Math.max(MOST_SEARCHED, 2 * this.#next.length, symbols.count);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#heap = new Float64Array(capacity);
  }

  /** Goes on for about `steps` steps; true when nothing more can be merged. */
  run(steps: number): boolean {
    const { count } = this.#symbols;
    if (count <= MOST_SEARCHED) {
      this.#mergeAll();
      return true;
    }
    let left = steps;
    for (; this.#numPaired < count && left > 0; left -= 2) this.#pairUp(this.#numPaired++);
    for (; this.#size > 0 && left > 0; left -= MERGE_COST) this.#mergeNext();
    return this.#numPaired === count && this.#size === 0;
  }

  /** Calls `visit` with every token and how many bytes it is. */
  forEach(visit: (id: number, length: number) => void): void {
    const { ids, lengths, count } = this.#symbols;
    for (let at = 0; at < count; at = this.#next[at] as number) visit(ids[at] as number, lengths[at] as number);
  }

  /** Few symbols: the lowest rank is searched, and what is merged closes up. */
  #mergeAll(): void {
    const symbols = this.#symbols;
    const { ids, lengths } = symbols;
    const merges = this.#merges;
    // What is no heap here are the ranks of each symbol's pair with the next.
    const ranks = this.#next;
    let count = symbols.count;
    for (let k = 0; k + 1 < count; k++) ranks[k] = merges.rank(ids[k] as number, ids[k + 1] as number);
    for (;;) {
      let best = -1;
      let lowest = POSITIONS;
      for (let k = 0; k + 1 < count; k++) {
        const rank = ranks[k] as number;
        if (rank >= 0 && rank < lowest) {
          lowest = rank;
          best = k;
        }
      }
      if (best < 0) break;
      ids[best] = merges.merged(lowest);
      lengths[best] = (lengths[best] as number) + (lengths[best + 1] as number);
      count--;
      for (let k = best + 1; k < count; k++) {
        ids[k] = ids[k + 1] as number;
        lengths[k] = lengths[k + 1] as number;
        ranks[k] = ranks[k + 1] as number;
      }
      if (best > 0) ranks[best - 1] = merges.rank(ids[best - 1] as number, ids[best] as number);
      if (best + 1 < count) ranks[best] = merges.rank(ids[best] as number, ids[best + 1] as number);
    }
    symbols.count = count;
    for (let k = 0; k < count; k++) this.#next[k] = k + 1;
  }

  #pairUp(at: number): void {
    this.#previous[at] = at - 1;
    this.#next[at] = at + 1;
    if (at > 0) this.#offer(at - 1, at);
  }

  /** Puts the pair of two neighbours on the heap if it can be merged. */
  #offer(left: number, right: number): void {
    const { ids } = this.#symbols;
    const rank = this.#merges.rank(ids[left] as number, ids[right] as number);
    if (rank >= 0) this.#push(rank * POSITIONS + left);
  }

  #mergeNext(): void {
    const { ids, lengths, count } = this.#symbols;
    const top = this.#pop();
    const rank = Math.floor(top / POSITIONS);
    const at = top - rank * POSITIONS;
    const right = this.#next[at] as number;
    if (lengths[at] === 0 || right === count || this.#merges.rank(ids[at] as number, ids[right] as number) !== rank) return;
    ids[at] = this.#merges.merged(rank);
    lengths[at] = (lengths[at] as number) + (lengths[right] as number);
    lengths[right] = 0;
    const next = (this.#next[at] = this.#next[right] as number);
    if (next < count) {
      this.#previous[next] = at;
      this.#offer(at, next);
    }
    const previous = this.#previous[at] as number;
    if (previous >= 0) this.#offer(previous, at);
  }

  #push(key: number): void {
    if (this.#size === this.#heap.length) {
      const heap = new Float64Array(2 * this.#size);
      heap.set(this.#heap);
      this.#heap = heap;
    }
    const heap = this.#heap;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) <= key) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = key;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0] as number;
    const size = --this.#size;
    const key = heap[size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= key) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = key;
    return top;
  }
}
