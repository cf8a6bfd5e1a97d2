import { requireString } from '../../calls/inputs.js';
import { received, unexpected, wrongOption } from '../../expected.js';
import type { Check } from '../../options.js';
import type { Encoding } from '../../tokenizer/index.js';

/** A word of a text: itself, or where it begins and ends, in UTF-16 units. */
export type WordOrSpan = string | readonly [start: number, end: number];

/**
 * What the words of a text are: `'tokenizer'`, the words of the tokenizer, where a punctuation mark is a word; `'whitespace'`, what stands
 * between blanks; a function that cuts a text, such as `segmentWords`; or the words of each text, in the order of the texts.
 */
export type WordsOption = 'tokenizer' | 'whitespace' | ((text: string) => readonly WordOrSpan[]) | readonly (readonly WordOrSpan[])[];

/** Where a word is in its text, in UTF-16 units. */
export type Span = readonly [start: number, end: number];

/** The check of `WordsOption`. */
export const wordsOption: Check<WordsOption> = (value, name) => {
  if (value === 'tokenizer' || value === 'whitespace' || typeof value === 'function' || Array.isArray(value)) return value as WordsOption;
  throw wrongOption(`"tokenizer", "whitespace", a function or a list of words for each text for ${name}`, value);
};

/** Where the words of the text at `index` are; `windows` are its encoding and what overflowed. Errors: INVALID_ARG; what the function throws. */
export function wordSpans(words: WordsOption, text: string, index: number, windows: readonly Encoding[]): Span[] {
  if (words === 'tokenizer') return tokenizerSpans(windows);
  if (words === 'whitespace') return Array.from(text.matchAll(/\S+/gu), (match) => [match.index, match.index + match[0].length]);
  const given: unknown = typeof words === 'function' ? words(text) : words[index];
  if (!Array.isArray(given))
    throw unexpected('INVALID_ARG', `a list of words for the text at index ${index} of wordVectors`, received(given));
  let at = 0;
  return (given as readonly WordOrSpan[]).map((word, i) => {
    if (Array.isArray(word)) return checkSpan(word, text.length, `word ${i} of the text at index ${index} of wordVectors`);
    const spelled = requireString(word, `word ${i} of the text at index ${index} of wordVectors`);
    const start = spelled === '' ? -1 : text.indexOf(spelled, at);
    if (start < 0) {
      const wanted = `words as the text at index ${index} spells them, in its order, for wordVectors`;
      throw unexpected('INVALID_ARG', wanted, `${JSON.stringify(spelled)} at index ${i}`);
    }
    at = start + spelled.length;
    return [start, at];
  });
}

function checkSpan(span: readonly unknown[], length: number, name: string): Span {
  const [start, end] = span as Span;
  if (span.length === 2 && Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= length)
    return [start, end];
  throw unexpected('INVALID_ARG', `a begin and an end within the ${length} units of its text for ${name}`, JSON.stringify(span));
}

function tokenizerSpans(windows: readonly Encoding[]): Span[] {
  const spans = new Map<number, [number, number]>();
  for (const { wordIds, offsets } of windows) {
    wordIds.forEach((word, i) => {
      if (word === null) return;
      const [start, end] = [offsets![2 * i]!, offsets![2 * i + 1]!];
      const span = spans.get(word);
      spans.set(word, span === undefined ? [start, end] : [Math.min(span[0], start), Math.max(span[1], end)]);
    });
  }
  return [...spans.values()].sort(([a], [b]) => a - b);
}
