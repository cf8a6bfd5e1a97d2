import { charactersOfBytes } from '../vocabulary/byte-level.js';
import { hashUnits } from '../vocabulary/unit-map.js';
import { unitsOf, type Vocabulary } from '../vocabulary/vocabulary.js';

/** What decides about the tokens that a word is first made of. */
export interface AlphabetOptions {
  readonly vocab: Vocabulary;
  /** The token of what is no other; undefined: then nothing becomes of that. */
  readonly unkId: number | undefined;
  /** Words are taken as the bytes of their UTF-8, each spelled as a character. */
  readonly isByteLevel: boolean;
  /** Begins every token of a word but the first. */
  readonly continuingSubwordPrefix: string;
  /** Ends the last token of a word. */
  readonly endOfWordSuffix: string;
  /** Neighbouring unknown characters are one unknown token. */
  readonly fuseUnk: boolean;
  /** An unknown character becomes tokens such as `<0xE2>` of its bytes, if the vocabulary has all of them. */
  readonly byteFallback: boolean;
}

/** Looks up the tokens that words are first made of. */
export class Alphabet {
  readonly options: AlphabetOptions;
  /** [2, 2, 256]: ids of bytes, or -1, by whether they are first and last of their word; only for byte-level tokens. */
  readonly #bytes: Int32Array;
  /** [256]: ids of `<0x00>` to `<0xFF>`, or -1. */
  readonly #fallback: Int32Array;
  readonly #prefix: Uint16Array;
  readonly #suffix: Uint16Array;
  readonly #spelling: Uint16Array;

  constructor(options: AlphabetOptions) {
    this.options = options;
    this.#prefix = unitsOf(options.continuingSubwordPrefix);
    this.#suffix = unitsOf(options.endOfWordSuffix);
    this.#spelling = new Uint16Array(this.#prefix.length + 2 + this.#suffix.length);
    const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
    this.#fallback = Int32Array.from({ length: 256 }, (_, byte) => options.vocab.get(`<0x${hex(byte)}>`) ?? -1);
    this.#bytes = new Int32Array(options.isByteLevel ? 4 * 256 : 0);
    for (let k = 0; k < this.#bytes.length; k++) {
      this.#bytes[k] = this.characterId(charactersOfBytes[k & 255] as number, (k & 512) !== 0, (k & 256) !== 0);
    }
  }

  /** The token of a byte, or -1. */
  byteId(byte: number, isFirst: boolean, isLast: boolean): number {
    return this.#bytes[(isFirst ? 512 : 0) + (isLast ? 256 : 0) + byte] as number;
  }

  /** The token `<0xNN>` of a byte, or -1. */
  fallbackId(byte: number): number {
    return this.#fallback[byte] as number;
  }

