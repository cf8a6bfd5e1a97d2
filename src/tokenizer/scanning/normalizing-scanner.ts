import type { AddedTokenFinder, FoundToken } from './added/added-token-finder.js';
import type { AddedTokenMatcher } from './added/added-tokens.js';
import { isLowSurrogate } from '../normalizers/marks.js';
import { isStableAt, Search } from '../normalizers/stable-text.js';
import type { PieceReader } from './piece-reader.js';
import type { Scanner } from './scanner.js';
import type { TextWindow } from './text-window.js';
import type { TokenBuffer } from './token-buffer.js';
import type { WordBuffer } from './word-buffer.js';
import type { WordScanner } from './word-scanner.js';

/** What a `NormalizingScanner` is made of. */
export interface NormalizingParts {
  readonly pieces: PieceReader;
  /** [65536]: what each unit is to the search for added tokens, by `Search`. */
  readonly search: Uint8Array;
  readonly matcher: AddedTokenMatcher;
  readonly normalizedMatcher: AddedTokenMatcher;
  /** Finds the tokens of `matcher`. */
  readonly finder: AddedTokenFinder;
  /** Reads normalized text and finds the tokens of `normalizedMatcher` in it. */
  readonly scanner: WordScanner;
  readonly words: WordBuffer;
  readonly tokens: TokenBuffer;
}

/**
 * The general way: the pieces of text between the added tokens that are found in it go, step by step, through the streams of the
 * normalizer, and what comes of it is scanned for other added tokens and words. Where that can do without the streams it gives up at
 * the first character that they may change.
 */
export class NormalizingScanner implements Scanner {
  /** How far added tokens were searched in the text itself. */
  position = 0;
  hasGivenUp = false;
  readonly #parts: NormalizingParts;
  readonly #pieces: PieceReader;
  #window!: TextWindow;
  #splitSpecialTokens = false;
  /** The added token that ends the piece. */
  #found: FoundToken | undefined;
  /** Whether the last piece was read to its end. */
  #isPieceRead = false;

  constructor(parts: NormalizingParts) {
    this.#parts = parts;
    this.#pieces = parts.pieces;
  }

  begin(window: TextWindow, splitSpecialTokens: boolean): void {
    this.#window = window;
    this.#splitSpecialTokens = splitSpecialTokens;
    this.position = this.#pieces.position = 0;
    this.hasGivenUp = false;
    this.#found = undefined;
    this.#parts.finder.begin(window, splitSpecialTokens);
    this.#beginPiece();
  }

  get keepFrom(): number {
    return Math.max(0, Math.min(this.#done, this.position - 2));
  }

  get openToken(): number {
    return Math.max(this.#parts.finder.openToken, this.#parts.scanner.openToken);
  }

  closeToken(): void {
    this.#parts.finder.finish();
    this.#parts.scanner.closeToken();
  }

  settle(): void {
    this.#parts.finder.settle(this.position);
  }

  shift(units: number): void {
    this.position -= units;
    this.#pieces.shift(units);
    this.#parts.finder.shift(units);
    const found = this.#found;
    if (found === undefined) return;
    const { start, contentStart, contentEnd } = found;
    this.#found = { ...found, start: start - units, contentStart: contentStart - units, contentEnd: contentEnd - units };
  }

  isBoundary(index: number): boolean {
    return !isLowSurrogate(this.#window.text, index);
  }

  isStarved(limit: number): boolean {
    return this.#found === undefined && this.position >= limit;
  }

  scan(limit: number): number {
    if (this.#found !== undefined && this.#isPieceRead) {
      this.#take(this.#found);
      return 1;
    }
    const before = this.position;
    const { finder, tokens } = this.#parts;
    const { stepUnits } = this.#pieces;
    if (this.#found === undefined && this.#settled() - this.#done < stepUnits) this.#search(Math.min(limit, before + stepUnits));
    if (this.hasGivenUp) return this.position - before;
    let end = this.#found?.start;
    const { isComplete, text } = this.#window;
    if (end === undefined && isComplete && this.position === text.length && !finder.isOpen) end = text.length;
    const cost = this.position - before + this.#read(end);
    if (this.#found !== undefined && this.#isPieceRead && !tokens.isHeld) this.#take(this.#found);
    return cost;
  }

  finish(): boolean {
    const { finder } = this.#parts;
    if (finder.isOpen) {
      finder.finish();
      this.#done = Math.max(this.#done, finder.end);
    }
    this.#read(this.#window.text.length);
    return this.#isPieceRead;
  }

  /** Looks for added tokens up to `limit`. */
  #search(limit: number): void {
    const { finder, search } = this.#parts;
    const { text } = this.#window;
    const wasOpen = finder.isOpen;
    finder.enter(this.position, limit);
    // A piece begins behind the white space of the token before it.
    if (wasOpen) this.#done = Math.max(this.#done, finder.end);
    for (let i = this.position; i < limit; i++) {
      const what = search[text.charCodeAt(i)] as number;
      if (what === 0) continue;
      const found = (what & Search.Token) === 0 ? undefined : finder.find(i);
      if (found !== undefined) {
        this.#found = found;
        this.position = found.contentEnd;
        return;
      }
      if ((what & Search.Unstable) !== 0 && !isStableAt(text, i)) {
        this.hasGivenUp = true;
        return;
      }
    }
    this.position = limit;
  }

  /** How far the text may be read while the end of its piece is not known. */
  #settled(): number {
    const { finder, matcher } = this.#parts;
    if (finder.isOpen) return this.#done;
    // White space may belong to a token that follows.
    const end = matcher.stripsLeft ? finder.startOfSpace(this.position) : this.position;
    return Math.max(this.#done, end);
  }

  /** Reads a part of the piece, which ends at `end` if that is known, and scans it. Returns what reading it cost. */
  #read(end: number | undefined): number {
    const { scanner, tokens } = this.#parts;
    const pieces = this.#pieces;
    const { window } = pieces;
    const cost = window.isComplete ? 0 : pieces.read(this.#window, Math.max(this.#done, end ?? this.#settled()), end !== undefined);
    const { isComplete, text } = window;
    const limit = isComplete ? text.length : Math.max(scanner.position, text.length - this.#lookahead);
    scanner.scan(limit);
    this.#isPieceRead = isComplete && scanner.isStarved(limit) && !tokens.isFull;
    if (this.#isPieceRead) {
      scanner.finish();
      this.#beginPiece();
    } else {
      const from = scanner.keepFrom;
      scanner.settle();
      scanner.shift(from);
      pieces.drop(from);
    }
    return cost;
  }

  #take(found: FoundToken): void {
    const { finder, tokens, words } = this.#parts;
    finder.accept(found, tokens.add(found.token.id, words.takeIndex()));
    this.#found = undefined;
    this.#done = finder.end;
  }

  #beginPiece(): void {
    this.#pieces.begin();
    this.#parts.scanner.begin(this.#pieces.window, this.#splitSpecialTokens);
  }

  /** Units that the search for added tokens looks ahead. */
  get #lookahead(): number {
    return this.#parts.normalizedMatcher.longest + 2;
  }

  /** The text before it was read, or is an added token. */
  get #done(): number {
    return this.#pieces.position;
  }

  set #done(position: number) {
    this.#pieces.position = position;
  }
}
