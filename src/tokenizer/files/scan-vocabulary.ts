import { HASH_PRIME, HASH_SEED } from '../vocabulary/unit-map.js';
import type { PieceTable } from '../unigram/piece-table.js';
import { afterSpace, scanPieces } from './unigram/scan-pieces.js';
import { MAX_VOCAB_SIZE, Vocabulary } from '../vocabulary/vocabulary.js';

const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const CLOSING_BRACE = 0x7d;

/** Visits the lines of a text, as units[0..length), without CR and byte order mark. */
export function forEachLine(text: string, visit: (units: Uint16Array, length: number, hash: number, number: number) => void): void {
  let units = new Uint16Array(256);
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  for (let number = 0; at < text.length; number++) {
    let length = 0;
    let hash = HASH_SEED;
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    if (end - at > units.length) units = new Uint16Array(2 * (end - at));
    const last = end > at && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    for (; at < last; at++) {
      const unit = text.charCodeAt(at);
      hash = Math.imul(hash ^ unit, HASH_PRIME);
      units[length++] = unit;
    }
    at = end + 1;
    visit(units, length, hash, number);
  }
}

/** Tokens with their ids, or the pieces of a list. */
export interface ScannedTokens {
  readonly vocab?: Vocabulary;
  readonly pieces?: PieceTable;
}

/** What `scanVocabulary` has found. */
export interface ScannedVocabulary extends ScannedTokens {
  /** The rest of the file as JSON, with `placeholder`, a number, for `model.vocab`. */
  readonly rest: string;
  readonly placeholder: number;
}

/**
 * Reads the vocabulary of a tokenizer.json without building an object of 30,000 fields. Undefined for what is not plainly such a file;
 * then JSON.parse has to decide.
 */
export function scanVocabulary(text: string): ScannedVocabulary | undefined {
  const begin = /"vocab"\s*:\s*([{[])/.exec(text);
  if (begin === null) return undefined;
  const start = begin.index + begin[0].length;
  const scanned: (ScannedTokens & { readonly end: number }) | undefined =
    begin[1] === '[' ? scanPieces(text, start) : scanEntries(text, start);
  if (scanned === undefined) return undefined;
  // No file can know the number, so whoever finds it under model.vocab knows that this is what was cut out.
  const placeholder = Math.random();
  const rest = `${text.slice(0, start - 1)}${placeholder}${text.slice(scanned.end)}`;
  const { end: _, ...tokens } = scanned;
  return { ...tokens, rest, placeholder };
}

function scanEntries(text: string, start: number): { readonly vocab: Vocabulary; readonly end: number } | undefined {
  const entries = new EntryReader(text, start);
  const end = entries.read();
  if (end < 0 || (entries.hasSurrogates && /[\ud800-\udfff]/u.test(text))) return undefined;
  return { vocab: entries.vocab, end };
}

/** A longer token, or an id out of the usual, is left to JSON.parse. */
const kLongestToken = 1 << 12;

/** Reads `"token": id, …}`. */
class EntryReader {
  readonly vocab: Vocabulary;
  readonly #text: string;
  #at: number;
  hasSurrogates = false;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
    this.vocab = new Vocabulary((text.length - at) >> 4);
  }

  /** The index after the closing brace, or -1 for anything unusual, such as a token or an id that is there twice. */
  read(): number {
    const text = this.#text;
    const units = new Uint16Array(kLongestToken);
    const vocab = this.vocab;
    let at = this.#at;
    for (let count = 0; ; count++) {
      at = afterSpace(text, at);
      if (text.charCodeAt(at++) !== QUOTE) return -1;
      let length = 0;
      let hash = HASH_SEED;
      for (; at < text.length; at++) {
        let unit = text.charCodeAt(at);
        if (unit === QUOTE) break;
        if (unit === BACKSLASH) {
          unit = text.charCodeAt(++at);
          // What \u may stand for is left to JSON.parse.
          if (unit !== QUOTE && unit !== BACKSLASH) return -1;
        } else if (unit < 0x20) return -1;
        else if ((unit & 0xf800) === 0xd800) this.hasSurrogates = true;
        hash = Math.imul(hash ^ unit, HASH_PRIME);
        if (length === kLongestToken) return -1;
        units[length++] = unit;
      }
      at = afterSpace(text, at + 1);
      if (text.charCodeAt(at) !== COLON) return -1;
      at = afterSpace(text, at + 1);
      const digits = at;
      let id = 0;
      for (; at < digits + 7; at++) {
        const digit = text.charCodeAt(at);
        if (!(digit >= DIGIT_0 && digit <= DIGIT_9)) break;
        id = id * 10 + digit - DIGIT_0;
      }
      if (at === digits || (text.charCodeAt(digits) === DIGIT_0 && at > digits + 1)) return -1;
      if (id >= MAX_VOCAB_SIZE || vocab.hasId(id)) return -1;
      vocab.setUnits(units, 0, length, hash, id);
      if (vocab.size !== count + 1) return -1;
      at = afterSpace(text, at);
      const next = text.charCodeAt(at++);
      if (next !== COMMA && next !== CLOSING_BRACE) return -1;
      if (next === CLOSING_BRACE) return at;
    }
  }
}
