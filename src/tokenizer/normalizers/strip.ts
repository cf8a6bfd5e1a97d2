import { whitespace } from '../unicode/characters.js';
import { type Budget, type CharacterStream, Ended } from './character-stream.js';
import { WaitingCharacters } from './waiting-characters.js';

/** A text without the white space at its beginning, its end, or both. White space waits until it is known whether the text goes on. */
export class Strip implements CharacterStream {
  origin = 0;
  readonly #upstream: CharacterStream;
  readonly #stripsRight: boolean;
  readonly #stripsLeft: boolean;
  /** White space, with the character behind it once that is known. */
  readonly #waiting: WaitingCharacters;
  #isReleased = false;
  #isAtStart = true;

  constructor(upstream: CharacterStream, stripsLeft: boolean, stripsRight: boolean, budget: Budget) {
    this.#upstream = upstream;
    this.#stripsLeft = stripsLeft;
    this.#stripsRight = stripsRight;
    this.#waiting = new WaitingCharacters(budget);
  }

  next(): number {
    for (;;) {
      if (this.#isReleased) {
        if (!this.#waiting.isEmpty) return this.#takeWaiting();
        this.#isReleased = false;
      }
      const codePoint = this.#upstream.next();
      if (codePoint === Ended) this.#waiting.clear();
      if (codePoint < 0) return codePoint;
      const isSpace = whitespace.has(codePoint);
      if (isSpace && this.#isAtStart && this.#stripsLeft) continue;
      this.#isAtStart = false;
      const waits = isSpace && this.#stripsRight;
      if (!waits && this.#waiting.isEmpty) {
        this.origin = this.#upstream.origin;
        return codePoint;
      }
      this.#waiting.push(codePoint, this.#upstream.origin);
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
    const codePoint = this.#waiting.take();
    this.origin = this.#waiting.origin;
    return codePoint;
  }
}
