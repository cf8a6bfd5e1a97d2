import stringWidth from 'string-width';
import { shorten, visible } from '../../../one-line.js';
import type { AttributionBody, UnitData } from '../data.js';
import { largestOf } from '../view/numbers.js';
import type { Styles } from './styles.js';

const kBars = ['▁', '▂', '▃', '▅', '▇'];
/** Values in the list below the text. */
const kListed = 8;
const kLongestWord = 40;

/** A number with three places and its sign. */
export function signedText(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

/**
 * The units of a text in lines, under each the sign and the size of its value, then the largest as a list. What raises the score is orange, what lowers it
 * blue; both can be read without colours.
 */
export function attributionLines({ attributions }: Pick<AttributionBody, 'attributions'>, styles: Styles, width: number): string {
  const largest = largestOf(attributions.map(({ value }) => value));
  const best = attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, kListed);
  const names = best.map(({ text }) => shorten(text, 24));
  const column = Math.max(0, ...names.map((name) => stringWidth(name)));
  const list = best.map(({ value, error }, i) => {
    const share = Math.abs(value) / largest;
    const bar = '█'.repeat(Math.round(20 * share));
    const whisker = error === undefined ? '' : styles.dim(` ± ${error.toFixed(3)}`);
    const name = names[i]! + ' '.repeat(column - stringWidth(names[i]!));
    return `  ${name}  ${styles.tint(signedText(value), value, share)} ${styles.tint(bar, value, share)}${whisker}\n`;
  });
  return `${unitLines(attributions, largest, styles, width)}\n${list.join('')}`;
}

function unitLines(units: readonly UnitData[], largest: number, styles: Styles, most: number): string {
  const lines: string[] = [];
  let [words, marks, columns] = ['', '', 0];
  const flush = (): void => {
    if (columns > 0) lines.push(`${words.trimEnd()}\n${marks.trimEnd()}\n`);
    [words, marks, columns] = ['', '', 0];
  };
  let sequence = 0;
  for (const { text, value, sequence: own } of units) {
    const word = shorten(visible(text), kLongestWord);
    const share = Math.abs(value) / largest;
    const mark = share < 0.02 ? '' : (value < 0 ? '-' : '+') + kBars[Math.min(kBars.length - 1, Math.floor(share * kBars.length))]!;
    const width = Math.max(stringWidth(word), 2) + 1;
    if (own !== sequence || columns + width > most) flush();
    sequence = own;
    words += styles.tint(word, value, share) + ' '.repeat(width - stringWidth(word));
    marks += styles.tint(mark, value, share) + ' '.repeat(width - mark.length);
    columns += width;
  }
  flush();
  return lines.join('');
}
