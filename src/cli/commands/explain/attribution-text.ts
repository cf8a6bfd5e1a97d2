import stringWidth from 'string-width';
import type { Attribution, UnitValue } from '../../../explain/index.js';
import { colors } from '../../terminal/colors.js';
import { shorten, terminalWidth, visible } from '../../terminal/width.js';

const kBars = ['▁', '▂', '▃', '▅', '▇'];
/** Values in the list below the text. */
const kListed = 8;

/** A number with three places and its sign. */
export function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

/**
 * The units of a text in lines, under each the sign and the size of its value, then the largest as a list. What raises the score is yellow, what lowers it
 * blue; both can be read without colours.
 */
export function attributionText(attribution: Attribution, title: string): string {
  const { attributions, score, baselineScore, baseline, method, steps, delta, warnings } = attribution;
  const largest = Math.max(1e-12, ...attributions.map(({ value }) => Math.abs(value)));
  const facts = [
    `score ${score.toFixed(3)}, ${baselineScore.toFixed(3)} against the baseline ${baseline}`,
    `${method}${steps > 1 ? `, ${steps} ${method === 'shapley' ? 'pairs of orders' : 'steps'}` : ''}`,
    ...(Number.isNaN(delta) ? [] : [`left open ${signed(delta)}`]),
  ];
  const best = attributions.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, kListed);
  const width = Math.max(0, ...best.map(({ text }) => stringWidth(shorten(text, 24))));
  const list = best.map(({ text, value, error }) => {
    const word = shorten(text, 24);
    const bar = '█'.repeat(Math.round((20 * Math.abs(value)) / largest));
    const whisker = error === undefined ? '' : colors.dim(` ± ${error.toFixed(3)}`);
    return `  ${word}${' '.repeat(width - stringWidth(word))}  ${tint(signed(value), value)} ${tint(bar, value)}${whisker}\n`;
  });
  return [
    `${colors.bold(title)}\n${colors.dim(facts.join('; '))}\n\n`,
    unitLines(attributions, largest),
    '\n',
    ...list,
    ...warnings.map((warning) => `${colors.yellow('!')} ${warning}\n`),
  ].join('');
}

function tint(text: string, value: number): string {
  return value < 0 ? colors.blue(text) : colors.yellow(text);
}

function unitLines(units: readonly UnitValue[], largest: number): string {
  const lines: string[] = [];
  let [words, marks, columns] = ['', '', 0];
  const flush = (): void => {
    if (columns > 0) lines.push(`${words.trimEnd()}\n${marks.trimEnd()}\n`);
    [words, marks, columns] = ['', '', 0];
  };
  let sequence = 0;
  for (const { text, value, sequence: own } of units) {
    const word = shorten(visible(text), 40);
    const size = Math.abs(value) / largest;
    const mark = size < 0.02 ? '' : (value < 0 ? '-' : '+') + kBars[Math.min(kBars.length - 1, Math.floor(size * kBars.length))]!;
    const width = Math.max(stringWidth(word), 2) + 1;
    if (own !== sequence || columns + width > terminalWidth()) flush();
    sequence = own;
    words += tint(word, value) + ' '.repeat(width - stringWidth(word));
    marks += tint(mark, value) + ' '.repeat(width - mark.length);
    columns += width;
  }
  flush();
  return lines.join('');
}
