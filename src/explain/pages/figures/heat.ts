import { largestOf } from '../view/numbers.js';
import { el, isolated } from '../view/tree.js';
import { columnsOf, cutColumns, type Figure } from './figure.js';

/** A table of coloured cells: what is above 0 orange, what is below blue, as strong as its part of the largest. */
export interface Heat {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [rows, columns]. */
  readonly values: ArrayLike<number>;
  /** What is written in a cell; nothing by default. */
  readonly write?: (value: number) => string;
}

const kLabel = 14;

/** The table as a picture, its column names turned. */
export function heatFigure({ rows, columns, values, write }: Heat): Figure {
  const cell = write === undefined ? (columns.length > 60 ? 10 : 20) : 48;
  const names = rows.map((name) => cutColumns(name, kLabel));
  const tops = columns.map((name) => cutColumns(name, kLabel));
  const left = 8 * Math.max(1, ...names.map(columnsOf)) + 10;
  const top = 8 * Math.max(1, ...tops.map(columnsOf)) + 10;
  const largest = largestOf(Array.from(values));
  const size = Math.min(13, cell - 1);
  const cells = Array.from(values, (value, i) => {
    const share = Math.abs(value) / largest;
    if (share < 0.02 && write === undefined) return undefined;
    const [x, y] = [left + (i % columns.length) * cell, top + Math.floor(i / columns.length) * cell];
    const place = { x: x + cell / 2, y: y + cell / 2 + 4, 'text-anchor': 'middle' };
    return [
      el('rect', {
        class: value < 0 ? 'minus' : 'plus',
        x,
        y,
        width: cell - 1,
        height: cell - 1,
        'fill-opacity': Number(share.toFixed(3)),
      }),
      write !== undefined && el('text', { class: 'ink small', ...place }, write(value)),
    ];
  });
  const rowLabels = names.map((name, i) =>
    el(
      'text',
      { class: 'ink', x: left - 6, y: top + i * cell + cell / 2 + size / 3, 'text-anchor': 'end', 'font-size': size },
      isolated(name),
    ),
  );
  const columnLabels = tops.map((name, j) => {
    const [x, y] = [left + j * cell + cell / 2 + size / 3, top - 6];
    return el('text', { class: 'ink', x, y, transform: `rotate(-90 ${x} ${y})`, 'font-size': size }, isolated(name));
  });
  const width = left + columns.length * cell;
  return { width, height: top + rows.length * cell, node: el('g', {}, cells, rowLabels, columnLabels) };
}
