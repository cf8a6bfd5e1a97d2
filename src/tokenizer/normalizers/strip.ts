import { whitespace } from '../unicode/characters.js';
import { type Budget, type CharacterStream, Ended, Starved } from './character-stream.js';
import { NumberQueue } from './number-queue.js';

/** A text without the white space at its beginning, its end, or both. White space waits until it is known whether the text goes on. */
export class Strip implements CharacterStream {
  origin = 0;
  readonly #upstream: CharacterStream;
  readonly #stripsRight: boolean;
  readonly #stripsLeft: boolean;
  readonly #budget: Budget;
  /** White space, by turns a code point and an origin, with the character behind it once that is known. */
  readonly #waiting = new NumberQueue();
  #isReleased = false;
  #isAtStart = true;

  constructor(upstream: CharacterStream, stripsLeft: boolean, stripsRight: boolean, budget: Budget) {
    this.#upstream = upstream;
    this.#stripsLeft = stripsLeft;
    this.#stripsRight = stripsRight;
    this.#budget = budget;
  }

  next(): number {
    for (;;) {
      if (this.#isReleased) {
        if (this.#waiting.length > 0) return this.#takeWaiting();
        this.#isReleased = false;
      }
      const codePoint = this.#upstream.next();
      if (codePoint === Ended) this.#waiting.clear();
      if (codePoint < 0) return codePoint;
      const isSpace = whitespace.has(codePoint);
      if (isSpace && this.#isAtStart && this.#stripsLeft) continue;
      this.#isAtStart = false;
      const waits = isSpace && this.#stripsRight;
      if (!waits && this.#waiting.length === 0) {
        this.origin = this.#upstream.origin;
        return codePoint;
      }
      this.#waiting.push(codePoint);
      this.#waiting.push(this.#upstream.origin);
      this.#isReleased = !waits;
    }
  }

  reset(): void {
    this.#waiting.clear();
    this.#isReleased = false;
    this.#isAtStart = true;
    this.#upstream.reset();
  }

  #takeWaiting(): number {
    if (this.#budget.left <= 0) return Starved;
    this.#budget.left--;
    const codePoint = this.#waiting.shift();
    this.origin = this.#waiting.shift();
    return codePoint;
  }
}
