import { type Budget, type CharacterStream, Ended, Starved } from '../character-stream.js';
import type { Charsmap } from './charsmap.js';
import { WaitingCharacters } from '../waiting-characters.js';

/** What the normalizer of a SentencePiece model does. */
export interface SentencePieceRules {
  /** Undefined: characters stay as they are. */
  readonly charsmap: Charsmap | undefined;
  /** Puts a space before every text that is not blank. */
  readonly addDummyPrefix: boolean;
  /** Takes spaces away from both ends, and all but one of those that follow one another. */
  readonly removeExtraWhitespaces: boolean;
  /** Writes U+2581 for a space. */
  readonly escapeWhitespaces: boolean;
  /** Texts that stay as they are. */
  readonly userDefined: readonly string[];
}

const SPACE = 0x20;
/** What stands for a space. */
export const VISIBLE_SPACE = 0x2581;
/** No published map has keys of more than 18 characters; longer ones are not looked for, so that a hostile map costs no more time. */
const MOST_KEY_CHARACTERS = 64;

/** Characters of the texts that stay as they are. */
interface Node {
  readonly children: Map<number, Node>;
  isEnd: boolean;
}

/**
 * A text as SentencePiece normalizes it: at each place the longest key of the map is replaced, then spaces are removed and written visibly.
 * Unlike the reference's Precompiled normalizer it knows no grapheme clusters.
 */
export class SentencePieceNormalizer implements CharacterStream {
  origin = 0;
  readonly #upstream: CharacterStream;
  readonly #rules: SentencePieceRules;
  readonly #userDefined: Node = { children: new Map(), isEnd: false };
  /** Characters that were read but not replaced yet, with their origins. */
  #ahead: number[] = [];
  #origins: number[] = [];
  #isEnded = false;
  /** What was made of the last key and not read yet, all from one origin. */
  #made: readonly number[] = [];
  #madeAt = 0;
  #madeOrigin = 0;
  /** Spaces that are dropped if the text ends behind them, with what follows them once it is known. */
  readonly #waiting: WaitingCharacters;
  #isReleased = false;
  /** Whether nothing of the text was made yet: spaces at its beginning are not looked at. */
  #isAtStart = true;
  #isAfterSpace = false;

  constructor(upstream: CharacterStream, rules: SentencePieceRules, budget: Budget) {
    this.#upstream = upstream;
    this.#rules = rules;
    this.#waiting = new WaitingCharacters(budget);
    for (const text of rules.userDefined) {
      let node = this.#userDefined;
      for (const character of text) {
        const codePoint = character.codePointAt(0) as number;
        let child = node.children.get(codePoint);
        if (child === undefined) node.children.set(codePoint, (child = { children: new Map(), isEnd: false }));
        node = child;
      }
      node.isEnd = text !== '';
    }
    this.reset();
  }

  next(): number {
    for (;;) {
      if (this.#isReleased) {
        const waiting = this.#waiting.isEmpty ? undefined : this.#waiting.take();
        this.origin = this.#waiting.origin;
        if (waiting !== undefined) return waiting;
        this.#isReleased = false;
      }
      const codePoint = this.#nextMade();
      if (codePoint === Ended) this.#waiting.clear();
      if (codePoint < 0) return codePoint;
      const visible = this.#rules.escapeWhitespaces ? VISIBLE_SPACE : SPACE;
      const waits = this.#rules.removeExtraWhitespaces && codePoint === visible;
      if (!waits && this.#waiting.isEmpty) {
        this.origin = this.#madeOrigin;
        return codePoint;
      }
      this.#waiting.push(codePoint, this.#madeOrigin);
      this.#isReleased = !waits;
    }
  }

  reset(): void {
    this.#ahead = [];
    this.#origins = [];
    this.#isEnded = false;
    this.#made = [];
    this.#madeAt = 0;
    this.#waiting.clear();
    this.#isReleased = false;
    this.#isAtStart = true;
    this.#isAfterSpace = this.#rules.removeExtraWhitespaces;
    this.#upstream.reset();
  }

  /** The next character, of those at the end too that may have to go. */
  #nextMade(): number {
    while (this.#madeAt === this.#made.length) {
      const count = this.#readKey();
      if (count < 0) return count;
    }
    return this.#made[this.#madeAt++] as number;
  }

  /** Makes what stands in place of the longest key that comes next; `Starved` or `Ended` if there is none. */
  #readKey(): number {
    const { charsmap } = this.#rules;
    let length = 0;
    let replacement: readonly number[] | undefined;
    let node: Node | undefined = this.#userDefined;
    let place = charsmap === undefined ? -1 : charsmap.root;
    let isUserDefined = false;
    for (let k = 0; k < MOST_KEY_CHARACTERS && (k === 0 || node !== undefined || place >= 0); k++) {
      if (k === this.#ahead.length && !this.#isEnded) {
        const codePoint = this.#upstream.next();
        if (codePoint === Starved) return Starved;
        if (codePoint === Ended) this.#isEnded = true;
        else {
          this.#ahead.push(codePoint);
          this.#origins.push(this.#upstream.origin);
        }
      }
      if (k === this.#ahead.length) break;
      const codePoint = this.#ahead[k] as number;
      node = node?.children.get(codePoint);
      if (node?.isEnd === true) {
        isUserDefined = true;
        length = k + 1;
      }
      if (place >= 0) place = (charsmap as Charsmap).step(place, codePoint);
      const found = place < 0 || isUserDefined ? undefined : (charsmap as Charsmap).replacementAt(place);
      if (found !== undefined) {
        replacement = found;
        length = k + 1;
      }
    }
    if (this.#ahead.length === 0) return Ended;
    if (length === 0) length = 1;
    const made = isUserDefined || replacement === undefined ? this.#ahead.slice(0, length) : replacement;
    this.#madeOrigin = this.#origins[0] as number;
    this.#ahead.splice(0, length);
    this.#origins.splice(0, length);
    this.#space(made);
    return length;
  }

  /** Removes spaces from what was made, writes the others visibly, and puts one before the first of a text. */
  #space(made: readonly number[]): void {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.#rules;
    const wasAtStart = this.#isAtStart;
    this.#madeAt = 0;
    this.#made = [];
    if (wasAtStart && removeExtraWhitespaces && made.length === 1 && made[0] === SPACE) return;
    this.#isAtStart = false;
    const space = escapeWhitespaces ? VISIBLE_SPACE : SPACE;
    let from = 0;
    if (this.#isAfterSpace) while (made[from] === SPACE) from++;
    if (from < made.length) this.#isAfterSpace = removeExtraWhitespaces && made[made.length - 1] === SPACE;
    const visible = made.slice(from).map((codePoint) => (codePoint === SPACE ? space : codePoint));
    this.#made = wasAtStart && addDummyPrefix ? [space, ...visible] : visible;
  }
}
