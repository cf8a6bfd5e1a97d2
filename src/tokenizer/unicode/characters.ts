import { CodePointSet, decodeMapping } from './code-point-set.js';
import * as tables from './unicode-tables.js';

/** Dropped by clean_text. A line break or tab is in neither this set nor lost: it is white space. */
export const removed = CodePointSet.decode(tables.REMOVED);
/** White space, for the pre-tokenizer as for clean_text. */
export const whitespace = CodePointSet.decode(tables.WHITESPACE);
/** Tokens of their own for the pre-tokenizer: ASCII symbols and Unicode's P of the reference's Unicode version. */
export const punctuation = CodePointSet.decode(tables.PUNCTUATION);
/** The ideographs that handle_chinese_chars sets apart. */
export const chinese = CodePointSet.decode(tables.CHINESE);
/** What strip_accents drops after decomposition. */
export const nonspacingMarks = CodePointSet.decode(tables.NONSPACING_MARKS);
/** What the normalizer StripAccents drops: marks of all kinds, so all that take part in reordering. */
export const marks = CodePointSet.decode(tables.MARKS);
/** What counts as part of a word beside a single_word added token, and for the Whitespace pre-tokenizer: `\w`. */
export const wordCharacters = CodePointSet.decode(tables.WORD_CHARACTERS);
/** What the Digits pre-tokenizer sets apart: digits and other numbers, "½" and "Ⅳ" among them. */
export const numeric = CodePointSet.decode(tables.NUMERIC);
/** `\d` of the reference's regular expressions: decimal digits. */
export const digits = CodePointSet.decode(tables.DIGITS);
/** `\p{L}` and `\p{N}` of the same: letters, and numbers of all kinds. */
export const letters = CodePointSet.decode(tables.LETTERS);
export const numbers = CodePointSet.decode(tables.NUMBERS);
/** Lowercase of single code points: "Σ" is "σ" wherever it stands, "İ" is two code points. */
export const lowercase = decodeMapping(tables.LOWERCASE);
