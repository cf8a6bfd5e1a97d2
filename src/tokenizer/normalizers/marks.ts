import { type NormalizerOptions } from './options.js';
import { scalarAt, unitLength } from '../unicode/scalar.js';
import { removed } from '../unicode/characters.js';
import { combiningRank, decompose } from '../unicode/normal-forms.js';

/** A text with a run of more units of marks, whose order matters, is read the general way: a run of this length takes a millisecond or two. */
export const MOST_MARKS = 1 << 12;

/** Whether a character is dropped, or begins with a mark once decomposed: then it belongs to what precedes it. */
function isMark(codePoint: number, options: NormalizerOptions): boolean {
  if (options.cleanText && removed.has(codePoint)) return true;
  return combiningRank((decompose(codePoint) ?? [codePoint])[0] as number) !== 0;
}

/** Whether the unit at `index` is no beginning of a character. */
export function isLowSurrogate(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}

/** Whether a character begins at `index` that can be normalized without what precedes it. */
export function isBoundary(text: string, index: number, options: NormalizerOptions): boolean {
  const unit = text.charCodeAt(index);
  if (unit >= 0x20 && unit < 0x7f) return true;
  if (isLowSurrogate(text, index)) return false;
  return !options.stripAccents || !isMark(scalarAt(text, index), options);
}

/** Where the character begins, not before `from`, that the marks at `index` follow; where they begin if it is not `isWordPart`. */
export function startOfMarks(
  text: string,
  index: number,
  from: number,
  options: NormalizerOptions,
  isWordPart: (codePoint: number) => boolean,
): number {
  let start = index;
  // A note such as U+1D15E begins something itself, though marks follow in its decomposition.
  if (!isMark(scalarAt(text, index), options)) return start;
  while (start > from) {
    let previous = start - 1;
    const isLow = (text.charCodeAt(previous) & 0xfc00) === 0xdc00;
    if (isLow && previous > from && (text.charCodeAt(previous - 1) & 0xfc00) === 0xd800) previous--;
    const codePoint = scalarAt(text, previous);
    if (!isMark(codePoint, options)) return isWordPart(codePoint) ? previous : start;
    start = previous;
  }
  return start;
}

/** Where the marks end that follow the character at `index`: at the next other character, at `isEnd`, with the text, or after MOST_MARKS. */
export function endOfMarks(text: string, index: number, options: NormalizerOptions, isEnd: (index: number) => boolean): number {
  let end = index + unitLength(scalarAt(text, index));
  while (end < text.length && end - index < MOST_MARKS) {
    const codePoint = scalarAt(text, end);
    if (!isMark(codePoint, options) || isEnd(end)) return end;
    end += unitLength(codePoint);
  }
  return end;
}
