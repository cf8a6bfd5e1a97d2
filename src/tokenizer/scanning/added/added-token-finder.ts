import { type AddedToken, type AddedTokenMatcher, standsAlone } from './added-tokens.js';
import type { Window } from '../text-window.js';
import { type OuterSpace, outerSpace, type TokenBuffer } from '../token-buffer.js';
import { whitespace } from '../../unicode/characters.js';

/** An added token that was found in a window: its own text is text[contentStart..contentEnd). */
export interface FoundToken {
  readonly token: AddedToken;
  /** Where it begins with the white space it takes, in the window and as an offset. */
  readonly start: number;
  readonly offset: number;
  readonly contentStart: number;
  readonly contentEnd: number;
}

/** A token that takes the white space on its right, which is still being read. */
interface OpenToken {
  readonly found: FoundToken;
  /** Its place among the tokens, or -1. */
  readonly at: number;
  /** White space at the ends of its own text. */
  readonly space: OuterSpace;
  contentEnd: number;
}

const NO_SPACE: OuterSpace = { leading: 0, trailing: 0 };

/**
 * Finds added tokens in a text that is read from left to right in steps: leftmost, then longest, without overlap. White space on either
 * side of a token is looked at step by step too, as it may be longer than everything else. A match that its conditions forbid still
 * uses up its text.
 */
export class AddedTokenFinder {
  /** Where the last token ended, with the white space on its right as far as it was read. */
  end = 0;
  readonly #matcher: AddedTokenMatcher;
  readonly #tokens: TokenBuffer;
  #window!: Window;
  #splitSpecialTokens = false;
  /** No token may begin before. */
  #from = 0;
  /** Tokens that take the white space that is being read: several if one is found in it. */
  readonly #open: OpenToken[] = [];
  /** How far that white space was read, and where it ends as an offset. */
  #openEnd = 0;
  #openOffset = 0;
  /** Whether the last token is one of them. */
  #isLastOpen = false;
  /** Whether the last token is a language code: no other one follows it. */
  #isAfterCode = false;
  // The white space before index #spaceEnd begins at #spaceStart, with the offset #spaceOffset, unless the window still knows it.
  #spaceStart = 0;
  #spaceEnd = 0;
  #spaceOffset: number | undefined;

  /** Puts the offsets of the tokens it finds into `tokens`. */
  constructor(matcher: AddedTokenMatcher, tokens: TokenBuffer) {
    this.#matcher = matcher;
    this.#tokens = tokens;
  }

  /** Starts at the beginning of a window. */
  begin(window: Window, splitSpecialTokens: boolean): void {
    this.#window = window;
    this.#splitSpecialTokens = splitSpecialTokens;
    this.end = this.#from = this.#spaceStart = this.#spaceEnd = 0;
    this.#spaceOffset = undefined;
    this.#open.length = 0;
    this.#isAfterCode = false;
  }

  /** Whether white space is still being read that belongs to a token. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** The place of the first token whose white space is still being read, else -1. */
  get openToken(): number {
    return this.#open[0]?.at ?? -1;
  }

