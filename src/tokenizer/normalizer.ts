import { type CodePointSet, marks, nonspacingMarks } from './unicode.js';

/** A normalizer that works on single characters, but for the order of marks: clean, set ideographs apart, decompose and drop accents, lowercase. */
export interface NormalizerOptions {
  /** Drops control characters and U+FFFD, makes all white space U+0020. */
  readonly cleanText: boolean;
  /** Puts spaces around ideographs. */
  readonly handleChineseChars: boolean;
  /** Decomposes canonically and drops nonspacing marks. */
  readonly stripAccents: boolean;
  /** With `stripAccents`: drops spacing and enclosing marks too, as the normalizer StripAccents does. */
  readonly dropsAllMarks?: boolean;
  readonly lowercase: boolean;
}

/** The characters that are dropped as accents, once decomposed. */
export function accents(options: NormalizerOptions): CodePointSet {
  return options.dropsAllMarks === true ? marks : nonspacingMarks;
}

/** The code point at `index`; a surrogate without its partner reads as U+FFFD, as it would after a conversion to UTF-8. */
export function scalarAt(text: string, index: number): number {
  const codePoint = text.codePointAt(index) as number;
  return (codePoint & ~0x7ff) === 0xd800 ? 0xfffd : codePoint;
}

/** UTF-16 units of a character. */
export function unitLength(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}
