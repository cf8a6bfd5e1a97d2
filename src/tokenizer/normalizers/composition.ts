import { combiningRank, compose } from '../unicode/normal-forms.js';
import type { ChangeStream } from './aligned-stream.js';
import { type Budget, Ended, Starved } from './character-stream.js';
import { NumberQueue } from './number-queue.js';

const LATER = 1 << 21;

/** Composes decomposed characters in canonical order: a starter with the starter or the marks behind it that nothing blocks. */
export class Composition implements ChangeStream {
  change = 0;
  readonly #upstream: ChangeStream;
  readonly #budget: Budget;
  /** The starter that others are composed with, or -1; how it follows from what was before. */
  #starter = -1;
  #starterChange = 0;
  /** Marks that stay as they are, behind the starter; `LATER` for a change of 1. */
  readonly #marks = new NumberQueue();
  /** The rank of the last of them. */
  #lastRank = 0;
  /** Whether the starter that they follow was answered. */
  #isStarterOut = false;

  constructor(upstream: ChangeStream, budget: Budget) {
    this.#upstream = upstream;
    this.#budget = budget;
  }

  next(): number {
    for (;;) {
      if (this.#isStarterOut) {
        if (this.#marks.length > 0) return this.#takeMark();
        this.#isStarterOut = false;
      }
      const codePoint = this.#upstream.next();
      if (codePoint === Ended && this.#starter >= 0) return this.#takeStarter(-1, 0);
      if (codePoint < 0) return codePoint;
      const { change } = this.#upstream;
      const rank = combiningRank(codePoint);
      if (this.#starter < 0) {
        if (rank !== 0) {
          this.change = change;
          return codePoint;
        }
        this.#starter = codePoint;
        this.#starterChange = change;
        continue;
      }
      const isBlocked = this.#marks.length > 0 && this.#lastRank >= rank;
      const composed = isBlocked ? undefined : compose(this.#starter, codePoint);
      if (composed !== undefined) {
        this.#starter = composed;
        this.#starterChange += change - 1;
      } else if (rank === 0) {
        return this.#takeStarter(codePoint, change);
      } else {
        this.#marks.push(change > 0 ? codePoint | LATER : codePoint);
        this.#lastRank = rank;
      }
    }
  }

  reset(): void {
    this.#starter = -1;
    this.#marks.clear();
    this.#isStarterOut = false;
    this.#upstream.reset();
  }

  /** Answers the starter; `following` is the next one. */
  #takeStarter(following: number, followingChange: number): number {
    const starter = this.#starter;
    this.change = this.#starterChange;
    this.#starter = following;
    this.#starterChange = followingChange;
    this.#isStarterOut = true;
    return starter;
  }

  #takeMark(): number {
    if (this.#budget.left <= 0) return Starved;
    this.#budget.left--;
    const mark = this.#marks.shift();
    this.change = mark >= LATER ? 1 : 0;
    return mark & ~LATER;
  }
}
