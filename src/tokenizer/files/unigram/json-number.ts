const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const POINT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
/** With the bit set that tells it from E. */
const LOWER_E = 0x65;

const HALF = 9;
/** The reference keeps as many digits as an unsigned integer of 64 bits holds. */
const MOST_DIGITS = 19;
const LARGEST = 18446744073709551615n;
const LARGEST_EXPONENT = 308;
const POWERS = Float64Array.from({ length: LARGEST_EXPONENT + 1 }, (_, k) => Number(`1e${k}`));

/**
 * Reads numbers of JSON as the reference's parser does: the digits as a whole number, rounded to float64, times or divided by a power of
 * ten. Where a number has more than fifteen digits that is now and then not the float64 next to it, which decides between ways to take a
 * word apart that would have equal scores.
 */
export class JsonNumberReader {
  /** Where the number that was read ends. */
  end = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The number at `from`; NaN for what is none, an infinite one for what is too large. */
  read(from: number): number {
    const text = this.#text;
    const isNegative = text.charCodeAt(from) === MINUS;
    const first = isNegative ? from + 1 : from;
    // Digits in two halves of nine; a number of more of them, or with zeros in front of them, is read again.
    let upper = 0;
    let at = first;
    for (let digit; at < first + HALF && (digit = text.charCodeAt(at) - DIGIT_0) >= 0 && digit <= 9; at++) upper = upper * 10 + digit;
    const wholeEnd = at;
    if (text.charCodeAt(at) !== POINT) return this.#readAny(first, isNegative);
    const half = first + HALF + 1;
    at++;
    for (let digit; at < half && (digit = text.charCodeAt(at) - DIGIT_0) >= 0 && digit <= 9; at++) upper = upper * 10 + digit;
    let lower = 0;
    let scale = 1;
    if (at === half) {
      for (let digit; at < half + HALF && (digit = text.charCodeAt(at) - DIGIT_0) >= 0 && digit <= 9; at++) {
        lower = lower * 10 + digit;
        scale *= 10;
      }
    }
    const isUnusual =
      wholeEnd === first || at === wholeEnd + 1 || text.charCodeAt(first) === DIGIT_0 || isPartOfNumber(text.charCodeAt(at));
    if (isUnusual) return this.#readAny(first, isNegative);
    this.end = at;
    const value = sum(upper, scale, lower) / (POWERS[at - wholeEnd - 1] as number);
    return isNegative ? -value : value;
  }

  /** A number of any form, without its sign. */
  #readAny(first: number, isNegative: boolean): number {
    const wholeEnd = this.#digitsFrom(first);
    const point = this.#text.charCodeAt(wholeEnd) === POINT ? wholeEnd : -1;
    const end = point < 0 ? wholeEnd : this.#digitsFrom(point + 1);
    const isNumber = wholeEnd > first && point !== end - 1 && (wholeEnd === first + 1 || this.#text.charCodeAt(first) !== DIGIT_0);
    if (!isNumber) return NaN;
    const value = this.#readLong(first, end, point);
    return isNegative ? -value : value;
  }

  /** A number of many digits, which end at `end`, or with an exponent behind them; `point`: where its point is, or -1. */
  #readLong(first: number, end: number, point: number): number {
    const text = this.#text;
    let exponent = point < 0 ? 0 : point + 1 - end;
    this.end = end;
    if ((text.charCodeAt(end) | 0x20) === LOWER_E) {
      const sign = text.charCodeAt(end + 1);
      const power = sign === MINUS || sign === PLUS ? end + 2 : end + 1;
      this.end = this.#digitsFrom(power);
      if (this.end === power) return NaN;
      const size = Number(text.slice(power, Math.min(this.end, power + 9)));
      exponent += sign === MINUS ? -size : size;
    }
    const digits = text.slice(first, end).replace('.', '').replace(/^0+/, '');
    if (digits === '') return 0;
    const kept = digits.length > MOST_DIGITS && BigInt(digits.slice(0, MOST_DIGITS + 1)) <= LARGEST ? MOST_DIGITS + 1 : MOST_DIGITS;
    return scaled(Number(BigInt(digits.slice(0, kept))), exponent + Math.max(0, digits.length - kept));
  }

  #digitsFrom(from: number): number {
    let at = from;
    for (let unit = this.#text.charCodeAt(at); unit >= DIGIT_0 && unit <= DIGIT_9; unit = this.#text.charCodeAt(at)) at++;
    return at;
  }
}

/** Whether a number of JSON may go on with a unit. */
function isPartOfNumber(unit: number): boolean {
  return (unit >= DIGIT_0 && unit <= DIGIT_9) || unit === POINT || (unit | 0x20) === LOWER_E;
}

/** upper * scale + lower for numbers of nine digits and powers of ten up to 1e9: both summands are exact, so that the sum is rounded once. */
function sum(upper: number, scale: number, lower: number): number {
  const high = Math.floor(upper / 0x10000);
  return high * scale * 0x10000 + ((upper - high * 0x10000) * scale + lower);
}

function scaled(whole: number, exponent: number): number {
  if (whole === 0) return 0;
  if (exponent >= 0) return exponent > LARGEST_EXPONENT ? Infinity : whole * (POWERS[exponent] as number);
  let value = whole;
  let left = -exponent;
  for (; left > LARGEST_EXPONENT && value !== 0; left -= LARGEST_EXPONENT) value /= POWERS[LARGEST_EXPONENT] as number;
  return value / (POWERS[Math.min(left, LARGEST_EXPONENT)] as number);
}
