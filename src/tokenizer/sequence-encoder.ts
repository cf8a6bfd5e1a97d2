import type { AddedTokenMatcher } from './added-tokens.js';
import { type CharacterTable, Kind, KIND_SHIFT } from './character-table.js';
import { normalize, type NormalizerOptions, scalarAt, unitLength } from './normalizer.js';
import { splitWords } from './pre-tokenizer.js';
import { endOfMarks, startOfMarks } from './marks.js';
import { TokenBuffer, type TrimOffsets } from './token-buffer.js';
import { HASH_PRIME, HASH_SEED, hashUnits } from './unit-map.js';
import type { WordPiece } from './wordpiece.js';

/** What turns one text into tokens, without the template's special tokens. Shared by all encoders of a tokenizer. */
export interface Pipeline {
  readonly normalizer: NormalizerOptions;
  readonly table: CharacterTable;
  readonly wordPiece: WordPiece;
  /** Finds added tokens in the text. */
  readonly matcher: AddedTokenMatcher;
  /** Finds added tokens in normalized text. */
  readonly normalizedMatcher: AddedTokenMatcher | undefined;
  /** Leaves white space at the ends of a token out of its offsets, as RobertaProcessing does. */
  readonly trimOffsets: TrimOffsets | undefined;
}

const FIRST_CAPACITY = 256;
const WORD_LIMIT = 1 << KIND_SHIFT;

/**
 * Tokenizes one text incrementally: `begin`, then `run` until it returns true. Results lie in buffers that the next `begin` reuses.
 * One pass, one table lookup and one hash step per UTF-16 unit; no string, array or object is made per word.
 */
