import type { AddedTokenFinder, FoundToken } from './added-token-finder.js';
import type { AddedTokenMatcher } from './added-tokens.js';
import { isBoundary, isLowSurrogate, MOST_MARKS } from './marks.js';
import { NormalizedWindow } from './normalized-window.js';
import { normalize, type NormalizerOptions } from './normalizer.js';
import type { Scanner } from './sequence-encoder.js';
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
  readonly normalizer: NormalizerOptions;
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
 * The way for added tokens that are found in normalized text: the pieces of text between the other added tokens are normalized, step by
 * step, and what comes of it is scanned. A step ends where marks cannot be reordered across.
 */
export class NormalizingScanner implements Scanner {
  /** How far added tokens were searched in the text itself. */
  position = 0;
  readonly #parts: NormalizingParts;
  readonly #normalized = new NormalizedWindow();
  #window!: TextWindow;
  #splitSpecialTokens = false;
  /** The text before it was normalized, or is an added token. */
  #done = 0;
  /** The last place, not after `position`, where normalizing may stop. */
  #boundary = 0;
  /** The added token that ends the piece. */
  #found: FoundToken | undefined;
  /** Whether the last piece was read to its end. */
  #isPieceRead = false;

  constructor(parts: NormalizingParts) {
    this.#parts = parts;
  }

  begin(window: TextWindow, splitSpecialTokens: boolean): void {
    this.#window = window;
    this.#splitSpecialTokens = splitSpecialTokens;
    this.position = this.#done = this.#boundary = 0;
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
    this.#boundary -= units;
    this.#parts.finder.shift(units);
    const found = this.#found;
    if (found === undefined) return;
    const { start, contentStart, contentEnd } = found;
    this.#found = { ...found, start: start - units, contentStart: contentStart - units, contentEnd: contentEnd - units };
  }

  isStarved(limit: number): boolean {
    return this.#found === undefined && this.position >= limit;
  }

  scan(limit: number): number {
    const before = this.position;
    let end = this.#found?.start;
    if (end === undefined && this.#settled() - this.#done < STEP_UNITS) {
      this.#search(Math.min(limit, before + STEP_UNITS));
      end = this.#found?.start;
    }
    const searched = this.position - before;
    const normalized = this.#normalize(end);
    if (this.#found !== undefined && this.#isPieceRead) this.#take(this.#found);
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

  /** Looks for added tokens up to `limit`, and for places where normalizing may stop. */
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
      if (i - this.#boundary >= MOST_MARKS ? !isLowSurrogate(text, i) : this.#isBoundary(i)) this.#boundary = i;
    }
    this.position = limit;
  }

  /** How far the text may be normalized while the end of its piece is not known. */
  #settled(): number {
    const { finder, matcher } = this.#parts;
    if (finder.isOpen) return this.#done;
    // White space may belong to a token that follows.
    const end = matcher.stripsLeft ? finder.startOfSpace(this.position) : this.position;
    return Math.max(this.#done, Math.min(end, this.#boundary));
  }

  /** Normalizes a part of the piece, which ends at `end` if that is known, and scans it. Returns how many units it was. */
  #normalize(end: number | undefined): number {
    const { normalizer, scanner, tokens } = this.#parts;
    const { text } = this.#window;
    const settled = Math.max(this.#done, end ?? this.#settled());
    const stop = this.#stopBefore(settled);
    const units = stop - this.#done;
    if (units > 0) this.#normalized.append(normalize(text, this.#done, stop, normalizer), this.#window);
    this.#done = stop;
    const isEnd = end !== undefined && stop === settled;
    this.#normalized.isComplete = isEnd;
    const { length } = this.#normalized.text;
    const limit = isEnd ? length : Math.max(scanner.position, length - this.#lookahead);
    scanner.scan(limit);
    this.#isPieceRead = isEnd && scanner.isStarved(limit) && !tokens.isFull;
    if (this.#isPieceRead) {
      scanner.finish();
      this.#beginPiece();
    } else {
      const from = scanner.keepFrom;
      scanner.settle();
      scanner.shift(from);
      this.#normalized.drop(from);
    }
    return units;
  }

  #take(found: FoundToken): void {
    const { finder, tokens, words } = this.#parts;
    finder.accept(found, tokens.add(found.token.id, words.takeIndex()));
    this.#found = undefined;
    this.#done = this.#boundary = finder.end;
  }

  #beginPiece(): void {
    this.#normalized.clear();
    this.#parts.scanner.begin(this.#normalized, this.#splitSpecialTokens);
  }

  /** Units that the search for added tokens looks ahead. */
  get #lookahead(): number {
    return this.#parts.normalizedMatcher.longest + 2;
  }

  /** Where a step ends that goes no further than `settled`: at a boundary about STEP_UNITS away, the next one if there is none before. */
  #stopBefore(settled: number): number {
    const most = this.#done + STEP_UNITS;
    if (settled <= most) return settled;
    let stop = most;
    while (stop > this.#done && !this.#isBoundary(stop)) stop--;
    if (stop > this.#done) return stop;
    for (stop = most; stop < settled && !this.#isBoundary(stop);) {
      if (stop - this.#done >= MOST_MARKS && !isLowSurrogate(this.#window.text, stop)) break;
      stop++;
    }
    return stop;
  }

  #isBoundary(index: number): boolean {
    return isBoundary(this.#window.text, index, this.#parts.normalizer);
  }
}
