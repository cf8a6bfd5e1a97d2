import * as tables from './unicode-tables.js';

/** A set of code points as sorted ranges. */
export class CodePointSet {
  /** [start, endExclusive, start, endExclusive, …], ascending. */
  readonly bounds: Int32Array;

  constructor(encoded: string) {
    const fields = encoded.split(' ');
    this.bounds = new Int32Array(fields.length);
    let at = 0;
    fields.forEach((field, i) => {
      at += parseInt(field, 36);
      this.bounds[i] = at;
    });
  }

  has(codePoint: number): boolean {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bounds[middle] as number) <= codePoint) low = middle + 1;
      else high = middle;
    }
    return (low & 1) === 1;
  }

  /** Calls `visit` with each range. */
  forEachRange(visit: (start: number, endExclusive: number) => void): void {
    for (let i = 0; i < this.bounds.length; i += 2) visit(this.bounds[i] as number, this.bounds[i + 1] as number);
  }
}

function decodeMapping(encoded: string): ReadonlyMap<number, readonly number[]> {
  const mapping = new Map<number, number[]>();
  let codePoint = 0;
  for (const entry of encoded.split(' ')) {
    const [gap, ...targets] = entry.split(',').map((field) => parseInt(field, 36)) as [number, ...number[]];
    codePoint += gap;
    const from = codePoint;
    mapping.set(
      from,
      targets.map((target) => from + target),
    );
  }
  return mapping;
}

/** Dropped by clean_text. A line break or tab is in neither this set nor lost: it is white space. */
export const removed = new CodePointSet(tables.REMOVED);
/** White space, for the pre-tokenizer as for clean_text. */
export const whitespace = new CodePointSet(tables.WHITESPACE);
/** Tokens of their own for the pre-tokenizer: ASCII symbols and Unicode's P of the reference's Unicode version. */
export const punctuation = new CodePointSet(tables.PUNCTUATION);
/** The ideographs that handle_chinese_chars sets apart. */
export const chinese = new CodePointSet(tables.CHINESE);
/** What strip_accents drops after decomposition. */
export const nonspacingMarks = new CodePointSet(tables.NONSPACING_MARKS);
/** What the normalizer StripAccents drops after decomposition: marks of all kinds, so all that take part in reordering. */
export const marks = new CodePointSet(tables.MARKS);
/** What counts as part of a word beside a single_word added token, and for the Whitespace pre-tokenizer: `\w`. */
export const wordCharacters = new CodePointSet(tables.WORD_CHARACTERS);
/** What the Digits pre-tokenizer sets apart: digits and other numbers, "½" and "Ⅳ" among them. */
export const numeric = new CodePointSet(tables.NUMERIC);
/** Lowercase of single code points: "Σ" is "σ" wherever it stands, "İ" is two code points. */
export const lowercase = decodeMapping(tables.LOWERCASE);
/** Full canonical decompositions, without those of Hangul syllables. */
export const decompositions = decodeMapping(tables.DECOMPOSITIONS);

const combiningClasses = new Map<number, number>();
tables.COMBINING_CLASSES.split('|').forEach((encoded, i) => {
  new CodePointSet(encoded).forEachRange((start, end) => {
    for (let c = start; c < end; c++) combiningClasses.set(c, i + 1);
  });
});

/** The rank of a code point's canonical combining class among all classes; 0 for a starter. Ranks order as the classes do. */
export function combiningRank(codePoint: number): number {
  return combiningClasses.get(codePoint) ?? 0;
}

/** Marks that strip_accents keeps although they take part in canonical reordering: 95 code points. */
export const reorderedMarks: ReadonlySet<number> = new Set([...combiningClasses.keys()].filter((c) => !nonspacingMarks.has(c)));

const HANGUL_FIRST = 0xac00;
const HANGUL_END = 0xd7a4;

/** The full canonical decomposition of a code point, or undefined if it is its own. Hangul syllables by the arithmetic of Unicode 3.12. */
export function decompose(codePoint: number): readonly number[] | undefined {
  if (codePoint < HANGUL_FIRST || codePoint >= HANGUL_END) return decompositions.get(codePoint);
  const syllable = codePoint - HANGUL_FIRST;
  const leading = 0x1100 + Math.floor(syllable / 588);
  const vowel = 0x1161 + Math.floor((syllable % 588) / 28);
  const trailing = syllable % 28;
  return trailing === 0 ? [leading, vowel] : [leading, vowel, 0x11a7 + trailing];
}
