import { CodePointSet } from './code-point-set.js';
import { CLUSTER_CLASSES } from './unicode-tables.js';

/** What a code point is to the rules for extended grapheme clusters (UAX 29): the values up to `Linker` are in the order of the table. */
const Class = {
  Other: 0,
  Control: 1,
  Extend: 2,
  SpacingMark: 3,
  Prepend: 4,
  Leading: 5,
  Vowel: 6,
  Trailing: 7,
  Pictographic: 8,
  Consonant: 9,
  Linker: 10,
  Joiner: 11,
  NonJoiner: 12,
  RegionalIndicator: 13,
  CarriageReturn: 14,
  LineFeed: 15,
  /** Hangul syllables without and with a trailing consonant. */
  OpenSyllable: 16,
  ClosedSyllable: 17,
  /** Before the text. */
  None: 18,
} as const;

/** Above lie ideographs, a block of formats and private characters. */
const TABLE_END = 0x20000;
const FORMATS_FIRST = 0xe0000;
const FORMATS_END = 0xe1000;

let tables: { readonly low: Uint8Array; readonly formats: Uint8Array } | undefined;

function makeTables(): { readonly low: Uint8Array; readonly formats: Uint8Array } {
  const low = new Uint8Array(TABLE_END);
  const formats = new Uint8Array(FORMATS_END - FORMATS_FIRST);
  CLUSTER_CLASSES.split('|').forEach((encoded, k) =>
    CodePointSet.decode(encoded).forEachRange((start, end) => {
      if (start < TABLE_END) low.fill(k + 1, start, end);
      else formats.fill(k + 1, start - FORMATS_FIRST, end - FORMATS_FIRST);
    }),
  );
  for (let c = 0xac00; c < 0xd7a4; c++) low[c] = (c - 0xac00) % 28 === 0 ? Class.OpenSyllable : Class.ClosedSyllable;
  low.fill(Class.RegionalIndicator, 0x1f1e6, 0x1f200);
  low[0] = Class.Control;
  low[0x0a] = Class.LineFeed;
  low[0x0d] = Class.CarriageReturn;
  low[0x200c] = Class.NonJoiner;
  low[0x200d] = Class.Joiner;
  return { low, formats };
}

function classOf(codePoint: number): number {
  const { low, formats } = (tables ??= makeTables());
  if (codePoint < TABLE_END) return low[codePoint] as number;
  return codePoint >= FORMATS_FIRST ? (formats[codePoint - FORMATS_FIRST] ?? Class.Other) : Class.Other;
}

function isControl(cls: number): boolean {
  return cls === Class.Control || cls === Class.CarriageReturn || cls === Class.LineFeed;
}

/** Whether characters begin an extended grapheme cluster of the reference's Unicode version, told one after the other. */
export class ClusterBreaks {
  #before: number = Class.None;
  /** Of a pictographic sequence: 1 once it began, 2 behind a joiner. */
  #pictograph = 0;
  /** Of an Indic conjunct: 1 once it began, 2 behind a linker. */
  #conjunct = 0;
  /** Whether a regional indicator waits for its partner. */
  #isHalfFlag = false;

  /** Starts a text. */
  reset(): void {
    this.#before = Class.None;
    this.#pictograph = this.#conjunct = 0;
    this.#isHalfFlag = false;
  }

  /** Whether the next character, `codePoint`, begins a cluster. */
  isBefore(codePoint: number): boolean {
    const cls = classOf(codePoint);
    if (cls === Class.Other && this.#before === Class.Other) return true;
    const isBreak = !this.#joins(cls);
    this.#advance(cls);
    return isBreak;
  }

  #joins(cls: number): boolean {
    const before = this.#before;
    if (before === Class.None) return false;
    if (isControl(before)) return before === Class.CarriageReturn && cls === Class.LineFeed;
    if (isControl(cls)) return false;
    if (before === Class.Prepend) return true;
    switch (cls) {
      case Class.Extend:
      case Class.SpacingMark:
      case Class.Linker:
      case Class.Joiner:
      case Class.NonJoiner:
        return true;
      case Class.Leading:
      case Class.OpenSyllable:
      case Class.ClosedSyllable:
        return before === Class.Leading;
      case Class.Vowel:
        return before === Class.Leading || before === Class.Vowel || before === Class.OpenSyllable;
      case Class.Trailing:
        return before === Class.Vowel || before === Class.Trailing || before === Class.OpenSyllable || before === Class.ClosedSyllable;
      case Class.Pictographic:
        return this.#pictograph === 2;
      case Class.Consonant:
        return this.#conjunct === 2;
      case Class.RegionalIndicator:
        return this.#isHalfFlag;
    }
    return false;
  }

  #advance(cls: number): void {
    this.#before = cls;
    const isMark = cls === Class.Extend || cls === Class.Linker || cls === Class.NonJoiner;
    if (cls === Class.Pictographic) this.#pictograph = 1;
    else if (cls === Class.Joiner) this.#pictograph = this.#pictograph === 1 ? 2 : 0;
    else if (!isMark || this.#pictograph === 2) this.#pictograph = 0;
    if (cls === Class.Consonant) this.#conjunct = 1;
    else if (cls === Class.Linker) this.#conjunct = this.#conjunct === 0 ? 0 : 2;
    else if (cls !== Class.Extend && cls !== Class.Joiner) this.#conjunct = 0;
    this.#isHalfFlag = cls === Class.RegionalIndicator && !this.#isHalfFlag;
  }
}
