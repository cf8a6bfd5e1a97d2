import { unexpected } from '../../expected.js';

const kTab = 0x09;
const kLineFeed = 0x0a;
const kCarriageReturn = 0x0d;
const kSpace = 0x20;
const kQuote = 0x22;
const kPlus = 0x2b;
const kComma = 0x2c;
const kMinus = 0x2d;
const kDot = 0x2e;
const kZero = 0x30;
const kNine = 0x39;
const kColon = 0x3a;
const kBackslash = 0x5c;
const kOpenBracket = 0x5b;
const kCloseBracket = 0x5d;
const kOpenBrace = 0x7b;
const kCloseBrace = 0x7d;
const kCapitalE = 0x45;
const kSmallA = 0x61;
const kSmallE = 0x65;
const kSmallF = 0x66;

/** Nesting the reference reader accepts, counting the header's own braces. */
const kMaxDepth = 127;
const kMaxU64 = (1n << 64n) - 1n;
const kMaxU64Digits = 20;
/** Decimal digits that always fit a double exactly. */
const kSafeDigits = 15;
/** Characters of a number without exponent that cannot exceed the largest double. */
const kFiniteDigits = 308;
const kEscapes = '"\\/bfnrtu';

/**
 * Reads strict JSON (RFC 8259) from UTF-8 bytes, value by value, as its caller asks. Unlike JSON.parse it shows every occurrence of a
 * repeated key, keeps integers exact to 2^64 - 1, limits nesting, and builds nothing for the values it skips.
 *
 * The bytes must be valid UTF-8. Errors: HEADER_JSON; NAME for an escaped lone surrogate in any string.
 */
export class HeaderScanner {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  fail(expected: string): never {
    const found = this.#position < this.#bytes.length ? `byte 0x${this.#peek().toString(16).padStart(2, '0')}` : 'the end of the header';
    throw unexpected('HEADER_JSON', `${expected} in the safetensors header`, `${found} at offset ${this.#position}`);
  }

  /** Calls `onKey` for each key of the object that comes next; `onKey` must consume the value. */
  object(onKey: (key: string) => void): void {
    this.#open(kOpenBrace, 'an object');
    if (this.#closes(kCloseBrace)) return;
    do {
      const key = this.string('an object key');
      this.#open(kColon, '":"');
      onKey(key);
    } while (this.#continues(kCloseBrace, '"," or "}"'));
  }

  /** Calls `onItem` for each item of the array that comes next; `onItem` must consume it. */
  array(onItem: () => void): void {
    this.#open(kOpenBracket, 'an array');
    if (this.#closes(kCloseBracket)) return;
    do onItem();
    while (this.#continues(kCloseBracket, '"," or "]"'));
  }

  string(what: string): string {
    this.#open(kQuote, what);
    const start = this.#position;
    const hasEscape = this.#scanString();
    const end = this.#position - 1;
    if (!hasEscape) return this.#bytes.toString('utf8', start, end);
    return JSON.parse(this.#bytes.toString('utf8', start - 1, end + 1)) as string;
  }

  /** An integer in 0..2^64 - 1 without sign, fraction or exponent, or null (nothing consumed) if something else comes next. */
  unsigned(): bigint | number | null {
    this.#skipSpace();
    const start = this.#position;
    const end = this.#digits(start);
    const next = this.#bytes[end];
    if (end === start || next === kDot || next === kSmallE || next === kCapitalE) return null;
    if ((end - start > 1 && this.#bytes[start] === kZero) || end - start > kMaxU64Digits) return null;
    let value: bigint | number = 0;
    if (end - start <= kSafeDigits) {
      for (let i = start; i < end; i++) value = value * 10 + this.#bytes[i]! - kZero;
    } else {
      value = BigInt(this.#bytes.toString('latin1', start, end));
      if (value > kMaxU64) return null;
    }
    this.#position = end;
    return value;
  }

  /** Consumes `null` if it comes next. */
  isNull(): boolean {
    this.#skipSpace();
    return this.#literal('null');
  }

  /** Whether the next value begins with this character; consumes white space only. */
  startsWith(character: '{' | '[' | '"'): boolean {
    this.#skipSpace();
    return this.#peek() === character.charCodeAt(0);
  }

  /** Consumes a whole value of any kind. `depth` is the number of brackets it sits in. Iterative: nesting costs no stack. */
  skip(depth: number): void {
    const closers: number[] = [];
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#position];
      if (byte === kOpenBrace || byte === kOpenBracket) {
        if (depth + closers.length + 1 > kMaxDepth) this.fail(`at most ${kMaxDepth} nested brackets`);
        this.#position++;
        const closer = byte === kOpenBrace ? kCloseBrace : kCloseBracket;
        if (!this.#closes(closer)) {
          closers.push(closer);
          if (closer === kCloseBrace) this.#skipKey();
          continue;
        }
      } else {
        this.#skipScalar();
      }
      for (;;) {
        const closer = closers.at(-1);
        if (closer === undefined) return;
        if (this.#continues(closer, closer === kCloseBrace ? '"," or "}"' : '"," or "]"')) {
          if (closer === kCloseBrace) this.#skipKey();
          break;
        }
        closers.pop();
      }
    }
  }

  /** Requires that only white space is left. */
  end(): void {
    this.#skipSpace();
    if (this.#position < this.#bytes.length) this.fail('the end of the header');
  }

  #peek(): number {
    return this.#bytes[this.#position] ?? -1;
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#position];
      if (byte !== kSpace && byte !== kLineFeed && byte !== kCarriageReturn && byte !== kTab) return;
      this.#position++;
    }
  }

  #open(byte: number, expected: string): void {
    this.#skipSpace();
    if (this.#peek() !== byte) this.fail(expected);
    this.#position++;
  }

  #closes(byte: number): boolean {
    this.#skipSpace();
    if (this.#peek() !== byte) return false;
    this.#position++;
    return true;
  }

  #continues(closer: number, expected: string): boolean {
    if (this.#closes(closer)) return false;
    this.#open(kComma, expected);
    return true;
  }

  #digits(position: number): number {
    for (;;) {
      const byte = this.#bytes[position];
      if (byte === undefined || byte < kZero || byte > kNine) return position;
      position++;
    }
  }

  #literal(word: string): boolean {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#position + i] !== word.charCodeAt(i)) return false;
    }
    this.#position += word.length;
    return true;
  }

  #skipKey(): void {
    this.#open(kQuote, 'an object key');
    this.#scanString();
    this.#open(kColon, '":"');
  }

  /** Steps from behind the opening quote to behind the closing one; tells whether there were escapes. */
  #scanString(): boolean {
    let hasEscape = false;
    for (;;) {
      const byte = this.#peek();
      if (byte < kSpace) this.fail('the rest of a string');
      this.#position++;
      if (byte === kQuote) return hasEscape;
      if (byte === kBackslash) {
        hasEscape = true;
        this.#scanEscape();
      }
    }
  }

