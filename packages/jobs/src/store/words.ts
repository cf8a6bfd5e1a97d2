const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
/** Words of a question that are looked for: more make it slow and no better. */
const kMostWords = 64;

/** The words of a text, each once, without signs: what a full-text search looks for. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const { segment, isWordLike } of segmenter.segment(text.slice(0, 1 << 14))) {
    if (isWordLike === true) words.add(segment.toLowerCase().replaceAll('"', ''));
    if (words.size === kMostWords) break;
  }
  return [...words];
}
