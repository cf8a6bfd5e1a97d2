const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const POINT = 0x2e;
const MINUS = 0x2d;
const PLUS = 0x2b;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

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
    let at = this.#digitsFrom(first);
    if (at === first || (text.charCodeAt(first) === DIGIT_0 && at > first + 1)) return NaN;
    let digits = 0;
    let exponent = 0;
    if (text.charCodeAt(at) === POINT) {
      const fraction = at + 1;
      at = this.#digitsFrom(fraction);
      if (at === fraction) return NaN;
      digits = at;
      exponent = fraction - at;
    } else digits = at;
    const unit = text.charCodeAt(at);
    if (unit === LOWER_E || unit === UPPER_E) {
      const sign = text.charCodeAt(at + 1);
      const power = sign === MINUS || sign === PLUS ? at + 2 : at + 1;
      const end = this.#digitsFrom(power);
      if (end === power) return NaN;
      const size = Number(text.slice(power, Math.min(end, power + 9)));
      exponent += sign === MINUS ? -size : size;
      at = end;
    }
    this.end = at;
    const value = this.#scale(first, digits, exponent);
    return isNegative ? -value : value;
  }

  #digitsFrom(from: number): number {
    let at = from;
    for (let unit = this.#text.charCodeAt(at); unit >= DIGIT_0 && unit <= DIGIT_9; unit = this.#text.charCodeAt(at)) at++;
    return at;
  }

  /** The digits of text[from..end), among which may be a point, times 10^exponent. */
  #scale(from: number, end: number, exponent: number): number {
    const text = this.#text;
    let start = from;
    while (start < end && (text.charCodeAt(start) === DIGIT_0 || text.charCodeAt(start) === POINT)) start++;
    if (end - start > MOST_DIGITS) return this.#scaleLong(start, end, exponent);
    // Two halves of at most ten digits each, the second of nine.
    let upper = 0;
    let lower = 0;
    let scale = 1;
    for (let k = start; k < end; k++) {
      const digit = text.charCodeAt(k) - DIGIT_0;
      if (digit < 0) continue;
      if (end - k > 9) upper = upper * 10 + digit;
      else {
        lower = lower * 10 + digit;
        scale *= 10;
      }
    }
    // Both products are exact, so that the sum is rounded once.
    const high = Math.floor(upper / 0x10000);
    return scaled(high * scale * 0x10000 + ((upper - high * 0x10000) * scale + lower), exponent);
  }

  #scaleLong(start: number, end: number, exponent: number): number {
    const text = this.#text.slice(start, end);
    const digits = text.replace('.', '');
    const kept = digits.length > MOST_DIGITS && BigInt(digits.slice(0, MOST_DIGITS + 1)) <= LARGEST ? MOST_DIGITS + 1 : MOST_DIGITS;
    return scaled(Number(BigInt(digits.slice(0, kept))), exponent + Math.max(0, digits.length - kept));
  }
}

function scaled(whole: number, exponent: number): number {
  if (whole === 0) return 0;
  if (exponent >= 0) return exponent > LARGEST_EXPONENT ? Infinity : whole * (POWERS[exponent] as number);
  let value = whole;
  let left = -exponent;
  for (; left > LARGEST_EXPONENT && value !== 0; left -= LARGEST_EXPONENT) value /= POWERS[LARGEST_EXPONENT] as number;
  return value / (POWERS[Math.min(left, LARGEST_EXPONENT)] as number);
}
