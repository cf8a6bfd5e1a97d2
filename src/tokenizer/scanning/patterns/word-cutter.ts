import type { WordBuffer } from '../word-buffer.js';
import { Class, type WordPattern } from './word-pattern.js';

/** What the word that is being read is so far. */
const State = {
  /** There is none. */
  None: 0,
  Letters: 1,
  Numbers: 2,
  Symbols: 3,
  /** Line breaks behind symbols. */
  LineBreaks: 4,
  /** White space, of which the last may begin the next word. */
  Space: 5,
  /** One symbol, which may begin a word of letters. */
  Symbol: 6,
  /** An apostrophe, which may begin a contraction. */
  Apostrophe: 7,
  /** The first two characters of a contraction of three. */
  HalfContraction: 8,
  /** A word that nothing can be added to. */
  Whole: 9,
} as const;

const [D, E, L, M, R, S, T, V, LONG_S] = [0x64, 0x65, 0x6c, 0x6d, 0x72, 0x73, 0x74, 0x76, 0x17f];

/**
 * Cuts text into words by a pattern, a character at a time: what would be looked ahead for in a regular expression is decided, and the
 * word cut in two where need be, once the next character is known. So it can stop and go on anywhere.
 */
export class WordCutter {
  readonly #pattern: WordPattern;
  readonly #words: WordBuffer;
  #state: number = State.None;
  /** Characters of a word of numbers. */
  #count = 0;
  /** Of a word of white space: where its last line break ends, if the pattern minds, and whether its last character is U+0020. */
  #lineEnd = 0;
  #isBlankLast = false;
  /** Of half a contraction: its second character. */
  #second = 0;

  constructor(pattern: WordPattern, words: WordBuffer) {
    this.#pattern = pattern;
    this.#words = words;
  }

  /** Starts a text. */
  begin(): void {
    this.#state = State.None;
  }

  /** Whether the next character, if it is a letter, simply goes on with the word. */
  get isInLetters(): boolean {
    return this.#state === State.Letters;
  }

  /** Tells that a character of `kind` follows, which begins with `unit`: ends the word if it is not part of it. False if it is in no word. */
  enter(kind: number, unit: number): boolean {
    switch (this.#state) {
      case State.None:
        break;
      case State.Letters:
        if (kind === Class.Letter) return true;
        this.#words.flush();
        break;
      case State.Numbers:
        if (kind === Class.Number && this.#count < this.#pattern.mostNumbers) {
          this.#count++;
          return true;
        }
        this.#words.flush();
        break;
      case State.Space:
        if (this.#enterFromSpace(kind)) return true;
        break;
      case State.Apostrophe:
        if (this.#goOnToContraction(unit) || this.#goOnFromSymbol(kind)) return true;
        this.#words.flush();
        break;
      case State.HalfContraction:
        if (this.#completes(unit)) {
          this.#state = State.Whole;
          return true;
        }
        // It was an apostrophe, and the first letter of a word.
        if (this.#pattern.letterPrefix !== 'any') this.#words.flushFirst(1);
        this.#state = State.Letters;
        return this.enter(kind, unit);
      case State.Symbol:
      case State.Symbols:
      case State.LineBreaks:
        if (this.#goOnFromSymbol(kind)) return true;
        this.#words.flush();
        break;
      default:
        this.#words.flush();
    }
    return this.#beginWord(kind);
  }

  /** Ends the text, or the piece of it that is cut by itself. */
  finish(): void {
    if (this.#state === State.Space) this.#cutLine();
    else if (this.#state === State.HalfContraction && this.#pattern.letterPrefix !== 'any') this.#words.flushFirst(1);
    this.#words.flush();
    this.#state = State.None;
  }

  /** Tells that a space was put before the text. */
  enterPrefix(): void {
    this.enter(Class.Blank, 0x20);
  }

  #beginWord(kind: number): boolean {
    const { contractions, letterPrefix, takesLineBreaks, dropsSpace } = this.#pattern;
    switch (kind) {
      case Class.Letter:
        this.#state = State.Letters;
        return true;
      case Class.Number:
        this.#state = State.Numbers;
        this.#count = 1;
        return true;
      case Class.Blank:
      case Class.Space:
      case Class.LineBreak:
        this.#state = dropsSpace ? State.None : State.Space;
        this.#lineEnd = takesLineBreaks && kind === Class.LineBreak ? 1 : 0;
        this.#isBlankLast = kind === Class.Blank;
        return !dropsSpace;
      case Class.Apostrophe:
        if (contractions !== 'none') {
          this.#state = State.Apostrophe;
          return true;
        }
    }
    this.#state = letterPrefix === 'any' ? State.Symbol : State.Symbols;
    return true;
  }

  #goOnFromSymbol(kind: number): boolean {
    const isInLineBreaks = this.#state === State.LineBreaks;
    if (kind === Class.LineBreak && this.#pattern.takesLineBreaks) this.#state = State.LineBreaks;
    else if (isInLineBreaks) return false;
    else if (kind === Class.Symbol || kind === Class.Apostrophe) this.#state = State.Symbols;
    else if (kind === Class.Letter && this.#state !== State.Symbols && this.#pattern.letterPrefix === 'any') this.#state = State.Letters;
    else return false;
    return true;
  }

  #enterFromSpace(kind: number): boolean {
    const words = this.#words;
    if (kind === Class.Blank || kind === Class.Space || kind === Class.LineBreak) {
      if (kind === Class.LineBreak && this.#pattern.takesLineBreaks) this.#lineEnd = words.length + 1;
      this.#isBlankLast = kind === Class.Blank;
      return true;
    }
    this.#cutLine();
    if (words.length > 1) words.flushFirst(words.length - 1);
    if (words.length === 0) return false;
    const { letterPrefix, numberPrefix, symbolPrefix } = this.#pattern;
    const prefix = kind === Class.Letter ? letterPrefix : kind === Class.Number ? numberPrefix : symbolPrefix;
    if (prefix === 'any' || (prefix === 'space' && this.#isBlankLast)) {
      this.#state = kind === Class.Letter ? State.Letters : kind === Class.Number ? State.Numbers : State.Symbols;
      this.#count = 1;
      return true;
    }
    words.flush();
    return false;
  }

  /** Of white space with line breaks, what comes up to the last of them is a word. */
  #cutLine(): void {
    const words = this.#words;
    if (this.#lineEnd >= words.length && this.#lineEnd > 0) words.flush();
    else if (this.#lineEnd > 0) words.flushFirst(this.#lineEnd);
    this.#lineEnd = 0;
  }

  #goOnToContraction(unit: number): boolean {
    const letter = this.#lower(unit);
    if (letter === S || letter === T || letter === M || letter === D) this.#state = State.Whole;
    else if (letter === R || letter === V || letter === L) this.#state = State.HalfContraction;
    else return false;
    this.#second = letter;
    return true;
  }

  /** Whether a character is the last of a contraction of three: 're, 've or 'll. */
  #completes(unit: number): boolean {
    return this.#lower(unit) === (this.#second === L ? L : E);
  }

  /** The lower case of a letter of contractions, where the pattern minds no case: U+017F is an "s" there too. */
  #lower(unit: number): number {
    if (this.#pattern.contractions !== 'any') return unit;
    return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit === LONG_S ? S : unit;
  }
}
