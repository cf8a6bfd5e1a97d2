import type { AddedTokenFinder } from '../added/added-token-finder.js';
import { cutsBetween, Part, type PatternWords, type PreTokenizer } from '../pre-tokenizer.js';
import type { Window } from '../text-window.js';
import type { TokenBuffer } from '../token-buffer.js';
import { whitespace } from '../../unicode/characters.js';
import { scalarAt, unitLength } from '../../unicode/scalar.js';
import type { WordBuffer } from '../word-buffer.js';
import { WordScanner } from '../word-scanner.js';
import { Class, classesOf, classOfPair, TRIGGER, wholePattern } from './word-pattern.js';
import { WordCutter } from './word-cutter.js';
import { HASH_PRIME } from '../../vocabulary/unit-map.js';

const BLANK = 0x20;

/** Finds added tokens in a window's text and cuts the rest into words by a pattern. The text stays as it is: offsets are its own. */
export class PatternScanner extends WordScanner {
  readonly #classes: Uint8Array;
  readonly #isWhole: boolean;
  readonly #addPrefixSpace: boolean;
  /** What text is cut by before, if it is. */
  readonly #splits: PreTokenizer | undefined;
  readonly #cutter: WordCutter;
  /** Whether nothing of a text that is cut by itself was read. */
  #isAtStart = true;
  /** Of the last character, where text is cut before. */
  #group = 0;

  /** `stripsLeft`: whether there are tokens that take the white space on their left. */
  constructor(
    { pattern, addPrefixSpace }: PatternWords,
    triggers: ReadonlySet<number>,
    preTokenizer: PreTokenizer,
    finder: AddedTokenFinder,
    words: WordBuffer,
    tokens: TokenBuffer,
    stripsLeft: boolean,
  ) {
    // Where it is a word by itself it is simply taken back.
    super(finder, words, tokens, stripsLeft && (pattern.takesLineBreaks || preTokenizer.hasRules));
    this.#isWhole = pattern === wholePattern;
    this.#classes = classesOf(triggers, this.#isWhole);
    this.#addPrefixSpace = addPrefixSpace;
    this.#splits = preTokenizer.hasRules ? preTokenizer : undefined;
    this.#cutter = new WordCutter(pattern, words);
  }

  override begin(window: Window, splitSpecialTokens: boolean): void {
    super.begin(window, splitSpecialTokens);
    this.#cutter.begin();
    this.#isAtStart = true;
  }

  finish(): boolean {
    this.finder.finish();
    this.#endPiece();
    return true;
  }

  /** Reads on to `limit`, or a character or token further; less if there are tokens enough. */
  scan(limit: number): number {
    const classes = this.#classes;
    const { text } = this.window;
    const words = this.words;
    const cutter = this.#cutter;
    const tokens = this.tokens;
    const readsEach = this.#splits !== undefined || this.held !== undefined;
    this.finder.enter(this.position, limit);
    const from = this.position;
    let i = from;
    while (i < limit && !tokens.isFull) {
      let unit = text.charCodeAt(i);
      const kind = classes[unit] as number;
      if (kind >= Class.Surrogate || this.#isAtStart || this.skipsSpace || readsEach) {
        i = this.#readAny(i, kind);
      } else if (cutter.enter(kind, unit)) {
        words.append(unit, i++);
        if (kind !== Class.Letter || !cutter.isInLetters) continue;
        let { length, hash } = words;
        const { units, sources } = words;
        const last = Math.min(limit, i + units.length - length);
        while (i < last && classes[(unit = text.charCodeAt(i))] === Class.Letter) {
          units[length] = unit;
          sources[length++] = i++;
          hash = Math.imul(hash ^ unit, HASH_PRIME);
        }
        words.length = length;
        words.hash = hash;
      } else i++;
    }
    this.releaseAt(i);
    this.position = i;
    return i - from;
  }

  /** Reads the character at `i` of any class, and a token that begins there; returns where the next begins. */
  #readAny(i: number, kind: number): number {
    const { text } = this.window;
    if ((kind & TRIGGER) !== 0) {
      const found = this.finder.find(i);
      if (found !== undefined) {
        if (this.held === undefined) this.words.dropFrom(found.start);
        else if (found.token.lstrip) this.held.clear();
        else if (!this.release()) return i;
        this.#endPiece();
        if (this.words.isBusy) return i;
        this.finder.accept(found, this.tokens.add(found.token.id, this.words.takeIndex()));
        this.skipsSpace = found.token.rstrip;
        return found.contentEnd;
      }
    }
    const plain = kind & ~TRIGGER;
    const codePoint = plain === Class.Surrogate ? scalarAt(text, i) : text.charCodeAt(i);
    const size = plain === Class.Surrogate ? unitLength(codePoint) : 1;
    if (this.skipsSpace || this.held !== undefined) {
      if (whitespace.has(codePoint)) {
        if (!this.skipsSpace) this.held?.push(codePoint, this.window, i);
        return i + size;
      }
      if (!this.release()) return i;
      this.skipsSpace = false;
    }
    const pairClass = this.#isWhole ? Class.Letter : classOfPair(codePoint);
    return this.#cut(codePoint, i, plain === Class.Surrogate ? pairClass : plain, size);
  }

  /** Reads a character after what is cut before. */
  #cut(codePoint: number, source: number, kind: number, size: number): number {
    const part = this.#splits === undefined ? 0 : this.#splits.partOf(codePoint);
    if (part === Part.Dropped) this.#endPiece();
    else {
      const isCut =
        this.#splits !== undefined && !this.#isAtStart && (part === Part.Alone || cutsBetween(this.#splits.cuts, this.#group, part));
      if (isCut) this.#endPiece();
      this.#group = part;
      if (this.#isAtStart) this.#startPiece(codePoint, source);
      if (this.#cutter.enter(kind, codePoint)) {
        if (codePoint > 0xffff) this.words.appendPair(codePoint, source);
        else this.words.append(codePoint, source);
      }
      if (part === Part.Alone) this.#endPiece();
    }
    return source + size;
  }

  protected readHeld(unit: number, source: number): void {
    this.#cut(unit, source, (this.#classes[unit] as number) & ~TRIGGER, 1);
  }

  #startPiece(codePoint: number, source: number): void {
    this.#isAtStart = false;
    if (!this.#addPrefixSpace || codePoint === BLANK) return;
    this.#cutter.enterPrefix();
    // As in the reference it has the offsets of the character that it is put before.
    this.words.append(BLANK, source);
  }

  #endPiece(): void {
    this.#cutter.finish();
    this.#isAtStart = true;
  }
}
