import { chinese, type CodePointSet, combiningRank, decompose, lowercase, marks, nonspacingMarks, removed, whitespace } from './unicode.js';

/** What the normalizer does, in this order: clean, set ideographs apart, decompose and drop accents, lowercase. */
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

/** Normalized text with its origin: unit i of the text comes from the source character that begins at index `sources[i]`. */
export interface NormalizedText {
  /** UTF-16 units; only the first `length` are meaningful. */
  readonly units: Uint16Array;
  readonly sources: Int32Array;
  readonly length: number;
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

/**
 * The reference form of the normalizer: text[start..end) step by step, with the reference implementation's alignment. The scanner's
 * tables fuse these steps per character; this form serves whatever depends on more than one character.
 */
export function normalize(text: string, start: number, end: number, options: NormalizerOptions): NormalizedText {
  const codePoints: number[] = [];
  const sources: number[] = [];
  for (let i = start; i < end;) {
    let c = scalarAt(text, i);
    const source = i;
    i += unitLength(c);
    if (options.cleanText) {
      if (removed.has(c)) continue;
      if (whitespace.has(c)) c = 0x20;
    }
    if (options.handleChineseChars && chinese.has(c)) {
      codePoints.push(0x20, c, 0x20);
      sources.push(source, source, source);
    } else {
      codePoints.push(c);
      sources.push(source);
    }
  }
  const stripped = options.stripAccents ? stripAccents(codePoints, sources, accents(options)) : { codePoints, sources };
  return toUnits(stripped.codePoints, stripped.sources, options.lowercase);
}

/** The normalized form of a short string, such as an added token. */
export function normalizeString(text: string, options: NormalizerOptions): string {
  const { units, length } = normalize(text, 0, text.length, options);
  return String.fromCharCode(...units.subarray(0, length));
}

/**
 * Canonical decomposition with reordering, without the marks of `dropped`. The reference aligns by position: the i-th first character of
 * a decomposition, in the order after the marks were sorted, belongs to the i-th character before; later ones to the one they follow.
 */
function stripAccents(
  codePoints: readonly number[],
  sources: readonly number[],
  dropped: CodePointSet,
): { codePoints: number[]; sources: number[] } {
  // Each: rank << 22 | is first << 21 | code point.
  const decomposed: number[] = [];
  for (const c of codePoints) {
    let first = 1 << 21;
    for (const part of decompose(c) ?? [c]) {
      decomposed.push((combiningRank(part) << 22) | first | part);
      first = 0;
    }
  }
  for (let i = 0; i < decomposed.length; i++) {
    const start = i;
    while (i < decomposed.length && (decomposed[i] as number) >> 22 !== 0) i++;
    if (i - start < 2) continue;
    const marks = decomposed.slice(start, i).sort((a, b) => (a >> 22) - (b >> 22));
    marks.forEach((mark, k) => (decomposed[start + k] = mark));
  }
  const kept: { codePoints: number[]; sources: number[] } = { codePoints: [], sources: [] };
  let position = -1;
  for (const part of decomposed) {
    position += (part >> 21) & 1;
    const codePoint = part & 0x1fffff;
    if (dropped.has(codePoint)) continue;
    kept.codePoints.push(codePoint);
    kept.sources.push(sources[Math.max(0, position)] as number);
  }
  return kept;
}

function toUnits(codePoints: readonly number[], sources: readonly number[], lower: boolean): NormalizedText {
  // A code point is at most two units; the longest lowercase is two code points.
  const units = new Uint16Array(codePoints.length * 4);
  const unitSources = new Int32Array(codePoints.length * 4);
  let length = 0;
  codePoints.forEach((c, i) => {
    for (const out of (lower ? lowercase.get(c) : undefined) ?? [c]) {
      if (out > 0xffff) {
        units[length] = 0xd7c0 + (out >> 10);
        unitSources[length++] = sources[i] as number;
      }
      units[length] = out > 0xffff ? 0xdc00 | (out & 0x3ff) : out;
      unitSources[length++] = sources[i] as number;
    }
  });
  return { units, sources: unitSources, length };
}
