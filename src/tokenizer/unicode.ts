import * as tables from './unicode-tables.js';

/** Ends all code points. */
const CODE_POINTS_END = 0x110000;

/** A set of code points as sorted ranges. */
export class CodePointSet {
  /** [start, endExclusive, start, endExclusive, …], ascending. */
  readonly bounds: Int32Array;

  /** `bounds`: ascending and apart. */
  constructor(bounds: Int32Array) {
    this.bounds = bounds;
  }

  /** What the tables hold: "gap length gap length …" in base 36. */
  static decode(encoded: string): CodePointSet {
    let at = 0;
    return new CodePointSet(Int32Array.from(encoded.split(' '), (field) => (at += parseInt(field, 36))));
  }

  /** All code points of some ranges, [start, endExclusive] in any order. */
  static ofRanges(ranges: Iterable<readonly [number, number]>): CodePointSet {
    const bounds: number[] = [];
    for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
      const last = bounds.length - 1;
      if (last > 0 && start <= (bounds[last] as number)) bounds[last] = Math.max(end, bounds[last] as number);
      else bounds.push(start, end);
    }
    return new CodePointSet(Int32Array.from(bounds));
  }

  /** The code points that any of some sets has. */
  static union(sets: readonly CodePointSet[]): CodePointSet {
    const ranges: [number, number][] = [];
    for (const set of sets) set.forEachRange((start, end) => ranges.push([start, end]));
    return CodePointSet.ofRanges(ranges);
  }

  /** All other code points. */
  complement(): CodePointSet {
    const { bounds } = this;
    const startsAtZero = bounds[0] === 0;
    const endsAtLast = bounds.at(-1) === CODE_POINTS_END;
    const inner = [...bounds.subarray(startsAtZero ? 1 : 0, endsAtLast ? -1 : undefined)];
    return new CodePointSet(Int32Array.from([...(startsAtZero ? [] : [0]), ...inner, ...(endsAtLast ? [] : [CODE_POINTS_END])]));
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
/** Lowercase of single code points: "Σ" is "σ" wherever it stands, "İ" is two code points. */
export const lowercase = decodeMapping(tables.LOWERCASE);
/** Full canonical decompositions, without those of Hangul syllables. */
export const decompositions = decodeMapping(tables.DECOMPOSITIONS);

const combiningClasses = new Map<number, number>();
tables.COMBINING_CLASSES.split('|').forEach((encoded, i) => {
  CodePointSet.decode(encoded).forEachRange((start, end) => {
    for (let c = start; c < end; c++) combiningClasses.set(c, i + 1);
  });
});

/** More than any `combiningRank`. */
export const RANKS = tables.COMBINING_CLASSES.split('|').length + 1;

/** The rank of a code point's canonical combining class among all classes; 0 for a starter. Ranks order as the classes do. */
export function combiningRank(codePoint: number): number {
  if (codePoint < 0x300) return 0;
  return combiningClasses.get(codePoint) ?? 0;
}

/** Marks that strip_accents keeps although they take part in canonical reordering: 95 code points. */
export const reorderedMarks: ReadonlySet<number> = new Set([...combiningClasses.keys()].filter((c) => !nonspacingMarks.has(c)));

const HANGUL_FIRST = 0xac00;
const HANGUL_END = 0xd7a4;
const [LEADING_FIRST, LEADING_END] = [0x1100, 0x1113];
const [VOWEL_FIRST, VOWEL_END] = [0x1161, 0x1176];
/** No trailing consonant: those follow. */
const [TRAILING_BASE, TRAILING_END] = [0x11a7, 0x11c3];

/** The full canonical decomposition of a code point, or undefined if it is its own. Hangul syllables by the arithmetic of Unicode 3.12. */
export function decompose(codePoint: number): readonly number[] | undefined {
  if (codePoint < HANGUL_FIRST || codePoint >= HANGUL_END) return decompositions.get(codePoint);
  const syllable = codePoint - HANGUL_FIRST;
  const leading = LEADING_FIRST + Math.floor(syllable / 588);
  const vowel = VOWEL_FIRST + Math.floor((syllable % 588) / 28);
  const trailing = syllable % 28;
  return trailing === 0 ? [leading, vowel] : [leading, vowel, TRAILING_BASE + trailing];
}

/** Code points with a compatibility decomposition. What it is never changes in Unicode, only which code points there are: ICU knows more. */
const compatible = CodePointSet.decode(tables.COMPATIBLE);
const compatibleDecompositions = new Map<number, readonly number[]>();

/** The full compatibility decomposition of a code point, or undefined if it is its own. */
export function decomposeCompatibly(codePoint: number): readonly number[] | undefined {
  if (codePoint < 0xa0 || !compatible.has(codePoint)) return decompose(codePoint);
  let parts = compatibleDecompositions.get(codePoint);
  if (parts === undefined) {
    parts = codePointsOf(String.fromCodePoint(codePoint).normalize('NFKD'));
    compatibleDecompositions.set(codePoint, parts);
  }
  return parts;
}

/** Characters by those that they are composed of, the first << 21 and the second; made on first use. */
let composites: Map<number, number> | undefined;

/** The character that canonically stands for two, if there is one. */
export function compose(first: number, second: number): number | undefined {
  if (second < 0x300) return undefined;
  if (second >= VOWEL_FIRST && second < VOWEL_END && first >= LEADING_FIRST && first < LEADING_END)
    return HANGUL_FIRST + (first - LEADING_FIRST) * 588 + (second - VOWEL_FIRST) * 28;
  if (second > TRAILING_BASE && second < TRAILING_END && first >= HANGUL_FIRST && first < HANGUL_END && (first - HANGUL_FIRST) % 28 === 0)
    return first + (second - TRAILING_BASE);
  composites ??= new Map(primaryComposites());
  return composites.get(first * (1 << 21) + second);
}

/** What is in `decompositions` and not excluded from composition; neither ever changes for a character. */
function* primaryComposites(): Generator<[number, number]> {
  for (const [composite, parts] of decompositions) {
    const text = String.fromCodePoint(composite);
    if (text.normalize('NFC') !== text) continue;
    const first = String.fromCodePoint(...parts.slice(0, -1))
      .normalize('NFC')
      .codePointAt(0) as number;
    yield [first * (1 << 21) + (parts.at(-1) as number), composite];
  }
}

/** The code points of a string. */
export function codePointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}
