import { signed } from '../view/numbers.js';
import { el, isolated, type TreeElement } from '../view/tree.js';
import { cutColumns, type Figure } from './figure.js';

/** A name with its value. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly error?: number;
}

const [kRow, kNames, kValues, kWidth] = [22, 170, 70, 640];

/** Names with bars from a common axis, and their values. Room for values belongs to the scale, so that no bar runs into a name. */
export function barsFigure(bars: readonly Bar[]): Figure {
  const reach = (value: number, error = 0): number => Math.abs(value) + error;
  const least = -Math.max(0, ...bars.filter(({ value }) => value < 0).map(({ value, error }) => reach(value, error)));
  const most = Math.max(0, ...bars.filter(({ value }) => value >= 0).map(({ value, error }) => reach(value, error)));
  const [left, right] = [kNames + (least < 0 ? kValues : 10), kWidth - kValues];
  const scale = (right - left) / (most - least || 1);
  const x = (value: number): number => Number((left + (value - least) * scale).toFixed(2));
  const rows = bars.map((bar, i) => barRow(bar, i * kRow, x));
  const height = bars.length * kRow;
  return { width: kWidth, height, node: el('g', {}, el('path', { class: 'axis', d: `M${x(0)} 0V${height}` }), rows) };
}

function barRow({ name, value, error }: Bar, y: number, x: (value: number) => number): TreeElement {
  const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
  const whisker = error === undefined ? 0 : error;
  const label = value < 0 ? { x: x(value - whisker) - 6, 'text-anchor': 'end' } : { x: x(value + whisker) + 6 };
  return el(
    'g',
    {},
    el('text', { class: 'ink', x: kNames - 10, y: y + 15, 'text-anchor': 'end' }, isolated(cutColumns(name, 22))),
    el('rect', { class: value < 0 ? 'minus' : 'plus', x: from, y: y + 3, width: Number((to - from).toFixed(2)), height: kRow - 7, rx: 2 }),
    whisker > 0 && el('path', { class: 'axis', d: `M${x(value - whisker)} ${y + kRow / 2 - 0.5}H${x(value + whisker)}` }),
    el('text', { class: 'faint small', y: y + 15, ...label }, signed(value)),
  );
}
