import type { AddedTokenFinder } from './added-token-finder.js';
import type { TokenBuffer } from './token-buffer.js';
import type { Window } from './text-window.js';
import type { WordBuffer } from './word-buffer.js';

/** What both ways share to find added tokens in a window's text and to cut the rest into words: a text is read from left to right, in steps. */
export abstract class WordScanner {
  /** Where it reads next. */
  position = 0;
  protected readonly finder: AddedTokenFinder;
  protected readonly words: WordBuffer;
  protected readonly tokens: TokenBuffer;
  protected window!: Window;

  constructor(finder: AddedTokenFinder, words: WordBuffer, tokens: TokenBuffer) {
    this.finder = finder;
    this.words = words;
    this.tokens = tokens;
  }

  begin(window: Window, splitSpecialTokens: boolean): void {
    this.window = window;
    this.words.enter(window);
    this.finder.begin(window, splitSpecialTokens);
    this.position = 0;
  }

  get keepFrom(): number {
    // An added token looks at the character before it.
    return Math.max(0, this.position - 2);
  }

  get openToken(): number {
    return this.finder.openToken;
  }

  closeToken(): void {
    this.finder.finish();
  }

  settle(): void {
    this.words.settle();
    this.finder.settle(this.position);
  }

  shift(units: number): void {
    this.position -= units;
    this.words.shift(units);
    this.finder.shift(units);
  }

  isStarved(limit: number): boolean {
    return this.position >= limit;
  }

  /** Reads on to `limit`, or a character or token further; less if there are tokens enough. Returns what it cost. */
  abstract scan(limit: number): number;

  /** Tells that the text has ended. */
  abstract finish(): boolean;
}