  /** Steps over the rest of an escape; a high surrogate must be followed by a low one, which JSON.parse does not ask for. */
  #scanEscape(): void {
    const letter = String.fromCharCode(this.#peek());
    if (!kEscapes.includes(letter)) this.fail('a valid escape');
    this.#position++;
    if (letter !== 'u') return;
    const unit = this.#scanHexDigits();
    if (unit < 0xd800 || unit > 0xdfff) return;
    if (unit > 0xdbff || !this.#literal('\\u')) this.#failLoneSurrogate();
    const low = this.#scanHexDigits();
    if (low < 0xdc00 || low > 0xdfff) this.#failLoneSurrogate();
  }

  #scanHexDigits(): number {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.#peek();
      const letter = byte | 0x20;
      if (byte >= kZero && byte <= kNine) unit = unit * 16 + byte - kZero;
      else if (letter >= kSmallA && letter <= kSmallF) unit = unit * 16 + letter - kSmallA + 10;
      else this.fail('four hexadecimal digits');
      this.#position++;
    }
    return unit;
  }

  #failLoneSurrogate(): never {
    throw unexpected('NAME', 'valid Unicode for a string in the safetensors header', `a lone surrogate before offset ${this.#position}`);
  }

  #skipScalar(): void {
    const byte = this.#peek();
    if (byte === kQuote) {
      this.#position++;
      this.#scanString();
    } else if (byte === kMinus || (byte >= kZero && byte <= kNine)) this.#skipNumber();
    else if (!this.#literal('true') && !this.#literal('false') && !this.#literal('null')) this.fail('a value');
  }

  #skipNumber(): void {
    const start = this.#position;
    if (this.#peek() === kMinus) this.#position++;
    const digits = this.#position;
    this.#position = this.#digits(digits);
    if (this.#position === digits) this.fail('a digit');
    if (this.#bytes[digits] === kZero && this.#position > digits + 1) this.fail('a number without leading zeros');
    if (this.#peek() === kDot) this.#skipDigits();
    const hasExponent = this.#peek() === kSmallE || this.#peek() === kCapitalE;
    if (hasExponent) {
      const sign = this.#bytes[this.#position + 1];
      if (sign === kPlus || sign === kMinus) this.#position++;
      this.#skipDigits();
    }
    const mayOverflow = hasExponent || this.#position - start > kFiniteDigits;
    if (mayOverflow && !Number.isFinite(Number(this.#bytes.toString('latin1', start, this.#position))))
      this.fail('a number below 1.8e308 before this');
  }

  /** Steps over one byte (a dot, an exponent or its sign) and the digits that must follow it. */
  #skipDigits(): void {
    const digits = ++this.#position;
    this.#position = this.#digits(digits);
    if (this.#position === digits) this.fail('a digit');
  }
}
