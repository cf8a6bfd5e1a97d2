import type { AddedTokenFinder } from './added/added-token-finder.js';
import { HeldSpace } from './added/held-space.js';
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
  /** White space that tokens may take and words have otherwise, where that is not known at once. */
  protected readonly held: HeldSpace | undefined;
  /** Whether white space that follows belongs to an added token. */
  protected skipsSpace = false;

  constructor(finder: AddedTokenFinder, words: WordBuffer, tokens: TokenBuffer, holdsSpace: boolean) {
    this.held = holdsSpace ? new HeldSpace() : undefined;
    this.finder = finder;
    this.words = words;
    this.tokens = tokens;
  }

  begin(window: Window, splitSpecialTokens: boolean): void {
    this.window = window;
    this.words.enter(window);
    this.finder.begin(window, splitSpecialTokens);
    this.held?.clear();
    this.skipsSpace = false;
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
    if (this.held === undefined || this.held.isEmpty) return this.position >= limit;
    // Where the text ends, white space is read that was held back.
    return this.position >= limit && !(this.window.isComplete && limit === this.window.text.length);
  }

  /** Reads on to `limit`, or a character or token further; less if there are tokens enough. Returns what it cost. */
  abstract scan(limit: number): number;

  /** Tells that the text has ended. */
  abstract finish(): boolean;

  /** Reads a character that was held back, whose place is `source` in `held`. */
  protected abstract readHeld(unit: number, source: number): void;

  /** Lets words have the white space that was held back; false if tokens are to be looked at before it is all. */
  protected release(): boolean {
    const { held, words } = this;
    if (held === undefined || held.isEmpty) return true;
    // What came before keeps its places, in the window that it was read from.
    words.settle();
    words.enter(held);
    while (!held.isEmpty && !this.tokens.isFull) {
      const source = held.released++;
      this.readHeld(held.text.charCodeAt(source), source);
    }
    words.settle();
    words.enter(this.window);
    if (!held.isEmpty) return false;
    held.clear();
    return true;
  }

  /** Does so where the text ends at `index`. */
  protected releaseAt(index: number): void {
    if (this.held !== undefined && this.window.isComplete && index === this.window.text.length) this.release();
  }
}