  /** The token of a character, or -1. */
  characterId(codePoint: number, isFirst: boolean, isLast: boolean): number {
    const spelling = this.#spelling;
    let length = 0;
    if (!isFirst) for (const unit of this.#prefix) spelling[length++] = unit;
    if (codePoint > 0xffff) {
      spelling[length++] = 0xd7c0 + (codePoint >> 10);
      spelling[length++] = 0xdc00 | (codePoint & 0x3ff);
    } else spelling[length++] = codePoint;
    if (isLast) for (const unit of this.#suffix) spelling[length++] = unit;
    return this.options.vocab.units.find(spelling, 0, length, hashUnits(spelling, 0, length));
  }
}

const FIRST_CAPACITY = 256;

/**
 * The tokens that a word is made of before any are merged, and how many bytes of it each of them is. As in the reference, what no token
 * becomes of is not counted: the tokens that follow are placed that many bytes too early.
 */
export class Symbols {
  /** [count] */
  ids = new Int32Array(FIRST_CAPACITY);
  /** [count]: bytes of the word's UTF-8; of a byte-level word, of its spelling. */
  lengths = new Int32Array(FIRST_CAPACITY);
  count = 0;
  readonly #alphabet: Alphabet;
  /** [bytes]: the unit that the character begins with which a byte is of. */
  #unitOfByte = new Int32Array(FIRST_CAPACITY);
  #numBytes = 0;
  #units!: Uint16Array;
  #length = 0;
  /** The next unit to read. */
  #at = 0;
  /** Bytes of the unknown token that has not been added yet. */
  #unkLength = 0;

  constructor(alphabet: Alphabet) {
    this.#alphabet = alphabet;
  }

  /** Starts with the word units[0..length). */
  begin(units: Uint16Array, length: number): void {
    this.#units = units;
    this.#length = length;
    this.#at = this.#numBytes = this.#unkLength = this.count = 0;
  }

  /** Reads about `maxUnits` more units of the word; true when that was the last. */
  read(maxUnits: number): boolean {
    const { isByteLevel } = this.#alphabet.options;
    const end = Math.min(this.#length, this.#at + maxUnits);
    while (this.#at < end) {
      const first = this.#units[this.#at] as number;
      const isPair = (first & 0xfc00) === 0xd800;
      const codePoint = isPair ? 0x10000 + ((first & 0x3ff) << 10) + ((this.#units[this.#at + 1] as number) & 0x3ff) : first;
      const next = this.#at + (isPair ? 2 : 1);
      if (isByteLevel) this.#addBytes(codePoint, this.#at === 0, next === this.#length);
      else this.#addCharacter(codePoint, this.#at === 0, next === this.#length);
      this.#at = next;
    }
    if (this.#at < this.#length) return false;
    this.#flushUnk();
    return true;
  }

  /** Where the character begins that the byte at `index` is of, and where it ends, in units. */
  startOf(index: number): number {
    return this.#unitOfByte[index] as number;
  }

  endOf(index: number): number {
    const unit = this.#unitOfByte[index] as number;
    return unit + (((this.#units[unit] as number) & 0xfc00) === 0xd800 ? 2 : 1);
  }

  #addBytes(codePoint: number, isFirst: boolean, isLast: boolean): void {
    const size = utf8Length(codePoint);
    for (let k = 0; k < size; k++) {
      const byte = utf8Byte(codePoint, size, k);
      const spelledLength = (charactersOfBytes[byte] as number) < 0x80 ? 1 : 2;
      this.#place(spelledLength);
      this.#addKnown(this.#alphabet.byteId(byte, isFirst && k === 0, isLast && k === size - 1), spelledLength);
    }
  }

  #addCharacter(codePoint: number, isFirst: boolean, isLast: boolean): void {
    const size = utf8Length(codePoint);
    this.#place(size);
    const id = this.#alphabet.characterId(codePoint, isFirst, isLast);
    if (id < 0 && this.#alphabet.options.byteFallback && this.#fallBack(codePoint, size)) return;
    this.#addKnown(id, size);
  }

  /** Adds a token, or an unknown one if `id` is negative. */
  #addKnown(id: number, length: number): void {
    const { unkId, fuseUnk } = this.#alphabet.options;
    if (id >= 0) {
      this.#flushUnk();
      this.#add(id, length);
    } else if (unkId !== undefined) {
      if (!fuseUnk) this.#flushUnk();
      this.#unkLength += length;
    }
  }

  /** As in the reference, an unknown token that waits for its end comes after these. */
  #fallBack(codePoint: number, size: number): boolean {
    for (let k = 0; k < size; k++) if (this.#alphabet.fallbackId(utf8Byte(codePoint, size, k)) < 0) return false;
    for (let k = 0; k < size; k++) this.#add(this.#alphabet.fallbackId(utf8Byte(codePoint, size, k)), 1);
    return true;
  }

  #flushUnk(): void {
    if (this.#unkLength > 0) this.#add(this.#alphabet.options.unkId as number, this.#unkLength);
    this.#unkLength = 0;
  }

  #add(id: number, length: number): void {
    if (this.count === this.ids.length) {
      this.ids = grown(this.ids);
      this.lengths = grown(this.lengths);
    }
    this.ids[this.count] = id;
    this.lengths[this.count++] = length;
  }

  /** So many more bytes are of the character that is being read. */
  #place(size: number): void {
    if (this.#numBytes + size > this.#unitOfByte.length) this.#unitOfByte = grown(this.#unitOfByte);
    for (let k = 0; k < size; k++) this.#unitOfByte[this.#numBytes++] = this.#at;
  }
}

function grown(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(2 * from.length);
  to.set(from);
  return to;
}

function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

const LEADING_BITS = [0, 0, 0xc0, 0xe0, 0xf0];

/** Byte `index` of the `size` that a character has in UTF-8. */
function utf8Byte(codePoint: number, size: number, index: number): number {
  if (size === 1) return codePoint;
  const bits = codePoint >> (6 * (size - 1 - index));
  return index === 0 ? (LEADING_BITS[size] as number) | bits : 0x80 | (bits & 0x3f);
}
