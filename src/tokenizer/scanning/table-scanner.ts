import type { AddedTokenFinder, FoundToken } from './added/added-token-finder.js';
import { type CharacterTable, Kind, KIND_SHIFT } from './character-table.js';
import type { HeldSpace } from './added/held-space.js';
import { endOfMarks, isBoundary, MOST_MARKS, startOfMarks } from '../normalizers/marks.js';
import { type NormalizerOptions } from '../normalizers/options.js';
import { whitespace } from '../unicode/characters.js';
import { scalarAt, unitLength } from '../unicode/scalar.js';
import { originStart } from '../normalizers/character-stream.js';
import { NormalizerChain, type NormalizerStep } from '../normalizers/steps.js';
import type { Scanner } from './scanner.js';
import type { Window } from './text-window.js';
import type { TokenBuffer } from './token-buffer.js';
import { HASH_PRIME, HASH_SEED } from '../vocabulary/unit-map.js';
import type { WordBuffer } from './word-buffer.js';
import { WordScanner } from './word-scanner.js';

/** Reading a character at a time takes this many times as long. */
const GROUPS_COST = 2;
const WORD_LIMIT = 1 << KIND_SHIFT;

/**
 * Normalizes a window's text, finds added tokens in it and cuts it into words: one pass, one table lookup and one hash step per UTF-16
 * unit; no string, array or object is made per word.
 */
export class TableScanner extends WordScanner implements Scanner {
  hasGivenUp = false;
  readonly #table: CharacterTable;
  readonly #normalizer: NormalizerOptions;
  readonly #steps: readonly NormalizerStep[];
  /** For runs of marks; made on first use. */
  #chain: NormalizerChain | undefined;
  /** Marks before this index, which follows an added token, are not looked at again. */
  #pieceStart = 0;

  /** `steps` are what the table was made for, `normalizer` what they are for single characters. `holdsSpace`: white space is held back, as tokens may take it. */
  constructor(
    table: CharacterTable,
    { normalizer, steps }: { readonly normalizer: NormalizerOptions; readonly steps: readonly NormalizerStep[] },
    finder: AddedTokenFinder,
    words: WordBuffer,
    tokens: TokenBuffer,
    holdsSpace = false,
  ) {
    super(finder, words, tokens, holdsSpace);
    this.#table = table;
    this.#normalizer = normalizer;
    this.#steps = steps;
  }

  override begin(window: Window, splitSpecialTokens: boolean): void {
    super.begin(window, splitSpecialTokens);
    this.#pieceStart = 0;
    this.hasGivenUp = false;
  }

  override shift(units: number): void {
    super.shift(units);
    this.#pieceStart -= units;
  }

  isBoundary(index: number): boolean {
    return isBoundary(this.window.text, index, this.#normalizer);
  }

  finish(): boolean {
    this.finder.finish();
    this.words.flush();
    return true;
  }

  /** Reads on to `limit`, or a character or token further; less if there are tokens enough. */
  scan(limit: number): number {
    const { entries, expansions, groups } = this.#table;
    const { text } = this.window;
    const words = this.words;
    const tokens = this.tokens;
    this.finder.enter(this.position, limit);
    if (this.held !== undefined) return this.#scanHolding(limit, this.held);
    if (groups !== undefined || words.looksAtUnits) return this.#scanGroups(limit);
    let { units, sources, length, hash } = words;
    const from = this.position;
    let i = from;
    while (i < limit && !tokens.isFull) {
      let entry = entries[text.charCodeAt(i)] as number;
      while (entry < WORD_LIMIT) {
        if (length === units.length) {
          length = words.grow(length);
          ({ units, sources } = words);
        }
        units[length] = entry;
        sources[length++] = i;
        hash = Math.imul(hash ^ entry, HASH_PRIME);
        if (++i === limit) break;
        entry = entries[text.charCodeAt(i)] as number;
      }
      if (i === limit) break;
      const kind = entry >> KIND_SHIFT;
      if (kind === Kind.Space) {
        if (length > 0) words.end(length, hash);
        length = 0;
        hash = HASH_SEED;
        i++;
      } else if (kind === Kind.Isolated) {
        if (length > 0) words.end(length, hash);
        words.isolate(entry & 0xffff, i);
        length = 0;
        hash = HASH_SEED;
        i++;
      } else if (kind === Kind.Removed) {
        i++;
      } else {
        words.length = length;
        words.hash = hash;
        i = this.#readSpecial(i, entry, expansions);
        ({ units, sources, length, hash } = words);
      }
    }
    words.length = length;
    words.hash = hash;
    this.position = i;
    return i - from;
  }

  /** `scan` where words of several groups of characters stand side by side: a character at a time. */
  #scanGroups(limit: number): number {
    const { entries, expansions } = this.#table;
    const { text } = this.window;
    const from = this.position;
    let i = from;
    while (i < limit && !this.tokens.isFull) i = this.#readAny(i, entries[text.charCodeAt(i)] as number, expansions);
    this.position = i;
    return GROUPS_COST * (i - from);
  }

