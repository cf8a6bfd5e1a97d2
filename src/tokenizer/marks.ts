import { type NormalizerOptions, scalarAt, unitLength } from './normalizer.js';
import { combiningRank, decompose, removed } from './unicode.js';

/** Whether a character is dropped, or begins with a mark once decomposed: then it belongs to what precedes it. */
function isMark(codePoint: number, options: NormalizerOptions): boolean {
  if (options.cleanText && removed.has(codePoint)) return true;
  return combiningRank((decompose(codePoint) ?? [codePoint])[0] as number) !== 0;
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

/** Where the marks end that follow the character at `index`: at the next other character, at `isEnd`, or with the text. */
export function endOfMarks(text: string, index: number, options: NormalizerOptions, isEnd: (index: number) => boolean): number {
  let end = index + unitLength(scalarAt(text, index));
  while (end < text.length) {
    const codePoint = scalarAt(text, end);
    if (!isMark(codePoint, options) || isEnd(end)) return end;
    end += unitLength(codePoint);
  }
  return end;
}
