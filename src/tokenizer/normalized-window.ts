import type { NormalizedText } from './normalizer.js';
import type { TextWindow, Window } from './text-window.js';

const FIRST_CAPACITY = 1 << 10;

/** Normalized text as it is read: grows on the right, and is dropped on the left. Offsets are those of the text it was made from. */
export class NormalizedWindow implements Window {
  text = '';
  isComplete = false;
  #starts = new Int32Array(FIRST_CAPACITY);
  #ends = new Int32Array(FIRST_CAPACITY);

  /** Starts empty. */
  clear(): void {
    this.text = '';
    this.isComplete = false;
  }

  /** Adds what was made of a part of `from`. */
  append({ units, sources, length }: NormalizedText, from: TextWindow): void {
    const at = this.text.length;
    if (at + length > this.#starts.length) {
      this.#starts = grown(this.#starts, 2 * (at + length));
      this.#ends = grown(this.#ends, 2 * (at + length));
    }
    for (let k = 0; k < length; k++) {
      this.#starts[at + k] = from.startOf(sources[k] as number);
      this.#ends[at + k] = from.endOf(sources[k] as number);
    }
    for (let k = 0; k < length; k += 8192) this.text += String.fromCharCode(...units.subarray(k, Math.min(length, k + 8192)));
  }

  /** Drops what lies before `from`. */
  drop(from: number): void {
    const length = this.text.length;
    this.text = this.text.slice(from);
    this.#starts.copyWithin(0, from, length);
    this.#ends.copyWithin(0, from, length);
  }

  startOf(index: number): number {
    return this.#starts[index] as number;
  }

  endOf(index: number): number {
    return this.#ends[index] as number;
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
