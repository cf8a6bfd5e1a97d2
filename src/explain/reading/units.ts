import { oneOf } from '../../options.js';
import type { ExplainedText } from './explained-text.js';

/** What of a text is explained at once. */
export type UnitKind = 'tokens' | 'words' | 'segments' | 'sentences';

/** The check of the option `units`. */
export const unitKind = oneOf(['tokens', 'words', 'segments', 'sentences']);

/** A stretch of a text and its tokens. */
export interface Unit {
  readonly text: string;
  /** In UTF-16 units of its text. */
  readonly start: number;
  readonly end: number;
  /** 0 for the first text, 1 for the second. */
  readonly sequence: number;
  /** Positions of its tokens. */
  readonly tokens: readonly number[];
}

/** Scripts that put no blanks between words. */
const kUnspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
const kLetters = /\p{L}/gu;

/** Words, or segments where most letters are of scripts without blanks. */
export function usualUnits({ text, textPair = '' }: Pick<ExplainedText, 'text' | 'textPair'>): UnitKind {
  const both = text + textPair;
  const count = (pattern: RegExp): number => both.match(pattern)?.length ?? 0;
  return 2 * count(kUnspaced) > count(kLetters) ? 'segments' : 'words';
}

/**
 * The units of a text, in its order: the tokens; the words of the tokenizer, where a punctuation mark is one; the words, or sentences, that
 * `Intl.Segmenter` finds, each with the tokens that begin in it.
 */
export function unitsOf(read: ExplainedText, kind: UnitKind): Unit[] {
  const keyOf = keysOf(read, kind);
  const groups = new Map<string, number[]>();
  read.tokens.forEach(({ special }, i) => {
    if (special) return;
    const key = keyOf(i);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return [...groups.values()].map((tokens) => unitOf(read, tokens));
}

function unitOf({ text, textPair = '', tokens }: ExplainedText, own: readonly number[]): Unit {
  const start = Math.min(...own.map((i) => tokens[i]!.start));
  const end = Math.max(...own.map((i) => tokens[i]!.end));
  const sequence = tokens[own[0]!]!.sequence ?? 0;
  return { text: (sequence === 0 ? text : textPair).slice(start, end), start, end, sequence, tokens: own };
}

function keysOf({ text, textPair = '', tokens, encoding }: ExplainedText, kind: UnitKind): (token: number) => string {
  if (kind === 'tokens') return String;
  if (kind === 'words') return (i) => `${tokens[i]!.sequence} ${encoding.wordIds[i]}`;
  const segmenter = new Intl.Segmenter(undefined, { granularity: kind === 'segments' ? 'word' : 'sentence' });
  const begins = [text, textPair].map((each) => Array.from(segmenter.segment(each), ({ index }) => index));
  return (i) => {
    const { sequence, start } = tokens[i]!;
    const own = begins[sequence ?? 0]!;
    let [low, high] = [0, own.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (own[middle]! <= start) low = middle + 1;
      else high = middle;
    }
    return `${sequence} ${low}`;
  };
}
