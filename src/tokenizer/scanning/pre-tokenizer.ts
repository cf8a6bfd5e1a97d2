import type { WordPattern } from './patterns/word-pattern.js';
import type { CodePointSet } from '../unicode/code-point-set.js';
import { numeric, punctuation, whitespace, wordCharacters } from '../unicode/characters.js';

/** What becomes of the matches of a split, in the words of tokenizer.json. */
export type SplitBehavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

/** What a character is to the pre-tokenizers: one of these, or the group (0, 1, …) of the characters that it makes words with. */
export const Part = {
  /** Ends a word and is in none. */
  Dropped: -1,
  /** A word of its own. */
  Alone: -2,
} as const;

/** A set of characters that are dropped, or around which text is cut. */
export type SplitRule =
  | { readonly set: CodePointSet; readonly isDropped: true }
  | {
      readonly set: CodePointSet;
      readonly isDropped: false;
      /** Whether text is cut between another character and one of the set, between two of the set, between one of it and another. */
      readonly before: boolean;
      readonly between: boolean;
      readonly after: boolean;
    };

/** One pre-tokenizer. It looks at no more than two characters that follow one another. */
export interface SplitStep {
  /** Tells it from others. */
  readonly key: string;
  readonly rules: readonly SplitRule[];
  /** Whether its characters are of any kind: marks and ideographs too, which the other pre-tokenizers leave in words. */
  readonly isCustom?: true;
}

/** Groups between which text is cut: bits of groups, as `cutsBetween` reads them. */
export interface Cuts {
  readonly before: number;
  readonly between: number;
  readonly after: number;
}

/** How text that is cut by all steps is cut further: into words of a pattern. */
export interface PatternWords {
  readonly pattern: WordPattern;
  /** Whether words are taken as the bytes of their UTF-8. */
  readonly isByteLevel: boolean;
  /** Puts a space before every text that was cut out so far and does not begin with one. */
  readonly addPrefixSpace: boolean;
}

/** The pre-tokenizer that makes spaces visible; the last of its sequence. */
export interface Metaspace {
  /** What stands for a space: a UTF-16 unit. */
  readonly replacement: number;
  /** Whether it is put before every text that was cut out so far, before the one at the very beginning, or before none. */
  readonly prepend: 'always' | 'first' | 'never';
  /** Whether text is cut before each. */
  readonly splits: boolean;
}

/** More sets than any tokenizer cuts at; each is a bit of a group. */
const MOST_GROUP_BITS = 24;

/** Whether text is cut between a character of group `left` and one of group `right` that follows it. */
export function cutsBetween({ before, between, after }: Cuts, left: number, right: number): boolean {
  return ((~left & right & before) | (left & right & between) | (left & ~right & after)) !== 0;
}

/**
 * The rules of a split whose matches are characters of `set`: each by itself, or, with `isRun`, as many as follow one another. With
 * `isInverted` it is what lies between them that is removed, isolated or merged with its neighbours.
 */
export function splitRules(set: CodePointSet, behavior: SplitBehavior, isRun = false, isInverted = false): readonly SplitRule[] {
  const cut = (before: boolean, between: boolean, after: boolean): SplitRule => ({ set, isDropped: false, before, between, after });
  switch (behavior) {
    case 'Removed':
      if (!isInverted) return [{ set, isDropped: true }];
      return [{ set: set.complement(), isDropped: true }, ...(isRun ? [] : [cut(true, true, true)])];
    case 'Isolated':
      return [cut(true, !isRun, true)];
    case 'Contiguous':
      return [cut(true, false, true)];
    case 'MergedWithPrevious':
      return [cut(isInverted, !isRun, !isInverted)];
    case 'MergedWithNext':
      return [cut(!isInverted, !isRun, isInverted)];
  }
}

const WHITESPACE_SPLIT: SplitStep = { key: 'WhitespaceSplit', rules: splitRules(whitespace, 'Removed') };

/** The pre-tokenizers without options, by their types in tokenizer.json. */
export const plainSteps: Readonly<Record<string, SplitStep>> = {
  BertPreTokenizer: { key: 'BertPreTokenizer', rules: [...WHITESPACE_SPLIT.rules, ...splitRules(punctuation, 'Isolated')] },
  Whitespace: { key: 'Whitespace', rules: [...WHITESPACE_SPLIT.rules, ...splitRules(wordCharacters, 'Contiguous')] },
  WhitespaceSplit: WHITESPACE_SPLIT,
};

