import { HASH_PRIME, HASH_SEED, hashUnits, UnitMap } from './unit-map.js';

/** Largest id and vocabulary that are believed. The largest published WordPiece vocabulary has half a million entries. */
export const MAX_VOCAB_SIZE = 1 << 23;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const CLOSING_BRACE = 0x7d;

/** Tokens with their ids. A token is a string only once somebody asks for it: a vocabulary has 30,000 of them and more. */
export class Vocabulary {
  /** Ids by the tokens' UTF-16 units. */
  readonly units: UnitMap;
  /** [ids]: entry + 1 of `units`; 0 = none. */
  #entries: Int32Array;
  #idCount = 0;
  readonly #strings: string[] = [];

  /** `capacity`: how many tokens are expected; it grows. */
  constructor(capacity = 1 << 8) {
    this.units = new UnitMap(capacity, capacity * 8);
    this.#entries = new Int32Array(capacity);
  }

  get size(): number {
    return this.units.size;
  }

  /** One more than the largest id. */
  get idCount(): number {
    return this.#idCount;
  }

  hasId(id: number): boolean {
    return (this.#entries[id] ?? 0) !== 0;
  }

  has(token: string): boolean {
    return this.get(token) !== undefined;
  }

  /** The id of a token. */
  get(token: string): number | undefined {
    const units = unitsOf(token);
    const id = this.units.find(units, 0, units.length, hashUnits(units, 0, units.length));
    return id < 0 ? undefined : id;
  }

  /** The token of an id. */
  token(id: number): string | undefined {
    const entry = this.#entries[id] ?? 0;
    if (entry === 0) return undefined;
    return (this.#strings[id] ??= textOf(this.units.key(entry - 1)));
  }

  /** Gives a token an id, in place of the one it may have. */
  set(token: string, id: number): void {
    const units = unitsOf(token);
    this.setUnits(units, 0, units.length, hashUnits(units, 0, units.length), id);
  }

  /** The same for units[from..from + length), whose hash is `hash`. */
  setUnits(units: Uint16Array, from: number, length: number, hash: number, id: number): void {
    const before = this.units.size;
    const entry = this.units.entry(units, from, length, hash, id);
    if (this.units.size === before) {
      this.#entries[this.units.value(entry)] = 0;
      this.units.setValue(entry, id);
    }
    if (id >= this.#entries.length) {
      const grown = new Int32Array(Math.max(id + 1, this.#entries.length * 2));
      grown.set(this.#entries);
      this.#entries = grown;
    }
    this.#entries[id] = entry + 1;
    if (id >= this.#idCount) this.#idCount = id + 1;
  }

  *[Symbol.iterator](): Generator<[string, number]> {
    for (let id = 0; id < this.#idCount; id++) {
      const token = this.token(id);
      if (token !== undefined) yield [token, id];
    }
  }
}

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

/** What `scanVocabulary` has found. */
export interface ScannedVocabulary {
  readonly vocab: Vocabulary;
  /** The rest of the file as JSON, with `placeholder`, a number, for `model.vocab`. */
  readonly rest: string;
  readonly placeholder: number;
}

/**
 * Reads the vocabulary of a tokenizer.json without building an object of 30,000 fields. Undefined for what is not plainly such a file;
 * then JSON.parse has to decide.
 */
export function scanVocabulary(text: string): ScannedVocabulary | undefined {
  const begin = /"vocab"\s*:\s*\{/.exec(text);
  if (begin === null) return undefined;
  const start = begin.index + begin[0].length;
  const entries = new EntryReader(text, start);
  const end = entries.read();
  if (end < 0 || (entries.hasSurrogates && /[\ud800-\udfff]/u.test(text))) return undefined;
  // No file can know the number, so whoever finds it under model.vocab knows that this is what was cut out.
  const placeholder = Math.random();
  const rest = `${text.slice(0, start - 1)}${placeholder}${text.slice(end)}`;
  return { vocab: entries.vocab, rest, placeholder };
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

function afterSpace(text: string, at: number): number {
  for (;;) {
    const unit = text.charCodeAt(at);
    if (unit !== 0x20 && unit !== LINE_FEED && unit !== CARRIAGE_RETURN && unit !== 0x09) return at;
    at++;
  }
}

/** The UTF-16 units of a string. */
export function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let k = 0; k < text.length; k++) units[k] = text.charCodeAt(k);
  return units;
}

function textOf(units: Uint16Array): string {
  let text = '';
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}
