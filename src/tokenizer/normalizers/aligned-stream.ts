import type { CharacterStream } from './character-stream.js';
import { NumberQueue } from './number-queue.js';

/**
 * Characters that say how they follow from those before, as in the reference: 1, one more than there was; 0, in place of the next one;
 * -n, in place of the next one, and the n that follow it are gone.
 */
export interface ChangeStream {
  readonly change: number;
  /** The next code point, `Starved` or `Ended`. */
  next(): number;
  reset(): void;
}

/**
 * Changed characters with their origins. The reference aligns by position: what stands in place of the i-th character before comes from
 * it, whatever it is; what is added comes from where the one before it did.
 */
export class AlignedStream implements CharacterStream {
  origin = 0;
  readonly #characters: ChangeStream;
  /** Origins of characters that were read and have nothing in their place yet. */
  readonly #origins = new NumberQueue();
  /** The last origin that was taken from there. */
  #last = 0;

  /** `change` makes the characters of those of `upstream`; it calls `onRead` with every one that it reads. */
  constructor(upstream: CharacterStream, change: (onRead: () => void) => ChangeStream) {
    this.#characters = change(() => this.#origins.push(upstream.origin));
  }

  next(): number {
    const codePoint = this.#characters.next();
    if (codePoint < 0) return codePoint;
    const { change } = this.#characters;
    if (change > 0) {
      this.origin = this.#last;
    } else {
      this.origin = this.#last = this.#origins.shift();
      for (let gone = change; gone < 0; gone++) this.#last = this.#origins.shift();
    }
    return codePoint;
  }

  reset(): void {
    this.#origins.clear();
    this.#characters.reset();
  }
}
