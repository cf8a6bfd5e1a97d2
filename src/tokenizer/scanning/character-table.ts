import { accents, type NormalizerOptions } from '../normalizers/options.js';
import { bertPreTokenizer, cutsBetween, Part, type PreTokenizer } from './pre-tokenizer.js';
import { chinese, lowercase, removed, whitespace } from '../unicode/characters.js';
import { type CodePointSet } from '../unicode/code-point-set.js';
import { decompose, decompositions, reorderedMarks } from '../unicode/normal-forms.js';

/** What the scanner does with a character: the upper half of a table entry. */
export const Kind = {
  /** Part of a word, as the unit in the lower half. */
  Word: 0,
  /** Ends a word. */
  Space: 1,
  /** A word of its own, as the unit in the lower half. */
  Isolated: 2,
  /** Nothing. */
  Removed: 3,
  /** Several of the above: `expansions[lower half]`. */
  Expansion: 4,
  /** A Hangul syllable, as its two or three jamo. */
  Hangul: 5,
  /** Half of a surrogate pair: ask `astral`. */
  Surrogate: 6,
  /** Depends on the marks around it: ask `normalize`. */
  Reordered: 7,
  /** May begin an added token: ask the matcher, then `untriggered`. */
  Trigger: 8,
} as const;

/** The kind alone is `entry >> KIND_SHIFT`. Entries below 1 << KIND_SHIFT are the units of words. */
export const KIND_SHIFT = 16;

const HANGUL_FIRST = 0xac00;
const HANGUL_END = 0xd7a4;

/**
 * Normalizer and pre-tokenizer fused into one lookup per character. Every normalizer step works on single characters, but for the
 * canonical reordering of marks that are not dropped (Kind.Reordered, 95 code points), so their composition can be tabulated.
 */
export class CharacterTable {
  /** [65536]: an entry per UTF-16 unit. */
  readonly entries = new Int32Array(0x10000);
  readonly expansions: Int32Array[] = [];
  readonly preTokenizer: PreTokenizer;
  /** [65536]: the group of each UTF-16 unit that is part of words, if words of several groups stand side by side. */
  readonly groups: Int32Array | undefined;
  readonly #options: NormalizerOptions;
  readonly #astral = new Map<number, number>();
  readonly #untriggered = new Map<number, number>();

  /** `triggers` are the units that begin added tokens. */
  constructor(options: NormalizerOptions, triggers: Iterable<number> = [], preTokenizer: PreTokenizer = bertPreTokenizer) {
    this.#options = options;
    this.preTokenizer = preTokenizer;
    const parts = preTokenizer.partsOfUnits();
    this.groups = preTokenizer.hasGroups ? parts : undefined;
    this.#fill(options, parts);
    for (const codePoint of changedCodePoints(options)) {
      const entry = this.#derive(codePoint);
      if (codePoint > 0xffff) this.#astral.set(codePoint, entry);
      else this.entries[codePoint] = entry;
    }
    for (const unit of triggers) {
      this.#untriggered.set(unit, this.entries[unit] as number);
      this.entries[unit] = Kind.Trigger << KIND_SHIFT;
    }
  }

  /** The entry of a unit that began no added token after all. */
  untriggered(unit: number): number {
    return this.#untriggered.get(unit) as number;
  }

