import type { Encoding } from '../../tokenizer/index.js';
import type { Span } from './word-spans.js';

/** Tokens `begin` to `end` of a window. */
export interface TokenRange {
  readonly window: Encoding;
  readonly begin: number;
  readonly end: number;
}

/** Finds the tokens of words in the windows of a text. */
export class WordTokens {
  /** Windows with where their tokens of the text begin and end, in the order of the text. */
  readonly #windows: readonly TokenRange[];

  constructor(windows: readonly Encoding[]) {
    this.#windows = windows
      .map((window) => ({ window, begin: window.specialTokensMask.indexOf(0), end: window.specialTokensMask.lastIndexOf(0) + 1 }))
      .filter(({ end }) => end > 0)
      .sort((a, b) => a.window.offsets![2 * a.begin]! - b.window.offsets![2 * b.begin]!);
  }

  /** The tokens that share a character with the word, in the window that has most of them, then most around them; undefined where none does. */
  find([start, end]: Span): TokenRange | undefined {
    let [best, most, room]: [TokenRange | undefined, number, number] = [undefined, 0, -1];
    const endOf = (w: number): number => this.#windows[w]!.window.offsets![2 * this.#windows[w]!.end - 1]!;
    for (let w = firstWhere(0, this.#windows.length, (at) => endOf(at) > start); w < this.#windows.length; w++) {
      const { window, begin: first, end: last } = this.#windows[w]!;
      const offsets = window.offsets!;
      if (offsets[2 * first]! >= end) break;
      const begin = firstWhere(first, last, (token) => offsets[2 * token + 1]! > start);
      const after = firstWhere(begin, last, (token) => offsets[2 * token]! >= end);
      const around = Math.min(begin - first, last - after);
      if (after - begin < Math.max(1, most) || (after - begin === most && around <= room)) continue;
      [best, most, room] = [{ window, begin, end: after }, after - begin, around];
    }
    return best;
  }
}

/** The first number from `begin` on for which `isTrue`, which stays true from there on, is true; `end` if none below it is. */
function firstWhere(begin: number, end: number, isTrue: (at: number) => boolean): number {
  while (begin < end) {
    const middle = (begin + end) >> 1;
    if (isTrue(middle)) end = middle;
    else begin = middle + 1;
  }
  return begin;
}
