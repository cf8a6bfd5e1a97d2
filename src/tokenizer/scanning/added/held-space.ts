import type { Window } from '../text-window.js';

/** White space that is held back from words, as an added token that follows may take it. As a window it has a unit for each character. */
export class HeldSpace implements Window {
  text = '';
  readonly isComplete = true;
  /** How many of them words have by now. */
  released = 0;
  /** Of each character, where it begins and ends in the text. */
  readonly #offsets: number[] = [];

  /** Holds the white space at `index` of a window, which may move. */
  push(unit: number, window: Window, index: number): void {
    this.text += String.fromCharCode(unit);
    this.#offsets.push(window.startOf(index), window.endOf(index));
  }

  get isEmpty(): boolean {
    return this.released === this.text.length;
  }

  /** Lets go of all. */
  clear(): void {
    if (this.text === '') return;
    this.text = '';
    this.released = 0;
    this.#offsets.length = 0;
  }

  startOf(index: number): number {
    return this.#offsets[2 * index] as number;
  }

  endOf(index: number): number {
    return this.#offsets[2 * index + 1] as number;
  }
}