  /** The entry of a code point above U+FFFF. Of kinds Word and Isolated only as itself, the lower half being unused. */
  astral(codePoint: number): number {
    const known = this.#astral.get(codePoint);
    if (known !== undefined) return known;
    const { cleanText, handleChineseChars, stripAccents } = this.#options;
    const part = this.preTokenizer.partOf(codePoint);
    let kind: number = Kind.Word;
    if (cleanText && removed.has(codePoint)) kind = Kind.Removed;
    else if (stripAccents && accents(this.#options).has(codePoint)) kind = Kind.Removed;
    else if (part === Part.Dropped) kind = Kind.Space;
    else if (part === Part.Alone || (handleChineseChars && chinese.has(codePoint))) kind = Kind.Isolated;
    return kind << KIND_SHIFT;
  }

  /** Whether a character is nothing but part of one word. */
  isWordPart(codePoint: number): boolean {
    let entry = codePoint > 0xffff ? this.astral(codePoint) : (this.entries[codePoint] as number);
    if (entry >> KIND_SHIFT === Kind.Trigger) entry = this.untriggered(codePoint);
    const kind = entry >> KIND_SHIFT;
    if (kind === Kind.Expansion) {
      const parts = this.expansions[entry & 0xffff] as Int32Array;
      return parts.every((part, k) => part < 1 << KIND_SHIFT && (k === 0 || !this.#cutsBefore(parts, k)));
    }
    if (kind === Kind.Reordered) {
      // A note such as U+1D15E is a symbol and a mark: its marks are in another word.
      const groups = (decompose(codePoint) ?? [codePoint]).map((c) => this.preTokenizer.partOf(c));
      return this.groups === undefined || groups.every((group) => group === groups[0]);
    }
    return kind === Kind.Word || kind === Kind.Hangul;
  }

  /** The group of the character that units[index] is part of, a surrogate's partner being there too; 0 if there are no groups. */
  groupAt(units: Int32Array | Uint16Array, index: number): number {
    const { groups } = this;
    if (groups === undefined) return 0;
    const unit = units[index] as number;
    if ((unit & 0xf800) !== 0xd800) return groups[unit] as number;
    const high = (unit & 0xfc00) === 0xd800 ? index : index - 1;
    return this.preTokenizer.partOf(0x10000 + (((units[high] as number) & 0x3ff) << 10) + ((units[high + 1] as number) & 0x3ff));
  }

  /** The group of a character of words; undefined if there are no groups. */
  groupOf(codePoint: number): number | undefined {
    if (this.groups === undefined) return undefined;
    return codePoint > 0xffff ? this.preTokenizer.partOf(codePoint) : this.groups[codePoint];
  }

  /** Whether text is cut between the characters that parts[index - 1] and parts[index] are of. */
  #cutsBefore(parts: Int32Array, index: number): boolean {
    if (this.groups === undefined || ((parts[index] as number) & 0xfc00) === 0xdc00) return false;
    return cutsBetween(this.preTokenizer.cuts, this.groupAt(parts, index - 1), this.groupAt(parts, index));
  }

  /** The entries of characters that stay themselves or vanish. */
  #fill(options: NormalizerOptions, parts: Int32Array): void {
    const { cleanText, handleChineseChars, stripAccents } = options;
    const { entries } = this;
    for (let unit = 0; unit < 0x10000; unit++) {
      const part = parts[unit] as number;
      entries[unit] = part === Part.Dropped ? Kind.Space << KIND_SHIFT : part === Part.Alone ? (Kind.Isolated << KIND_SHIFT) | unit : unit;
    }
    const isolate = (set: CodePointSet) =>
      set.forEachRange((start, end) => {
        for (let c = start; c < Math.min(end, 0x10000); c++) entries[c] = (Kind.Isolated << KIND_SHIFT) | c;
      });
    const fill = (set: CodePointSet, kind: number) => set.forEachRange((start, end) => entries.fill(kind << KIND_SHIFT, start, end));
    if (handleChineseChars) isolate(chinese);
    if (stripAccents) {
      fill(accents(options), Kind.Removed);
      entries.fill(Kind.Hangul << KIND_SHIFT, HANGUL_FIRST, HANGUL_END);
    }
    if (cleanText) fill(removed, Kind.Removed);
    entries.fill(Kind.Surrogate << KIND_SHIFT, 0xd800, 0xe000);
  }

  #derive(codePoint: number): number {
    const options = this.#options;
    if (options.cleanText) {
      if (removed.has(codePoint)) return Kind.Removed << KIND_SHIFT;
      if (whitespace.has(codePoint)) return Kind.Space << KIND_SHIFT;
    }
    if (options.stripAccents && (decompose(codePoint) ?? [codePoint]).some((c) => reorderedMarks.has(c) && !accents(options).has(c)))
      return Kind.Reordered << KIND_SHIFT;
    const space = Kind.Space << KIND_SHIFT;
    const isChinese = options.handleChineseChars && chinese.has(codePoint);
    const parts: number[] = isChinese ? [space] : [];
    for (const out of normalizeCodePoint(codePoint, options)) {
      const units = out > 0xffff ? [0xd7c0 + (out >> 10), 0xdc00 | (out & 0x3ff)] : [out];
      const part = this.preTokenizer.partOf(out);
      if (part === Part.Dropped) parts.push(space);
      else if (part !== Part.Alone) parts.push(...units);
      else if (out < 0x10000) parts.push((Kind.Isolated << KIND_SHIFT) | out);
      else parts.push(space, ...units, space);
    }
    if (isChinese) parts.push(space);
    return this.#encode(parts, codePoint);
  }

  #encode(parts: readonly number[], codePoint: number): number {
    if (parts.length === 0) return Kind.Removed << KIND_SHIFT;
    const [first, second, third] = parts;
    const isUnit = (part: number | undefined): part is number => part !== undefined && part < 1 << KIND_SHIFT;
    if (codePoint < 0x10000) {
      if (parts.length === 1) return first as number;
      const space = Kind.Space << KIND_SHIFT;
      if (parts.length === 3 && first === space && third === space && isUnit(second)) return (Kind.Isolated << KIND_SHIFT) | second;
    }
    this.expansions.push(Int32Array.from(parts));
    return (Kind.Expansion << KIND_SHIFT) | (this.expansions.length - 1);
  }
}

/** What becomes of a single character that clean_text keeps. */
function normalizeCodePoint(codePoint: number, options: NormalizerOptions): number[] {
  const decomposed = options.stripAccents ? (decompose(codePoint) ?? [codePoint]).filter((c) => !accents(options).has(c)) : [codePoint];
  return options.lowercase ? decomposed.flatMap((c) => lowercase.get(c) ?? [c]) : decomposed;
}

/** The characters, Hangul aside, that become other ones or need a closer look. */
function changedCodePoints(options: NormalizerOptions): Set<number> {
  const changed = new Set<number>();
  if (options.stripAccents) for (const c of [...decompositions.keys(), ...reorderedMarks]) changed.add(c);
  if (options.lowercase) for (const c of lowercase.keys()) changed.add(c);
  return changed;
}

/** The entries of one set of options and triggers are shared by all tokenizers. */
const sharedTables = new Map<string, CharacterTable>();

/** The table for `options`, made on first use; `triggers` are the units that begin added tokens. */
export function characterTable(
  options: NormalizerOptions,
  triggers: ReadonlySet<number>,
  preTokenizer: PreTokenizer = bertPreTokenizer,
): CharacterTable {
  const { cleanText, handleChineseChars, stripAccents } = options;
  const key = [
    preTokenizer.key,
    options.dropsAllMarks === true,
    cleanText,
    handleChineseChars,
    stripAccents,
    options.lowercase,
    ...[...triggers].sort((a, b) => a - b),
  ].join();
  let table = sharedTables.get(key);
  if (table === undefined) sharedTables.set(key, (table = new CharacterTable(options, triggers, preTokenizer)));
  return table;
}