export class SequenceEncoder {
  /** What has been produced so far. */
  readonly tokens: TokenBuffer;
  readonly #pipeline: Pipeline;
  #text = '';
  #position = 0;
  #maxTokens = 0;
  #splitSpecialTokens = false;
  #wordCount = 0;
  // The word being read: its normalized units, where each comes from, its length so far (which may exceed what is stored).
  #word = new Uint16Array(FIRST_CAPACITY);
  #sources = new Int32Array(FIRST_CAPACITY);
  #length = 0;
  #hash = HASH_SEED;
  #pairs = 0;
  // Where the text after the last added token begins.
  #pieceStart = 0;
  // No added token may begin before #matchFrom; the last one ended, with its white space, at #matchEnd.
  #matchFrom = 0;
  #matchEnd = 0;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
    this.tokens = new TokenBuffer(pipeline.trimOffsets);
  }

  /** Starts with `text`. At most `maxTokens` tokens are produced; the rest of the text is then not read. */
  begin(text: string, maxTokens: number, withOffsets: boolean, splitSpecialTokens: boolean): void {
    this.#text = text;
    this.#maxTokens = maxTokens;
    this.#splitSpecialTokens = splitSpecialTokens;
    this.#position = this.#wordCount = 0;
    this.#matchFrom = this.#matchEnd = 0;
    this.#startWord();
    this.#pieceStart = 0;
    this.tokens.begin(text, maxTokens, withOffsets);
  }

  /** Lets go of the text, and of buffers that only a long one needs. */
  end(): void {
    this.#text = '';
    this.tokens.end();
  }

  /** Reads about `maxUnits` more units; true when the text or the limit is reached. */
  run(maxUnits: number): boolean {
    if (this.#pipeline.normalizedMatcher !== undefined) return this.#runNormalized(this.#pipeline.normalizedMatcher);
    const { entries, expansions } = this.#pipeline.table;
    const text = this.#text;
    const stop = Math.min(text.length, this.#position + maxUnits);
    const maxTokens = this.#maxTokens;
    let word = this.#word;
    let sources = this.#sources;
    let length = this.#length;
    let hash = this.#hash;
    let i = this.#position;
    while (i < stop) {
      if (this.tokens.count >= maxTokens) return true;
      let entry = entries[text.charCodeAt(i)] as number;
      while (entry < WORD_LIMIT) {
        if (length === word.length) {
          length = this.#growWord(length);
          word = this.#word;
          sources = this.#sources;
        }
        word[length] = entry;
        sources[length++] = i;
        hash = Math.imul(hash ^ entry, HASH_PRIME);
        if (++i === stop) break;
        entry = entries[text.charCodeAt(i)] as number;
      }
      if (i === stop) break;
      const kind = entry >> KIND_SHIFT;
      if (kind === Kind.Space) {
        if (length > 0) this.#endWord(length, hash);
        length = 0;
        hash = HASH_SEED;
        i++;
        continue;
      }
      if (kind === Kind.Isolated) {
        if (length > 0) this.#endWord(length, hash);
        this.#isolate(entry & 0xffff, i);
        length = 0;
        hash = HASH_SEED;
        i++;
        continue;
      }
      if (kind === Kind.Removed) {
        i++;
        continue;
      }
      this.#length = length;
      this.#hash = hash;
      i = this.#readSpecial(i, entry, expansions);
      word = this.#word;
      sources = this.#sources;
      length = this.#length;
      hash = this.#hash;
    }
    this.#length = length;
    this.#hash = hash;
    this.#position = i;
    if (i < text.length) return this.tokens.count >= maxTokens;
    if (length > 0 && this.tokens.count < maxTokens) this.#endWord(length, hash);
    this.#startWord();
    return true;
  }

  /** Reads the character at `i`, whose entry is of one of the rarer kinds; returns where the next begins. */
  #readSpecial(i: number, entry: number, expansions: readonly Int32Array[]): number {
    switch (entry >> KIND_SHIFT) {
      case Kind.Expansion:
        this.#expand(expansions[entry & 0xffff] as Int32Array, i);
        return i + 1;
      case Kind.Hangul: {
        const syllable = this.#text.charCodeAt(i) - 0xac00;
        const trailing = syllable % 28;
        this.#append(0x1100 + Math.floor(syllable / 588), i);
        this.#append(0x1161 + Math.floor((syllable % 588) / 28), i);
        if (trailing > 0) this.#append(0x11a7 + trailing, i);
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
        this.#append(entry, i);
        return i + 1;
      case Kind.Space:
        this.#flushWord();
        return i + 1;
      case Kind.Isolated:
        this.#flushWord();
        this.#isolate(entry & 0xffff, i);
        return i + 1;
      case Kind.Removed:
        return i + 1;
      default:
        return this.#readSpecial(i, entry, expansions);
    }
  }

  #readAstral(i: number, expansions: readonly Int32Array[]): number {
    const codePoint = scalarAt(this.#text, i);
    // Half a pair alone counts as U+FFFD.
    if (codePoint === 0xfffd) return this.#readAny(i, this.#pipeline.table.entries[0xfffd] as number, expansions);
    const entry = this.#pipeline.table.astral(codePoint);
    switch (entry >> KIND_SHIFT) {
      case Kind.Word:
        this.#appendPair(codePoint, i);
        break;
      case Kind.Isolated:
        this.#flushWord();
        this.#appendPair(codePoint, i);
        this.#flushWord();
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
    for (const part of parts) {
      if (part < WORD_LIMIT) {
        if ((part & 0xfc00) === 0xdc00) this.#pairs++;
        this.#append(part, source);
      } else {
        this.#flushWord();
        if (part >> KIND_SHIFT === Kind.Isolated) this.#isolate(part & 0xffff, source);
      }
    }
  }

  #readTrigger(i: number, expansions: readonly Int32Array[]): number {
    const { matcher, table } = this.#pipeline;
    const match = i < this.#matchFrom ? undefined : matcher.matchAt(this.#text, i, this.#matchEnd, this.#splitSpecialTokens);
    if (typeof match !== 'object') {
      if (match !== undefined) this.#matchFrom = match;
      return this.#readAny(i, table.untriggered(this.#text.charCodeAt(i)), expansions);
    }
    this.#flushWord();
    this.tokens.pushMatch(match, this.#wordCount++);
    this.#matchFrom = match.resume;
    this.#matchEnd = match.end;
    this.#pieceStart = match.resume;
    return match.resume;
  }

  /**
   * Reads a mark that canonical reordering may move past others: the whole run of marks around `i` is read in the slow, general way,
   * with the character that they follow. What the fast way made of them is taken back.
   */
  #readReordered(i: number): number {
    const text = this.#text;
    const { normalizer, table } = this.#pipeline;
    const start = startOfMarks(text, i, this.#pieceStart, normalizer, (codePoint) => table.isWordPart(codePoint));
    const end = endOfMarks(text, i, normalizer, (index) => this.#isMatch(index));
    let length = this.#length;
    while (length > 0 && (this.#sources[length - 1] as number) >= start) length--;
    this.#length = length;
    this.#hash = hashUnits(this.#word, 0, length);
    this.#pairs = countPairs(this.#word, 0, length);
    const normalized = normalize(text, start, end, normalizer);
    for (let k = 0; k < normalized.length; k++) {
      const unit = normalized.units[k] as number;
      if ((unit & 0xfc00) === 0xdc00) this.#pairs++;
      this.#append(unit, normalized.sources[k] as number);
    }
    return end;
  }

  #isMatch(index: number): boolean {
    const { matcher, table } = this.#pipeline;
    if (table.entries[this.#text.charCodeAt(index)] !== Kind.Trigger << KIND_SHIFT) return false;
    return matcher.matchAt(this.#text, index, this.#matchEnd, this.#splitSpecialTokens) !== undefined;
  }

  /** The general way for everything: used when added tokens have to be found in normalized text. */
  #runNormalized(normalizedMatcher: AddedTokenMatcher): boolean {
    const { matcher, normalizer } = this.#pipeline;
    const text = this.#text;
    const readPiece = (start: number, end: number): void => {
      const normalized = normalize(text, start, end, normalizer);
      const { units, sources, length } = normalized;
      const asText = unitsToString(units, length);
      let from = 0;
      const visit = (wordStart: number, wordEnd: number) => this.#readWord(units, sources, wordStart, wordEnd);
      for (const match of normalizedMatcher.matches(asText, this.#splitSpecialTokens)) {
        if (from < match.start) splitWords(normalized, from, match.start, visit);
        const last = sources[match.end - 1] as number;
        const original = { ...match, start: sources[match.start] as number, end: last + unitLength(scalarAt(text, last)) };
        this.tokens.pushMatch(original, this.#wordCount++, asText.slice(match.start, match.end));
        from = match.end;
      }
      if (from < length) splitWords(normalized, from, length, visit);
    };
    let from = 0;
    for (const match of matcher.matches(text, this.#splitSpecialTokens)) {
      if (from < match.start) readPiece(from, match.start);
      this.tokens.pushMatch(match, this.#wordCount++);
      from = match.end;
    }
    if (from < text.length) readPiece(from, text.length);
    this.#position = text.length;
    return true;
  }

  #readWord(units: Uint16Array, sources: Int32Array, from: number, to: number): void {
    if (this.tokens.count >= this.#maxTokens) return;
    while (this.#word.length < to - from) this.#growWord(this.#word.length, to - from);
    this.#word.set(units.subarray(from, to));
    this.#sources.set(sources.subarray(from, to));
    this.#pairs = countPairs(units, from, to);
    this.#endWord(to - from, hashUnits(units, from, to - from));
  }

  #append(unit: number, source: number): void {
    if (this.#length === this.#word.length) this.#length = this.#growWord(this.#length);
    this.#word[this.#length] = unit;
    this.#sources[this.#length++] = source;
    this.#hash = Math.imul(this.#hash ^ unit, HASH_PRIME);
  }

  #appendPair(codePoint: number, source: number): void {
    this.#append(0xd7c0 + (codePoint >> 10), source);
    this.#append(0xdc00 | (codePoint & 0x3ff), source);
    this.#pairs++;
  }

  /**
   * Makes room for more of the word and returns its length. A word that is certain to be [UNK] is not stored further: its last unit is
   * overwritten, so that its end stays known.
   */
  #growWord(length: number, wanted = 2 * length): number {
    if (length > 2 * this.#pipeline.wordPiece.maxInputCharsPerWord + 2 && wanted === 2 * length) {
      this.#pairs = 0;
      return length - 1;
    }
    const word = new Uint16Array(wanted);
    const sources = new Int32Array(wanted);
    word.set(this.#word);
    sources.set(this.#sources);
    this.#word = word;
    this.#sources = sources;
    return length;
  }

  #startWord(): void {
    this.#length = 0;
    this.#hash = HASH_SEED;
    this.#pairs = 0;
  }

  #flushWord(): void {
    if (this.#length > 0) this.#endWord(this.#length, this.#hash);
    this.#startWord();
  }

  /** A word of one unit, which interrupts nothing: the word before it has ended. */
  #isolate(unit: number, source: number): void {
    this.#word[0] = unit;
    this.#sources[0] = source;
    this.#endWord(1, Math.imul(HASH_SEED ^ unit, HASH_PRIME));
  }

  /** Produces the tokens of the word of `length` units in #word. */
  #endWord(length: number, hash: number): void {
    const wordPiece = this.#pipeline.wordPiece;
    const wordIndex = this.#wordCount++;
    const pairs = this.#pairs;
    this.#pairs = 0;
    if (length - pairs > wordPiece.maxInputCharsPerWord) {
      this.#push(wordPiece.unkId, wordIndex, 0, length);
      return;
    }
    const id = wordPiece.find(this.#word, length, hash);
    if (id >= 0) {
      this.#push(id, wordIndex, 0, length);
      return;
    }
    const at = wordPiece.split(this.#word, length, hash);
    const pieces = wordPiece.pieces;
    const last = at + 2 * (pieces[at] as number);
    let start = 0;
    for (let p = at + 1; p < last; p += 2) {
      const end = pieces[p + 1] as number;
      this.#push(pieces[p] as number, wordIndex, start, end);
      start = end;
    }
  }

  /** One token: units [start..end) of the word. */
  #push(id: number, wordIndex: number, start: number, end: number): void {
    this.tokens.push(id, wordIndex, this.#sources[start] as number, this.#sources[end - 1] as number);
  }
}

function countPairs(units: Uint16Array, from: number, to: number): number {
  let pairs = 0;
  for (let k = from; k < to; k++) if (((units[k] as number) & 0xfc00) === 0xdc00) pairs++;
  return pairs;
}

function unitsToString(units: Uint16Array, length: number): string {
  let text = '';
  for (let i = 0; i < length; i += 8192) text += String.fromCharCode(...units.subarray(i, Math.min(length, i + 8192)));
  return text;
}
