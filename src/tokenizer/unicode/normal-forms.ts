import { nonspacingMarks } from './characters.js';
import { CodePointSet, codePointsOf, decodeMapping } from './code-point-set.js';
import * as tables from './unicode-tables.js';

/** Full canonical decompositions, without those of Hangul syllables. */
export const decompositions = decodeMapping(tables.DECOMPOSITIONS);

const combiningClasses = tables.COMBINING_CLASSES.split('|').map((encoded) => CodePointSet.decode(encoded));
/** [code points]: 0 for a starter. */
const ranks = new Uint8Array(Math.max(...combiningClasses.map(({ bounds }) => bounds.at(-1) as number)));
combiningClasses.forEach((set, i) => set.forEachRange((start, end) => ranks.fill(i + 1, start, end)));

/** More than any `combiningRank`. */
export const RANKS = combiningClasses.length + 1;

/** The rank of a code point's canonical combining class among all classes; 0 for a starter. Ranks order as the classes do. */
export function combiningRank(codePoint: number): number {
  return ranks[codePoint] ?? 0;
}

/** Marks that strip_accents keeps although they take part in canonical reordering: 95 code points. */
export const reorderedMarks: ReadonlySet<number> = new Set(
  combiningClasses.flatMap((set) => set.codePoints()).filter((c) => !nonspacingMarks.has(c)),
);

const HANGUL_FIRST = 0xac00;
const HANGUL_END = 0xd7a4;
const [LEADING_FIRST, LEADING_END] = [0x1100, 0x1113];
const [VOWEL_FIRST, VOWEL_END] = [0x1161, 0x1176];
/** No trailing consonant: those follow. */
const [TRAILING_BASE, TRAILING_END] = [0x11a7, 0x11c3];

/** The full canonical decomposition of a code point, or undefined if it is its own. Hangul syllables by the arithmetic of Unicode 3.12. */
export function decompose(codePoint: number): readonly number[] | undefined {
  if (codePoint < 0xc0) return undefined;
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

/** The second characters of those; made on first use. */
let seconds: ReadonlySet<number> | undefined;

/** Whether a character may be composed with one before it. */
export function composesWithBefore(codePoint: number): boolean {
  if (codePoint < 0x300) return false;
  if ((codePoint >= VOWEL_FIRST && codePoint < VOWEL_END) || (codePoint > TRAILING_BASE && codePoint < TRAILING_END)) return true;
  composites ??= new Map(primaryComposites());
  seconds ??= new Set([...composites.keys()].map((key) => key % (1 << 21)));
  return seconds.has(codePoint);
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
