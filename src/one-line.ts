import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Marks without end may be put on one letter: what follows so many units of a grapheme is left out. */
const kLongestGrapheme = 64;

/** Control characters, line and paragraph separators, what turns the direction of a line, and halves of surrogate pairs: what would move the cursor or is no character. */
const kControl = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A text on one line of at most `width` columns: control characters made visible, a long text cut between graphemes and ended by an
 * ellipsis. Joiners, variation selectors and the like stay.
 */
export function shorten(text: string, width: number): string {
  let line = '';
  let columns = 0;
  /** How much of the line fits beside an ellipsis. */
  let kept = 0;
  for (const { segment } of segmenter.segment(text)) {
    const grapheme = visible(segment.slice(0, kLongestGrapheme));
    const wide = stringWidth(grapheme);
    if (columns + wide > width) return `${line.slice(0, kept)}…`;
    line += grapheme;
    columns += wide;
    if (columns < width) kept = line.length;
  }
  return line;
}

/** A whole text on one line, with control characters made visible. */
export function visible(text: string): string {
  return text.replace(kControl, (c) => (c === '\n' || c === '\t' ? ' ' : '\u{fffd}'));
}
