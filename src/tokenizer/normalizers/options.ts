import { marks, nonspacingMarks } from '../unicode/characters.js';
import { type CodePointSet } from '../unicode/code-point-set.js';

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