  /** `scan` where added tokens take white space that is part of words otherwise: a character at a time. */
  #scanHolding(limit: number, held: HeldSpace): number {
    const { entries, expansions } = this.#table;
    const { text } = this.window;
    const from = this.position;
    let i = from;
    while (i < limit && !this.tokens.isFull) {
      const unit = text.charCodeAt(i);
      let entry = entries[unit] as number;
      if (entry >> KIND_SHIFT === Kind.Trigger) {
        const found = this.finder.find(i);
        if (found !== undefined) {
          if (found.token.lstrip) held.clear();
          else if (!this.release()) break;
          if (!this.#accept(found)) break;
          this.skipsSpace = found.token.rstrip;
          i = found.contentEnd;
          continue;
        }
        entry = this.#table.untriggered(unit);
      }
      if (whitespace.has(unit)) {
        if (!this.skipsSpace) held.push(unit, this.window, i);
        i++;
      } else {
        if (!this.release()) break;
        this.skipsSpace = false;
        i = this.#readAny(i, entry, expansions);
      }
    }
    this.releaseAt(i);
    this.position = i;
    return GROUPS_COST * (i - from);
  }

  protected readHeld(unit: number, source: number): void {
    const { entries, expansions } = this.#table;
    const entry = entries[unit] as number;
    this.#readAny(source, entry >> KIND_SHIFT === Kind.Trigger ? this.#table.untriggered(unit) : entry, expansions);
  }

