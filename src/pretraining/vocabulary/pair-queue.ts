/** Two neighbouring pieces as one number: `left · 2^26 + right`. */
export type Pair = number;

/** More pieces than any vocabulary has. */
const kPieces = 2 ** 26;

export function pairOf(left: number, right: number): Pair {
  return left * kPieces + right;
}

export function leftOf(pair: Pair): number {
  return Math.floor(pair / kPieces);
}

export function rightOf(pair: Pair): number {
  return pair % kPieces;
}

/** A pair that waits for being merged: how often it occurred when it was queued, and in which words. */
export interface QueuedPair {
  readonly count: number;
  readonly pair: Pair;
  readonly serial: number;
  readonly words: readonly number[];
}

/** The most frequent pair first; of equally frequent ones that of the lower ids, then the one that was queued first. A binary heap. */
export class PairQueue {
  readonly #heap: QueuedPair[] = [];
  #serial = 0;

  push(pair: Pair, count: number, words: readonly number[]): void {
    const heap = this.#heap;
    const item = { count, pair, serial: this.#serial++, words };
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  pop(): QueuedPair | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const item = heap.pop();
    if (heap.length === 0 || item === undefined) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, item)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
    return first;
  }
}

function isBefore(a: QueuedPair, b: QueuedPair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair !== b.pair ? a.pair < b.pair : a.serial < b.serial;
}
