import { el, type TreeElement } from '../view/tree.js';

/** A picture: its size, and what is in it. */
export interface Figure {
  readonly width: number;
  readonly height: number;
  readonly node: TreeElement;
}

/** Columns that a text takes, wide characters two, as a terminal has them; about half an em each. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += kWide.test(character) ? 2 : kNone.test(character) ? 0 : 1;
  return columns;
}

const kWide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const kNone = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Cuts a text to so many columns. */
export function cutColumns(text: string, most: number): string {
  if (columnsOf(text) <= most) return text;
  let line = '';
  let columns = 0;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns >= most) break;
    line += character;
  }
  return `${line}…`;
}

/** Pictures under each other. */
export function stacked(figures: readonly Figure[], gap: number): Figure {
  let y = 0;
  const parts = figures.map(({ height, node }) => {
    const part = el('g', { transform: `translate(0 ${y})` }, node);
    y += height + gap;
    return part;
  });
  return { width: Math.max(0, ...figures.map(({ width }) => width)), height: Math.max(0, y - gap), node: el('g', {}, parts) };
}

/** A line of text as a picture. */
export function line(text: string, width: number, classes = 'ink', size = 14): Figure {
  return { width, height: Math.round(1.4 * size), node: el('text', { x: 0, y: size, 'font-size': size, class: classes }, text) };
}
