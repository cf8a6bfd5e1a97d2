import { type CodePointSet, numeric, punctuation, whitespace, wordCharacters } from './unicode.js';

/** A pre-tokenizer that looks at one character at a time: its type in tokenizer.json, and its behavior where there are several. */
export type SplitStep =
  | 'BertPreTokenizer'
  | 'Whitespace'
  | 'WhitespaceSplit'
  | 'Punctuation, Isolated'
  | 'Punctuation, Contiguous'
  | 'Punctuation, Removed'
  | 'Digits, Isolated'
  | 'Digits, Contiguous';

/** What a character is to the pre-tokenizers: one of these, or the group (0, 1, …) of the characters that it makes words with. */
export const Part = {
  /** Ends a word and is in none. */
  Dropped: -1,
  /** A word of its own. */
  Alone: -2,
} as const;

/** Characters and what they are; the characters of a run that is cut from others, its behavior Contiguous, are a group. */
interface Rule {
  readonly set: CodePointSet;
  readonly part: 'group' | 'alone' | 'dropped';
}

const RULES: Record<SplitStep, readonly Rule[]> = {
  BertPreTokenizer: [
    { set: whitespace, part: 'dropped' },
    { set: punctuation, part: 'alone' },
  ],
  Whitespace: [
    { set: whitespace, part: 'dropped' },
    { set: wordCharacters, part: 'group' },
  ],
  WhitespaceSplit: [{ set: whitespace, part: 'dropped' }],
  'Punctuation, Isolated': [{ set: punctuation, part: 'alone' }],
  'Punctuation, Contiguous': [{ set: punctuation, part: 'group' }],
  'Punctuation, Removed': [{ set: punctuation, part: 'dropped' }],
  'Digits, Isolated': [{ set: numeric, part: 'alone' }],
  'Digits, Contiguous': [{ set: numeric, part: 'group' }],
};

/**
 * A sequence of pre-tokenizers as one rule on single characters: a word is a longest run of characters of one group. Each of them cuts
 * what the one before left whole, so a character is dropped, or stands alone, if it does for any; else its group is the product of theirs.
 */
export class PreTokenizer {
  /** Tells pre-tokenizers apart that differ. */
  readonly key: string;
  /** Whether a word may end where its next character begins another. */
  readonly hasGroups: boolean;
  /** Whether it drops all white space. */
  readonly dropsSpace: boolean;
  // What is dropped comes last: it is dropped whatever else it is.
  readonly #groups: readonly CodePointSet[];
  readonly #alone: readonly CodePointSet[];
  readonly #dropped: readonly CodePointSet[];

  constructor(steps: readonly SplitStep[]) {
    const rules = [...new Set(steps)].flatMap((step) => RULES[step]);
    const sets = (part: Rule['part']) => rules.filter((rule) => rule.part === part).map(({ set }) => set);
    this.key = steps.join('+');
    this.#groups = sets('group');
    this.#alone = sets('alone');
    this.#dropped = sets('dropped');
    this.hasGroups = this.#groups.length > 0;
    this.dropsSpace = this.#dropped.includes(whitespace);
  }

  /** What a character of normalized text is: a `Part` or a group. */
  partOf(codePoint: number): number {
    if (this.#dropped.some((set) => set.has(codePoint))) return Part.Dropped;
    if (this.#alone.some((set) => set.has(codePoint))) return Part.Alone;
    return this.#groups.reduce((group, set) => 2 * group + Number(set.has(codePoint)), 0);
  }

  /** [65536]: `partOf` each UTF-16 unit that is a character. */
  partsOfUnits(): Int16Array {
    const parts = new Int16Array(0x10000);
    const bits = this.#groups.length;
    this.#groups.forEach((set, k) =>
      set.forEachRange((start, end) => {
        for (let c = start; c < Math.min(end, 0x10000); c++) (parts[c] as number) |= 1 << (bits - 1 - k);
      }),
    );
    for (const set of this.#alone) set.forEachRange((start, end) => parts.fill(Part.Alone, start, end));
    for (const set of this.#dropped) set.forEachRange((start, end) => parts.fill(Part.Dropped, start, end));
    return parts;
  }
}

/** The pre-tokenizer of BERT. */
export const bertPreTokenizer = new PreTokenizer(['BertPreTokenizer']);
