import { dependsOnNext, forEachAddedUnit, LowerCaser, startsCased } from '../unicode/lower-case.js';
import { scalarAt, unitLength } from '../unicode/scalar.js';

/** What becomes of a text before it is tokenized, as in sentence-transformers. */
export interface Preparation {
  /** Put before the text as it is; '' for none. */
  readonly prompt: string;
  /** Prompt and text are read in lower case. */
  readonly lowercase: boolean;
}

/** A stretch of a text as one flat string. */
export interface Window {
  readonly text: string;
  /** Whether the text ends where the window does. */
  readonly isComplete: boolean;
  /** Where the character at `index` begins and ends in the text; offsets are made of these. */
  startOf(index: number): number;
  endOf(index: number): number;
}

/** UTF-16 units that are prepared in one go. */
const PIECE_UNITS = 1 << 13;

/**
 * The text that an encoder reads. Without preparation the window is the whole text. Else it moves over prompt and text: neither is joined
 * or lower-cased further than it is read. Indices are those of the window; `startOf` and `endOf` count from the beginning of the prompt.
 */
export class TextWindow implements Window {
  text = '';
  isComplete = true;
  /** Where the window begins in the prepared text. */
  start = 0;
  #source = '';
  #prompt = '';
  #lowerCaser: LowerCaser | undefined;
  /** Units of prompt and text that were prepared. */
  #prepared = 0;
  /** How far was looked ahead for a cased letter, and what was found. */
  #ahead = 0;
  #isAheadCased: boolean | undefined;
  /** [ascending]: units of the prepared text that have none of their own in the text. */
  #added: number[] = [];

  /** Starts with the beginning of a text. */
  begin(source: string, preparation?: Preparation): void {
    const isPlain = preparation === undefined || (preparation.prompt === '' && !preparation.lowercase);
    this.start = 0;
    this.#source = source;
    this.#prompt = isPlain ? '' : preparation.prompt;
    this.isComplete = isPlain;
    this.text = isPlain ? source : '';
    this.#lowerCaser = isPlain || !preparation.lowercase ? undefined : new LowerCaser();
    if (isPlain) return;
    this.#added = [];
    this.#prepared = this.#ahead = 0;
    this.#isAheadCased = undefined;
    this.advance(0);
  }

  /** Goes back to the beginning of the text. */
  rewind(): void {
    this.begin(this.#source, { prompt: this.#prompt, lowercase: this.#lowerCaser !== undefined });
  }

  /** Lets go of the text. */
  end(): void {
    this.text = this.#source = this.#prompt = '';
    this.isComplete = true;
    if (this.#added.length > 0) this.#added = [];
  }

  /** Drops what lies before `from` and adds the next piece, or looks ahead for what it depends on. Returns how many units were dropped. */
  advance(from: number): number {
    const length = this.#prompt.length + this.#source.length;
    // Behind the prompt the text itself does as well as a copy.
    if (this.#lowerCaser === undefined && this.start + from >= this.#prompt.length) {
      const dropped = this.#prompt.length - this.start;
      this.start = this.#prompt.length;
      this.text = this.#source;
      this.isComplete = true;
      return dropped;
    }
    const end = this.#endOfPiece(this.#prepared);
    const piece = this.#lower(this.#slice(this.#prepared, end), end);
    if (piece === undefined) return 0;
    this.text = this.text.slice(from) + piece;
    this.start += from;
    this.#prepared = end;
    this.isComplete = end === length;
    return from;
  }

  startOf(index: number): number {
    return this.start + index;
  }

  endOf(index: number): number {
    return this.start + index + unitLength(scalarAt(this.text, index));
  }

  /** Turns offsets [2 * tokens] of the prepared text into offsets of the text; what lies in the prompt lies at 0. */
  toSource(offsets: Int32Array): void {
    if (this.#prompt === '' && this.#added.length === 0) return;
    const indexOf = (prepared: number) => prepared - countUpTo(this.#added, prepared);
    const promptUnits = this.#prompt.length;
    for (let i = 0; i < offsets.length; i += 2) {
      const [start, end] = [offsets[i] as number, offsets[i + 1] as number];
      offsets[i] = Math.max(0, indexOf(start) - promptUnits);
      offsets[i + 1] = end === start ? (offsets[i] as number) : Math.max(0, indexOf(end - 1) + 1 - promptUnits);
    }
  }

  #lower(piece: string, end: number): string | undefined {
    if (this.#lowerCaser === undefined) return piece;
    const isBeforeCased = dependsOnNext(piece) ? this.#isCasedAhead(end) : false;
    if (isBeforeCased === undefined) return undefined;
    const at = this.start + this.text.length;
    forEachAddedUnit(piece, (index) => this.#added.push(at + index));
    return this.#lowerCaser.next(piece, isBeforeCased);
  }

  /** Whether the first character from `index` on that counts is a cased letter; undefined while that is not known. */
  #isCasedAhead(index: number): boolean | undefined {
    if (index >= this.#ahead) {
      this.#ahead = index;
      this.#isAheadCased = undefined;
    }
    // What was found further ahead holds for all that lies between: nothing there counts.
    if (this.#isAheadCased !== undefined) return this.#isAheadCased;
    const end = this.#endOfPiece(this.#ahead);
    this.#isAheadCased = this.#ahead === end ? false : startsCased(this.#slice(this.#ahead, end));
    if (this.#isAheadCased === undefined) this.#ahead = end;
    return this.#isAheadCased;
  }

  /** A place between characters about a piece after `start`. */
  #endOfPiece(start: number): number {
    const end = start + PIECE_UNITS;
    if (end >= this.#prompt.length + this.#source.length) return this.#prompt.length + this.#source.length;
    const [before, after] = [this.#slice(end - 1, end).charCodeAt(0), this.#slice(end, end + 1).charCodeAt(0)];
    return (before & 0xfc00) === 0xd800 && (after & 0xfc00) === 0xdc00 ? end + 1 : end;
  }

  /** Units of prompt and text as if they were one string. */
  #slice(start: number, end: number): string {
    const promptUnits = this.#prompt.length;
    if (start >= promptUnits) return this.#source.slice(start - promptUnits, end - promptUnits);
    return this.#prompt.slice(start, end) + this.#source.slice(0, Math.max(0, end - promptUnits));
  }
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
