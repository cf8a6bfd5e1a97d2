import { type Budget, Starved } from './character-stream.js';
import { NumberQueue } from './number-queue.js';

/** Characters that are held back until it is known what follows them, with their origins. */
export class WaitingCharacters {
  /** Of the character that `take` answered with last. */
  origin = 0;
  /** By turns a code point and its origin. */
  readonly #queue = new NumberQueue();
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  push(codePoint: number, origin: number): void {
    this.#queue.push(codePoint);
    this.#queue.push(origin);
  }

  /** The first of them, of which there must be one, or `Starved`. */
  take(): number {
    if (this.#budget.left <= 0) return Starved;
    this.#budget.left--;
    const codePoint = this.#queue.shift();
    this.origin = this.#queue.shift();
    return codePoint;
  }

  clear(): void {
    this.#queue.clear();
  }
}
