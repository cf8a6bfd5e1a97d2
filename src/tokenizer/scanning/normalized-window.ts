import { type CharacterStream, Ended, originEnd, originStart } from '../normalizers/character-stream.js';
import type { Window } from './text-window.js';

const FIRST_CAPACITY = 1 << 10;

/** Normalized text as it is read: grows on the right, and is dropped on the left. Offsets are those of the text it was made from. */
export class NormalizedWindow implements Window {
  text = '';
  isComplete = false;
  #origins = new Int32Array(FIRST_CAPACITY);

  /** Starts empty. */
  clear(): void {
    this.text = '';
    this.isComplete = false;
  }

  /** Adds what the stream has to give, at most `maxCharacters`; returns how many they were. */
  fill(stream: CharacterStream, maxCharacters: number): number {
    const codePoints: number[] = [];
    let at = this.text.length;
    while (codePoints.length < maxCharacters) {
      const codePoint = stream.next();
      if (codePoint < 0) {
        this.isComplete = codePoint === Ended;
        break;
      }
      codePoints.push(codePoint);
      if (at + 2 > this.#origins.length) this.#grow();
      this.#origins[at++] = stream.origin;
      if (codePoint > 0xffff) this.#origins[at++] = stream.origin;
    }
    if (codePoints.length > 0) this.text += String.fromCodePoint(...codePoints);
    return codePoints.length;
  }

  /** Drops what lies before `from`. */
  drop(from: number): void {
    this.#origins.copyWithin(0, from, this.text.length);
    this.text = this.text.slice(from);
  }

  startOf(index: number): number {
    return originStart(this.#origins[index] as number);
  }

  endOf(index: number): number {
    return originEnd(this.#origins[index] as number);
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.#origins.length);
    grown.set(this.#origins);
    this.#origins = grown;
  }
}
