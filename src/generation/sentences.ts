/** A part of a text: a sentence, and the white space around it. */
export interface Part {
  readonly before: string;
  /** Empty where the part is white space alone. */
  readonly sentence: string;
  readonly after: string;
}

/**
 * The sentences of a text as Unicode's rules find them (Intl.Segmenter), or the whole text as one; joined, the parts are the text to the character.
 *
 * Errors: RangeError for a language that is no tag of BCP 47.
 */
export function partsOf(text: string, split: 'sentences' | 'none', language?: string): readonly Part[] {
  if (split === 'none') return [partOf(text)];
  const segmenter = new Intl.Segmenter(language, { granularity: 'sentence' });
  return Array.from(segmenter.segment(text), ({ segment }) => partOf(segment));
}

function partOf(text: string): Part {
  const sentence = text.trim();
  const start = sentence === '' ? text.length : text.indexOf(sentence);
  return { before: text.slice(0, start), sentence, after: text.slice(start + sentence.length) };
}
