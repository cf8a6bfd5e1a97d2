import type { NormalizedText } from './normalizer.js';
import { punctuation, whitespace } from './unicode.js';

/**
 * The reference form of the pre-tokenizer: splits normalized text at white space, which is dropped, and around punctuation, each mark a
 * word of its own. Calls `visit` with the bounds of every word in units[from..to). The scanner fuses this with the normalizer.
 */
export function splitWords(text: NormalizedText, from: number, to: number, visit: (start: number, end: number) => void): void {
  let wordStart = from;
  for (let i = from; i < to;) {
    const codePoint = codePointAt(text.units, i);
    const next = i + (codePoint > 0xffff ? 2 : 1);
    const isPunctuation = punctuation.has(codePoint);
    if (isPunctuation || whitespace.has(codePoint)) {
      if (wordStart < i) visit(wordStart, i);
      if (isPunctuation) visit(i, next);
      wordStart = next;
    }
    i = next;
  }
  if (wordStart < to) visit(wordStart, to);
}

function codePointAt(units: Uint16Array, index: number): number {
  const unit = units[index] as number;
  const next = units[index + 1];
  if ((unit & 0xfc00) !== 0xd800 || next === undefined || (next & 0xfc00) !== 0xdc00) return unit;
  return ((unit & 0x3ff) << 10) + (next & 0x3ff) + 0x10000;
}
