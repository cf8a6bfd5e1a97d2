import type { Boundary } from '../schemas.js';

const sentences = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const words = new Intl.Segmenter(undefined, { granularity: 'word' });
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** UTF-16 units before the end of a window in which boundaries are looked for. */
const kSearched = 1 << 11;
/** Units after it, which tell whether something ends there. */
const kLookahead = 64;

/**
 * The best place in text(from..to] to begin a new chunk: the last heading or paragraph if it lies in the second half, else the last
 * sentence, else the last word, else, in a word that is longer than that, the last whole character. Only of the kinds in `kinds`;
 * `to` if they are none.
 */
export function bestCut(text: string, from: number, to: number, kinds: ReadonlySet<Boundary>): number {
  if (kinds.size === 0) return to;
  const searched = Math.max(from, to - kSearched);
  const middle = from + (to - from) / 2;
  const heading = kinds.has('heading') ? lastMatch(text, kHeading, searched, to) : -1;
  if (heading > middle) return heading;
  const withHeading = (cut: number): number => (kinds.has('heading') ? beforeHeading(text, from, cut) : cut);
  const paragraph = kinds.has('paragraph') ? withHeading(lastMatch(text, kParagraph, searched, to)) : -1;
  if (paragraph > middle) return paragraph;
  const sentence = kinds.has('sentence') ? withHeading(lastSegment(sentences, text, searched, to, () => true)) : -1;
  const found = Math.max(sentence, sentence > from ? -1 : paragraph, sentence > from ? -1 : heading);
  if (found > from) return found;
  if (kinds.has('word')) {
    const word = lastSegment(words, text, searched, to, (at) => isWordStart(text, at));
    if (word > from) return word;
  }
  const character = lastSegment(graphemes, text, searched, to, () => true);
  return character > from ? character : to;
}

/** Whether a word begins at `at`: behind white space, or between two words that nothing separates, as in Chinese; not at punctuation. */
export function isWordStart(text: string, at: number): boolean {
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0x20);
  if (/[\s\p{Pe}\p{Pf}\p{Po}]/u.test(next)) return false;
  return /[\s\p{Lo}\p{Pe}\p{Pf}\p{Po}]/u.test(lastCharacter(text, at)) || /\p{Lo}/u.test(next);
}

/** The beginnings of headings (# to ######) and of paragraphs (behind a blank line). */
const kHeading = /^ {0,3}#{1,6}[ \t]/gm;
const kParagraph = /\n[ \t]*\n\s*/g;

/** The last place in text(from..to] where a heading begins or a paragraph separator ends; -1 if there is none. */
function lastMatch(text: string, pattern: RegExp, from: number, to: number): number {
  const window = text.slice(from, to + kLookahead);
  let last = -1;
  for (const match of window.matchAll(pattern)) {
    const at = from + match.index + (pattern === kHeading ? 0 : match[0].length);
    if (at > from && at <= to && (pattern !== kHeading || text[at - 1] === '\n')) last = at;
  }
  return last;
}

/**
 * The start of the last segment in text(from..to] that `accept` takes; -1 if there is none. Asked for backwards from `to`, which reads the
 * few units that decide there: the cuts of a walk over all segments, at a quarter (sentences) to a hundredth (words) of its time.
 */
function lastSegment(segmenter: Intl.Segmenter, text: string, from: number, to: number, accept: (at: number) => boolean): number {
  const window = text.slice(from, to + kLookahead);
  const segments = segmenter.segment(window);
  let at = segments.containing(Math.min(to - from, window.length - 1))?.index ?? 0;
  while (at > 0 && !accept(from + at)) at = segments.containing(at - 1)!.index;
  return at > 0 ? from + at : -1;
}

/** A heading belongs to what follows it: a cut right behind one moves before it, and is none (-1) where nothing stands before it. */
function beforeHeading(text: string, from: number, cut: number): number {
  const begin = Math.max(from, cut - kSearched);
  const before = text.slice(begin, cut).trimEnd();
  const line = before.lastIndexOf('\n') + 1;
  if (!/^ {0,3}#{1,6}[ \t]/.test(before.slice(line))) return cut;
  return begin + line > from ? begin + line : -1;
}

function lastCharacter(text: string, end: number): string {
  const unit = text.charCodeAt(end - 1);
  return (unit & 0xfc00) === 0xdc00 ? text.slice(end - 2, end) : text.slice(end - 1, end);
}
