import { unexpected, wrongOption } from '../../expected.js';
import type { Check } from '../../options.js';
import { englishStopWords } from './stop-words.js';

/** How texts become the pieces that are counted. */
export interface AnalyzerOptions {
  /** Default true. */
  readonly lowercase?: boolean | undefined;
  /** Take accents away: `unicode` by decomposition, `ascii` with all that is not ASCII. */
  readonly stripAccents?: 'ascii' | 'unicode' | undefined;
  /** `english`, scikit-learn's 318 words, or a list. */
  readonly stopWords?: 'english' | readonly string[] | undefined;
  /** What a word is; with one group, the group. Default: two or more of letters, digits and `_`, as Python's `\w`. */
  readonly tokenPattern?: RegExp | undefined;
  /** Words of a text, instead of the pattern: `segmentWords` for Chinese. */
  readonly tokenizer?: ((text: string) => readonly string[]) | undefined;
  /** Count words (default), characters, or characters within words. */
  readonly analyzer?: 'word' | 'char' | 'char_wb' | undefined;
  /** Shortest and longest run of pieces. Default [1, 1]. */
  readonly ngramRange?: readonly [number, number] | undefined;
}

/** A check for a regular expression, of whatever realm. */
export const regExp: Check<RegExp> = (value, name) => {
  if (Object.prototype.toString.call(value) !== '[object RegExp]') throw wrongOption(`a RegExp for ${name}`, value);
  return value as RegExp;
};

/** Python's `\w`: letters and numbers, not marks. */
export const kWordCharacter = '[\\p{L}\\p{N}_]';
const kDefaultPattern = new RegExp(`(?<!${kWordCharacter})${kWordCharacter}{2,}`, 'gu');
/** Python's white space. */
const kSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
const kSpaces = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{2,}/gu;

/** A function that cuts a text into what is counted. Errors: INVALID_OPTION. */
export function makeAnalyzer(options: AnalyzerOptions): (text: string) => string[] {
  const { lowercase = true, stripAccents, analyzer = 'word', ngramRange = [1, 1] } = options;
  const [least, most] = ngramRange;
  if (!Number.isInteger(least) || !Number.isInteger(most) || least < 1 || most < least) {
    throw wrongOption('two whole numbers from 1, the second not below the first, for option ngramRange', `[${least}, ${most}]`);
  }
  const prepare = (text: string): string => {
    const lower = lowercase ? text.toLowerCase() : text;
    if (stripAccents === 'unicode') return withoutAccents(lower);
    return stripAccents === 'ascii' ? asciiOf(lower) : lower;
  };
  if (analyzer === 'char') return (text) => grams([...prepare(text).replace(kSpaces, ' ')], least, most, '');
  if (analyzer === 'char_wb') return (text) => gramsInWords(prepare(text).replace(kSpaces, ' '), least, most);
  const split = options.tokenizer ?? patternSplitter(options.tokenPattern);
  const stop = options.stopWords === 'english' ? englishStopWords : new Set(options.stopWords ?? []);
  return (text) => {
    const words = split(prepare(text)).filter((word) => !stop.has(word));
    return grams(words, least, most, ' ');
  };
}

function patternSplitter(pattern = kDefaultPattern): (text: string) => string[] {
  const groups = new RegExp(`${pattern.source}|`, pattern.flags.replace('g', '')).exec('')!.length - 1;
  if (groups > 1) throw wrongOption('at most one group in option tokenPattern', String(pattern));
  const global = pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`);
  return (text) => Array.from(text.matchAll(global), (match) => match[groups] ?? '');
}

/** Runs of pieces: all of the shortest length first, as scikit-learn lists them. */
function grams(pieces: readonly string[], least: number, most: number, joint: string): string[] {
  const all: string[] = least === 1 ? [...pieces] : [];
  for (let n = Math.max(2, least); n <= Math.min(most, pieces.length); n++) {
    for (let i = 0; i + n <= pieces.length; i++) all.push(pieces.slice(i, i + n).join(joint));
  }
  return all;
}

/** Runs of characters within words that have a blank at both ends. A word that is shorter than a run counts once. */
function gramsInWords(text: string, least: number, most: number): string[] {
  const all: string[] = [];
  for (const word of text.split(kSpace).filter((each) => each !== '')) {
    const characters = [' ', ...word, ' '];
    for (let n = least; n <= most; n++) {
      all.push(characters.slice(0, n).join(''));
      for (let i = 1; i + n <= characters.length; i++) all.push(characters.slice(i, i + n).join(''));
      if (n >= characters.length) break;
    }
  }
  return all;
}

/** Characters that combine: canonical combining class above 0, which normalization may move past a tilde (class 230). */
function withoutAccents(text: string): string {
  const decomposed = text.normalize('NFKD');
  return decomposed.replace(/\p{M}/gu, (mark) => (isCombining(mark) ? '' : mark));
}

/** Whether the class is not 0: then normalization moves the mark before one of another class, or it is moved itself. */
function isCombining(mark: string): boolean {
  // U+0334 has class 1 and U+0345 class 240, the lowest and the highest.
  return (
    [`${mark}\u0334`, `\u0345${mark}`].some((pair) => `a${pair}`.normalize('NFD') !== `a${pair}`) || mark === '\u0345' || mark === '\u0334'
  );
}

function asciiOf(text: string): string {
  return text.normalize('NFKD').replace(/[^\x00-\x7f]/gu, '');
}

/**
 * The words of a text by Intl.Segmenter, without punctuation: for languages that write none of the blanks between words.
 *
 * Errors: INVALID_OPTION for a locale that is none.
 *
 * @example
 * segmentWords('我喜欢喝茶', { locale: 'zh' }); // ['我', '喜欢', '喝', '茶']
 */
export function segmentWords(text: string, { locale = 'zh' }: { readonly locale?: string | undefined } = {}): string[] {
  let segmenter = segmenters.get(locale);
  if (segmenter === undefined) {
    try {
      segmenter = new Intl.Segmenter(locale, { granularity: 'word' });
    } catch (error) {
      throw unexpected('INVALID_OPTION', 'a BCP 47 language tag for segmentWords option locale', JSON.stringify(locale), { cause: error });
    }
    segmenters.set(locale, segmenter);
  }
  return Array.from(segmenter.segment(text)).flatMap(({ segment, isWordLike }) => (isWordLike === true ? [segment] : []));
}

const segmenters = new Map<string, Intl.Segmenter>();
