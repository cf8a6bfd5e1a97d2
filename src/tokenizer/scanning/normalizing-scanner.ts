import type { AddedTokenFinder, FoundToken } from './added-token-finder.js';
import type { AddedTokenMatcher } from './added-tokens.js';
import { isLowSurrogate } from '../normalizers/marks.js';
import { NormalizedWindow } from './normalized-window.js';
import { NormalizerChain, type NormalizerStep } from '../normalizers/steps.js';
import type { Scanner } from './scanner.js';
import type { TableScanner } from './table-scanner.js';
import type { TextWindow } from './text-window.js';
import type { TokenBuffer } from './token-buffer.js';
import type { WordBuffer } from './word-buffer.js';

/** UTF-16 units that are searched, or normalized, in one step. */
const STEP_UNITS = 1 << 10;
/** Normalizing a unit takes this many times as long as the table's way does. */
const NORMALIZING_COST = 4;

/** What a `NormalizingScanner` is made of. */
export interface NormalizingParts {
  readonly steps: readonly NormalizerStep[];
  readonly matcher: AddedTokenMatcher;
  readonly normalizedMatcher: AddedTokenMatcher;
  /** Finds the tokens of `matcher`. */
  readonly finder: AddedTokenFinder;
  /** Reads normalized text and finds the tokens of `normalizedMatcher` in it. */
  readonly scanner: TableScanner;
  readonly words: WordBuffer;
  readonly tokens: TokenBuffer;
}

/**
 * The general way: the pieces of text between the added tokens that are found in it go, step by step, through the streams of the
 * normalizer, and what comes of it is scanned for other added tokens and words.
 */
export class NormalizingScanner implements Scanner {
  /** How far added tokens were searched in the text itself. */
  position = 0;
  readonly hasGivenUp = false;
  readonly #parts: NormalizingParts;
  readonly #chain: NormalizerChain;
  readonly #normalized = new NormalizedWindow();
  #window!: TextWindow;
  #splitSpecialTokens = false;
  /** The added token that ends the piece. */
  #found: FoundToken | undefined;
  /** Whether the last piece was read to its end. */
  #isPieceRead = false;

  constructor(parts: NormalizingParts) {
    this.#parts = parts;
    this.#chain = new NormalizerChain(parts.steps);
  }

  begin(window: TextWindow, splitSpecialTokens: boolean): void {
    this.#window = window;
    this.#splitSpecialTokens = splitSpecialTokens;
    this.position = this.#done = 0;
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
    this.#done -= units;
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
    let end = this.#found?.start;
    if (end === undefined && this.#settled() - this.#done < STEP_UNITS) {
      this.#search(Math.min(limit, before + STEP_UNITS));
      end = this.#found?.start;
    }
    const searched = this.position - before;
    const normalized = this.#normalize(end);
    if (this.#found !== undefined && this.#isPieceRead && !this.#parts.tokens.isHeld) this.#take(this.#found);
    return searched + NORMALIZING_COST * normalized;
  }

  finish(): boolean {
    const { finder } = this.#parts;
    if (finder.isOpen) {
      finder.finish();
      this.#done = Math.max(this.#done, finder.end);
    }
    const { length } = this.#window.text;
    this.#normalize(length);
    return this.#isPieceRead;
  }

  /** Looks for added tokens up to `limit`. */
  #search(limit: number): void {
    const { finder, matcher } = this.#parts;
    const { text } = this.#window;
    const wasOpen = finder.isOpen;
    finder.enter(this.position, limit);
    // A piece begins behind the white space of the token before it.
    if (wasOpen) this.#done = Math.max(this.#done, finder.end);
    for (let i = this.position; i < limit; i++) {
      const found = matcher.firstUnits.has(text.charCodeAt(i)) ? finder.find(i) : undefined;
      if (found !== undefined) {
        this.#found = found;
        this.position = found.contentEnd;
        return;
      }
    }
    this.position = limit;
  }

  /** How far the text may be normalized while the end of its piece is not known. */
  #settled(): number {
    const { finder, matcher } = this.#parts;
    if (finder.isOpen) return this.#done;
    // White space may belong to a token that follows.
    const end = matcher.stripsLeft ? finder.startOfSpace(this.position) : this.position;
    return Math.max(this.#done, end);
  }

  /** Normalizes a part of the piece, which ends at `end` if that is known, and scans it. Returns what it cost, in characters. */
  #normalize(end: number | undefined): number {
    const { scanner, tokens } = this.#parts;
    const { budget, source, stream } = this.#chain;
    let cost = 0;
    if (!this.#normalized.isComplete) {
      budget.left = STEP_UNITS;
      source.allow(this.#window, Math.max(this.#done, end ?? this.#settled()), end !== undefined);
      const made = this.#normalized.fill(stream, STEP_UNITS);
      cost = Math.max(made, STEP_UNITS - budget.left);
    }
    const { isComplete, text } = this.#normalized;
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
      this.#normalized.drop(from);
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
    this.#normalized.clear();
    this.#chain.stream.reset();
    this.#parts.scanner.begin(this.#normalized, this.#splitSpecialTokens);
  }

  /** Units that the search for added tokens looks ahead. */
  get #lookahead(): number {
    return this.#parts.normalizedMatcher.longest + 2;
  }

  /** The text before it was normalized, or is an added token. */
  get #done(): number {
    return this.#chain.source.position;
  }

  set #done(position: number) {
    this.#chain.source.position = position;
  }
}
