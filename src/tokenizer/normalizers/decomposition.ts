import { combiningRank, RANKS } from '../unicode/normal-forms.js';
import type { ChangeStream } from './aligned-stream.js';
import { type Budget, type CharacterStream, Ended, Starved } from './character-stream.js';
import { NumberQueue } from './number-queue.js';

const LATER = 1 << 21;

/**
 * Decomposed characters in canonical order: between two starters, marks by their class, those of one class as they came. Marks wait in a
 * queue a class, so that a run of any length is sorted in steps.
 */
export class Decomposition implements ChangeStream {
  change = 0;
  readonly #upstream: CharacterStream;
  readonly #decompose: (codePoint: number) => readonly number[] | undefined;
  readonly #budget: Budget;
  /** Calls it with every character that is read. */
  readonly #onRead: () => void;
  /** [RANKS]: code points, `LATER` set for all but the first of a decomposition. */
  readonly #marks: NumberQueue[] = [];
  #numMarks = 0;
  /** No waiting mark has a lower rank. */
  #lowest = RANKS;
  #isSorted = false;
  #parts: readonly number[] = [];
  #at = 0;

  constructor(
    upstream: CharacterStream,
    decompose: (codePoint: number) => readonly number[] | undefined,
    budget: Budget,
    onRead: () => void,
  ) {
    this.#upstream = upstream;
    this.#decompose = decompose;
    this.#budget = budget;
    this.#onRead = onRead;
  }

  next(): number {
    for (;;) {
      if (this.#isSorted) {
        if (this.#numMarks > 0) return this.#takeMark();
        this.#isSorted = false;
      }
      while (this.#at < this.#parts.length) {
        const part = this.#parts[this.#at] as number;
        const rank = combiningRank(part);
        if (rank === 0 && this.#numMarks > 0) break;
        const isLater = this.#at++ > 0;
        if (rank === 0) return this.#answer(part, isLater);
        this.#addMark(isLater ? part | LATER : part, rank);
      }
      if (this.#at < this.#parts.length) {
        this.#isSorted = true;
        continue;
      }
      const codePoint = this.#upstream.next();
      if (codePoint === Ended && this.#numMarks > 0) {
        this.#isSorted = true;
        continue;
      }
      if (codePoint < 0) return codePoint;
      this.#onRead();
      const parts = this.#decompose(codePoint);
      if (parts !== undefined) {
        this.#parts = parts;
        this.#at = 0;
        continue;
      }
      const rank = combiningRank(codePoint);
      if (rank > 0) this.#addMark(codePoint, rank);
      else if (this.#numMarks === 0) return this.#answer(codePoint, false);
      else {
        this.#parts = [codePoint];
        this.#at = 0;
      }
    }
  }

  reset(): void {
    if (this.#numMarks > 0) {
      for (const queue of this.#marks) queue?.clear();
      this.#numMarks = 0;
      this.#lowest = RANKS;
    }
    this.#isSorted = false;
    this.#parts = [];
    this.#at = 0;
    this.#upstream.reset();
  }

  #answer(codePoint: number, isLater: boolean): number {
    this.change = isLater ? 1 : 0;
    return codePoint;
  }

  #addMark(mark: number, rank: number): void {
    (this.#marks[rank] ??= new NumberQueue()).push(mark);
    this.#numMarks++;
    if (rank < this.#lowest) this.#lowest = rank;
  }

  #takeMark(): number {
    if (this.#budget.left <= 0) return Starved;
    this.#budget.left--;
    let queue = this.#marks[this.#lowest];
    while (queue === undefined || queue.length === 0) queue = this.#marks[++this.#lowest];
    const mark = queue.shift();
    if (--this.#numMarks === 0) this.#lowest = RANKS;
    return this.#answer(mark & ~LATER, mark >= LATER);
  }
}