  /** Reads the character at `i`, whose entry is of one of the rarer kinds; returns where the next begins. */
  #readSpecial(i: number, entry: number, expansions: readonly Int32Array[]): number {
    switch (entry >> KIND_SHIFT) {
      case Kind.Expansion:
        this.#expand(expansions[entry & 0xffff] as Int32Array, i);
        return i + 1;
      case Kind.Hangul: {
        const syllable = this.window.text.charCodeAt(i) - 0xac00;
        const trailing = syllable % 28;
        this.#appendUnit(0x1100 + Math.floor(syllable / 588), i);
        this.#appendUnit(0x1161 + Math.floor((syllable % 588) / 28), i);
        if (trailing > 0) this.#appendUnit(0x11a7 + trailing, i);
        return i + 1;
      }
      case Kind.Surrogate:
        return this.#readAstral(i, expansions);
      case Kind.Reordered:
        return this.#readReordered(i);
      default:
        return this.#readTrigger(i, expansions);
    }
  }

  /** Reads a character whose entry is of any kind. */
  #readAny(i: number, entry: number, expansions: readonly Int32Array[]): number {
    switch (entry >> KIND_SHIFT) {
      case Kind.Word:
        this.#appendUnit(entry, i);
        return i + 1;
      case Kind.Space:
        this.words.flush();
        return i + 1;
      case Kind.Isolated:
        this.words.flush();
        this.words.isolate(entry & 0xffff, i);
        return i + 1;
      case Kind.Removed:
        return i + 1;
      default:
        return this.#readSpecial(i, entry, expansions);
    }
  }

  #readAstral(i: number, expansions: readonly Int32Array[]): number {
    const codePoint = scalarAt(this.window.text, i);
    // Half a pair alone counts as U+FFFD.
    if (codePoint === 0xfffd) return this.#readAny(i, this.#table.entries[0xfffd] as number, expansions);
    const entry = this.#table.astral(codePoint);
    switch (entry >> KIND_SHIFT) {
      case Kind.Word:
        this.#enterGroup(this.#table.groupOf(codePoint));
        this.words.appendPair(codePoint, i);
        break;
      case Kind.Space:
        this.words.flush();
        break;
      case Kind.Isolated:
        this.words.flush();
        this.words.appendPair(codePoint, i);
        this.words.flush();
        break;
      case Kind.Expansion:
        this.#expand(expansions[entry & 0xffff] as Int32Array, i);
        break;
      case Kind.Reordered:
        return this.#readReordered(i);
    }
    return i + 2;
  }

  #expand(parts: Int32Array, source: number): void {
    for (let k = 0; k < parts.length; k++) {
      const part = parts[k] as number;
      if (part < WORD_LIMIT) {
        if ((part & 0xfc00) !== 0xdc00) this.#enterGroup(this.#table.groupAt(parts, k));
        this.words.append(part, source);
      } else {
        this.words.flush();
        if (part >> KIND_SHIFT === Kind.Isolated) this.words.isolate(part & 0xffff, source);
      }
    }
  }

  #readTrigger(i: number, expansions: readonly Int32Array[]): number {
    const found = this.finder.find(i);
    if (found === undefined) return this.#readAny(i, this.#table.untriggered(this.window.text.charCodeAt(i)), expansions);
    return this.#accept(found) ? found.contentEnd : i;
  }

  /** Ends the word before a token and adds the token; false if that has to wait for the word's tokens. */
  #accept(found: FoundToken): boolean {
    this.words.flush();
    if (this.words.isBusy) return false;
    this.finder.accept(found, this.tokens.add(found.token.id, this.words.takeIndex()));
    this.#pieceStart = found.contentEnd;
    return true;
  }

  /**
   * Reads a mark that canonical reordering may move past others: the whole run of marks around `i` is read in the slow, general way,
   * with the character that they follow. What the fast way made of them is taken back. A run that is too long for that is not read.
   */
  #readReordered(i: number): number {
    const { text } = this.window;
    const table = this.#table;
    const from = Math.max(this.#pieceStart, i - MOST_MARKS);
    const start = startOfMarks(text, i, from, this.#normalizer, (codePoint) => table.isWordPart(codePoint));
    const end = endOfMarks(text, i, this.#normalizer, (index) => this.#isTokenAt(index));
    if (end - start >= MOST_MARKS) {
      this.hasGivenUp = true;
      return end;
    }
    const words = this.words;
    words.dropFrom(start);
    if (words.length > 0) words.enterGroup(table.groupAt(words.units, words.length - 1), true);
    const { budget, source, stream } = (this.#chain ??= new NormalizerChain(this.#steps));
    stream.reset();
    budget.left = 2 * MOST_MARKS;
    source.position = start;
    source.allow(this.window, end, true);
    const base = this.window.startOf(0);
    for (let codePoint; (codePoint = stream.next()) >= 0;) {
      this.#enterGroup(table.groupOf(codePoint));
      const index = originStart(stream.origin) - base;
      if (unitLength(codePoint) === 2) words.appendPair(codePoint, index);
      else words.append(codePoint, index);
    }
    return end;
  }

  /** A character of one unit. */
  #appendUnit(unit: number, source: number): void {
    this.#enterGroup(this.#table.groups?.[unit]);
    this.words.append(unit, source);
  }

  /** What follows is of `group`, if there are groups. */
  #enterGroup(group: number | undefined): void {
    if (group !== undefined) this.words.enterGroup(group);
  }

  #isTokenAt(index: number): boolean {
    return this.#table.entries[this.window.text.charCodeAt(index)] === Kind.Trigger << KIND_SHIFT && this.finder.isTokenAt(index);
  }
}
