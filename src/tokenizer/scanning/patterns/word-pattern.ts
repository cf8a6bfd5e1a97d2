import { letters, numbers, whitespace } from '../../unicode/characters.js';
import type { CodePointSet } from '../../unicode/code-point-set.js';

/** What may stand before letters, numbers or symbols in their word: nothing, a space, or one character that is no line break. */
export type WordPrefix = 'none' | 'space' | 'any';

/**
 * How a regular expression of byte-level tokenizers cuts text into words: all of them are alternatives for English contractions, letters,
 * numbers, symbols and white space, and differ in what follows.
 */
export interface WordPattern {
  /** Tells it from others. */
  readonly key: string;
  /** Whether 's, 't, 're, 've, 'm, 'll and 'd are words where no word has begun, and in which case. */
  readonly contractions: 'lower' | 'any' | 'none';
  readonly letterPrefix: WordPrefix;
  readonly numberPrefix: Exclude<WordPrefix, 'any'>;
  readonly symbolPrefix: Exclude<WordPrefix, 'any'>;
  /** A word of numbers has no more characters. */
  readonly mostNumbers: number;
  /** Whether line breaks follow symbols in their word, and end words of white space. */
  readonly takesLineBreaks: boolean;
  /** Whether white space is in no word. */
  readonly dropsSpace: boolean;
}

/** GPT-2's, RoBERTa's, ModernBERT's: what ByteLevel itself cuts by. */
export const gpt2Pattern: WordPattern = {
  key: 'GPT-2',
  contractions: 'lower',
  letterPrefix: 'space',
  numberPrefix: 'space',
  symbolPrefix: 'space',
  mostNumbers: Infinity,
  takesLineBreaks: false,
  dropsSpace: false,
};

/** cl100k's and Llama 3's. */
export const cl100kPattern: WordPattern = {
  key: 'cl100k',
  contractions: 'any',
  letterPrefix: 'any',
  numberPrefix: 'none',
  symbolPrefix: 'space',
  mostNumbers: 3,
  takesLineBreaks: true,
  dropsSpace: false,
};

/** Qwen2's: every number is a word. */
export const qwen2Pattern: WordPattern = { ...cl100kPattern, key: 'Qwen2', mostNumbers: 1 };

/** All of a text is one word. */
export const wholePattern: WordPattern = { ...gpt2Pattern, key: 'whole', contractions: 'none' };

const SPACES_AND_THE_REST = '|\\s+(?!\\S)|\\s+';
const GPT2_WORDS = `| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+${SPACES_AND_THE_REST}`;
const contractions = "'s|'t|'re|'ve|'m|'ll|'d";

/** The patterns by the regular expressions of published files. */
export const publishedPatterns: ReadonlyMap<string, WordPattern> = new Map([
  [contractions + GPT2_WORDS, gpt2Pattern],
  [`'(?:[sdmt]|ll|ve|re)${GPT2_WORDS}`, gpt2Pattern],
  ...[cl100kPattern, qwen2Pattern].flatMap((pattern): [string, WordPattern][] => {
    const digits = pattern === qwen2Pattern ? '\\p{N}' : '\\p{N}{1,3}';
    return [
      [
        `(?i:${contractions})|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+${SPACES_AND_THE_REST}`,
        pattern,
      ],
      [
        `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]${SPACES_AND_THE_REST}`,
        pattern,
      ],
    ];
  }),
]);

/** What a character is to a pattern. */
export const Class = { Letter: 0, Number: 1, Symbol: 2, Apostrophe: 3, Blank: 4, Space: 5, LineBreak: 6, Surrogate: 7 } as const;

/** Set in `classesOf` for units that begin added tokens. */
export const TRIGGER = 8;

let plainClasses: Uint8Array | undefined;

/** [65536]: the class of every UTF-16 unit, with `TRIGGER` for those of `triggers`. `isWhole`: all characters are letters. */
export function classesOf(triggers: Iterable<number>, isWhole: boolean): Uint8Array {
  const classes = isWhole ? new Uint8Array(0x10000) : (plainClasses ??= makeClasses()).slice();
  classes.fill(Class.Surrogate, 0xd800, 0xe000);
  for (const unit of triggers) classes[unit] = (classes[unit] as number) | TRIGGER;
  return classes;
}

function makeClasses(): Uint8Array {
  const classes = new Uint8Array(0x10000).fill(Class.Symbol);
  const fill = (set: CodePointSet, value: number) => set.forEachRange((start, end) => classes.fill(value, start, end));
  fill(letters, Class.Letter);
  fill(numbers, Class.Number);
  fill(whitespace, Class.Space);
  classes[0x20] = Class.Blank;
  classes[0x0a] = classes[0x0d] = Class.LineBreak;
  classes[0x27] = Class.Apostrophe;
  return classes;
}

/** The class of a character above U+FFFF: no white space is there. */
export function classOfPair(codePoint: number): number {
  return letters.has(codePoint) ? Class.Letter : numbers.has(codePoint) ? Class.Number : Class.Symbol;
}