/** Digits: numbers of all kinds, each by itself or in runs. */
export function digitsStep(isIndividual: boolean): SplitStep {
  const behavior = isIndividual ? 'Isolated' : 'Contiguous';
  return { key: `Digits ${behavior}`, rules: splitRules(numeric, behavior) };
}

/** Punctuation. */
export function punctuationStep(behavior: SplitBehavior): SplitStep {
  return { key: `Punctuation ${behavior}`, rules: splitRules(punctuation, behavior) };
}

/**
 * A sequence of pre-tokenizers as one rule on neighbouring characters. Each of them cuts what the one before left whole, so a character is
 * dropped if it is for any, and text is cut between two characters if any cuts it there.
 */
export class PreTokenizer {
  /** Tells pre-tokenizers apart that differ. */
  readonly key: string;
  /** Whether a word may end where its next character begins another. */
  readonly hasGroups: boolean;
  /** Where, by groups. */
  readonly cuts: Cuts;
  /** What follows all steps. */
  readonly metaspace: Metaspace | undefined;
  /** Whether a table that normalizes single characters can follow it: it drops all white space, and leaves marks in words. */
  readonly isTabular: boolean;
  /** What follows all steps. */
  readonly words: PatternWords | undefined;
  /** Whether any step cuts or drops anything. */
  readonly hasRules: boolean;
  // What is dropped comes last: it is dropped whatever else it is.
  readonly #groups: readonly CodePointSet[];
  readonly #alone: readonly CodePointSet[];
  readonly #dropped: readonly CodePointSet[];

  constructor(steps: readonly SplitStep[], words?: PatternWords, metaspace?: Metaspace) {
    const unique = [...new Map(steps.map((step) => [step.key, step])).values()];
    const rules = unique.flatMap((step) => step.rules);
    const cutting = rules.flatMap((rule) => (rule.isDropped ? [] : [rule]));
    const alone = cutting.filter(({ before, between, after }) => before && between && after);
    const grouping = cutting.filter((rule) => !alone.includes(rule));
    const bits = (side: 'before' | 'between' | 'after') => grouping.reduce((mask, rule, k) => mask | (rule[side] ? 1 << k : 0), 0);
    this.words = words;
    this.hasRules = rules.length > 0;
    this.key = JSON.stringify([...unique.map((step) => step.key), ...(words === undefined ? [] : [words])]);
    this.#groups = grouping.map(({ set }) => set);
    this.#alone = alone.map(({ set }) => set);
    this.#dropped = rules.flatMap((rule) => (rule.isDropped ? [rule.set] : []));
    this.cuts = { before: bits('before'), between: bits('between'), after: bits('after') };
    this.hasGroups = grouping.length > 0;
    this.metaspace = metaspace;
    this.isTabular =
      words === undefined && metaspace === undefined && this.#dropped.includes(whitespace) && !unique.some((step) => step.isCustom);
  }

  /** Whether it takes more sets than can be told apart. */
  get isTooLarge(): boolean {
    return this.#groups.length > MOST_GROUP_BITS;
  }

  /** What a character of normalized text is: a `Part` or a group. */
  partOf(codePoint: number): number {
    if (this.#dropped.some((set) => set.has(codePoint))) return Part.Dropped;
    if (this.#alone.some((set) => set.has(codePoint))) return Part.Alone;
    return this.#groups.reduce((group, set, k) => group | (Number(set.has(codePoint)) << k), 0);
  }

  /** [65536]: `partOf` each UTF-16 unit that is a character. */
  partsOfUnits(): Int32Array {
    const parts = new Int32Array(0x10000);
    this.#groups.forEach((set, k) =>
      set.forEachRange((start, end) => {
        for (let c = start; c < Math.min(end, 0x10000); c++) (parts[c] as number) |= 1 << k;
      }),
    );
    for (const set of this.#alone) set.forEachRange((start, end) => parts.fill(Part.Alone, start, end));
    for (const set of this.#dropped) set.forEachRange((start, end) => parts.fill(Part.Dropped, start, end));
    return parts;
  }
}

/** The pre-tokenizer of BERT. */
export const bertPreTokenizer = new PreTokenizer([plainSteps['BertPreTokenizer'] as SplitStep]);