  /** Where the white space before `index` begins: as far as the last token, no further. */
  startOfSpace(index: number): number {
    const { text } = this.#window;
    let start = index;
    while (start > this.#spaceEnd && isSpace(text.charCodeAt(start - 1))) start--;
    return start > this.#spaceEnd ? start : this.#spaceStart;
  }

  /** Remembers the white space before `index`, from where on text is read next: the window may move. */
  settle(index: number): void {
    this.#extend(index);
    if (index > this.#spaceEnd) {
      const start = this.startOfSpace(index);
      if (start > this.#spaceEnd) this.#spaceOffset = undefined;
      this.#spaceStart = start;
      this.#spaceEnd = index;
    }
    if (this.#spaceStart < this.#spaceEnd) this.#spaceOffset ??= this.#window.startOf(this.#spaceStart);
  }

  /** Tells that the text from `index` to `limit` is read next. */
  enter(index: number, limit: number): void {
    this.settle(index);
    this.#extend(limit);
  }

  /** Tells that the text has ended, or that no more of it matters. */
  finish(): void {
    this.#extend(this.#window.text.length);
    if (this.isOpen) this.#close();
  }

  /** Tells that the window has moved. */
  shift(units: number): void {
    this.end -= units;
    this.#from -= units;
    this.#openEnd -= units;
    this.#spaceStart -= units;
    this.#spaceEnd -= units;
    for (const token of this.#open) token.contentEnd -= units;
  }

  /** The token whose text begins at `index`, if there is one. */
  find(index: number): FoundToken | undefined {
    const match = this.#matchAt(index);
    if (match === undefined) return undefined;
    const { token, end } = match;
    if (this.#isForbidden(token, index, end)) {
      this.#from = end;
      return undefined;
    }
    // A token that begins with white space may begin in that of another one.
    this.#extend(end);
    const start = token.lstrip ? this.startOfSpace(index) : index;
    if (token.lstrip && (this.isOpen || start >= end)) {
      // All of it is white space of the other one.
      this.#from = end;
      return undefined;
    }
    const isKnown = start === this.#spaceStart && this.#spaceOffset !== undefined;
    const offset = isKnown ? (this.#spaceOffset as number) : this.#window.startOf(start);
    return { token, start, offset, contentStart: index, contentEnd: end };
  }

  /** Whether a token begins at `index`; remembers nothing. */
  isTokenAt(index: number): boolean {
    const match = this.#matchAt(index);
    return match !== undefined && !this.#isForbidden(match.token, index, match.end);
  }

  /** Tells that a token that was found is now number `at` of the tokens, or was dropped (-1). */
  accept(found: FoundToken, at: number): void {
    const { token, contentStart, contentEnd } = found;
    this.#extend(contentEnd);
    const space = this.#tokens.trims ? outerSpace(this.#window.text.slice(contentStart, contentEnd)) : NO_SPACE;
    const own: OpenToken = { found, at, space, contentEnd };
    this.#from = contentEnd;
    this.#isLastOpen = token.rstrip;
    this.#isAfterCode = token.isLanguageCode === true;
    if (!this.isOpen) {
      this.#openEnd = contentEnd;
      this.#openOffset = this.#window.endOf(contentEnd - 1);
    }
    if (token.rstrip) {
      this.#open.push(own);
      this.end = this.#openEnd;
    } else {
      this.#end(own, contentEnd, this.#window.endOf(contentEnd - 1));
      this.#endAt(contentEnd);
    }
  }

  #matchAt(index: number): { readonly token: AddedToken; readonly end: number } | undefined {
    if (index < this.#from) return undefined;
    const { text } = this.#window;
    const found = this.#matcher.longestAt(text, index);
    return found === undefined && index === this.end && !this.#isAfterCode ? this.#matcher.languageCodeAt(text, index) : found;
  }

  #isForbidden(token: AddedToken, start: number, end: number): boolean {
    return (this.#splitSpecialTokens && token.special) || (token.singleWord && !standsAlone(this.#window.text, start, end));
  }

  /** Reads the white space behind tokens that take it, up to `limit`. */
  #extend(limit: number): void {
    if (!this.isOpen) return;
    const { text } = this.#window;
    const before = this.#openEnd;
    while (this.#openEnd < limit && isSpace(text.charCodeAt(this.#openEnd))) this.#openEnd++;
    if (this.#openEnd > before) this.#openOffset = this.#window.endOf(this.#openEnd - 1);
    if (this.#isLastOpen) this.end = this.#openEnd;
    if (this.#openEnd < limit) this.#close();
  }

  #close(): void {
    for (const token of this.#open) this.#end(token, this.#openEnd, this.#openOffset);
    this.#open.length = 0;
    if (this.#isLastOpen) this.#endAt(this.#openEnd);
  }

  /** Tokens that follow take no white space before `index`. */
  #endAt(index: number): void {
    this.end = this.#spaceStart = this.#spaceEnd = index;
    this.#spaceOffset = undefined;
  }

  #end({ found, at, space, contentEnd }: OpenToken, end: number, offset: number): void {
    if (at < 0 || !this.#tokens.withOffsets) return;
    const left = Math.max(0, found.contentStart - found.start);
    const right = end - contentEnd;
    const isBlank = space.leading === found.contentEnd - found.contentStart;
    this.#tokens.place(at, found.offset, offset, {
      leading: left + space.leading + (isBlank ? right : 0),
      trailing: right + space.trailing + (isBlank ? left : 0),
    });
  }
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || ((unit < 0x20 || unit > 0x7e) && whitespace.has(unit));
}
