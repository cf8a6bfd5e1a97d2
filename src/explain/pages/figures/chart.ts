import { percent, ticks } from '../view/numbers.js';
import { el, isolated, type Child } from '../view/tree.js';
import { columnsOf, type Figure } from './figure.js';

/** A curve over the places of a chart, with a band around it where there is one. NaN is a gap. */
export interface Curve {
  readonly name: string;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly band?: readonly (readonly [number, number])[];
  readonly hasDots?: boolean;
}

/** What a chart shows; y are shares of 1 unless `write` says how they are written. */
export interface Chart {
  readonly curves: readonly Curve[];
  readonly x: {
    readonly name: string;
    readonly least: number;
    readonly most: number;
    readonly isWhole?: boolean;
    readonly write: (value: number) => string;
  };
  readonly y: { readonly name: string; readonly least: number; readonly most: number; readonly write?: (value: number) => string };
}

/** Kinds of lines; beyond them they repeat. */
const kLines = 6;
const [kWidth, kHeight, kLeft, kRight, kBottom, kTop, kLegendRow] = [640, 300, 64, 24, 42, 10, 24];

/** Curves in a frame, with a legend above. */
export function chartFigure({ curves, x, y }: Chart): Figure {
  const { node: legend, rows } = legendOf(curves);
  const top = kTop + kLegendRow * rows;
  const height = kHeight + kLegendRow * (rows - 1);
  const px = (value: number): number => round(kLeft + ((value - x.least) / (x.most - x.least || 1)) * (kWidth - kLeft - kRight));
  const py = (value: number): number => round(height - kBottom - ((value - y.least) / (y.most - y.least || 1)) * (height - kBottom - top));
  const horizontal = ticks(y.least, y.most).map((tick) => [
    el('path', { class: 'rule', d: `M${kLeft} ${py(tick)}H${kWidth - kRight}` }),
    el('text', { class: 'faint small', x: kLeft - 8, y: py(tick) + 4, 'text-anchor': 'end' }, (y.write ?? percent)(tick)),
  ]);
  const marks = ticks(x.least, x.most, 12).filter((tick) => x.isWhole !== true || Number.isInteger(tick));
  const vertical = marks.map((tick) =>
    el('text', { class: 'faint small', x: px(tick), y: height - kBottom + 18, 'text-anchor': 'middle' }, x.write(tick)),
  );
  const drawn = curves.map(({ xs, ys, band, hasDots }, i) => {
    const points = xs.map((value, k) => ({ x: px(value), y: py(ys[k]!) }));
    const there = points.filter((point) => Number.isFinite(point.y));
    const edge = (of: 0 | 1) => xs.map((value, k) => `${px(value)} ${py(band![k]![of])}`);
    return [
      band !== undefined && el('path', { class: 'band', d: `M${[...edge(1), ...edge(0).reverse()].join('L')}Z` }),
      el('path', { class: `line-${i % kLines}`, 'stroke-linecap': 'round', d: pathOf(points) }),
      hasDots === true && there.map((point) => el('circle', { class: 'accent', cx: point.x, cy: point.y, r: 3.5 })),
    ];
  });
  const titles = [
    el('text', { class: 'faint small', x: (kLeft + kWidth) / 2, y: height - 6, 'text-anchor': 'middle' }, x.name),
    el('text', { class: 'faint small', x: 12, y: height / 2, transform: `rotate(-90 12 ${height / 2})`, 'text-anchor': 'middle' }, y.name),
  ];
  return { width: kWidth, height, node: el('g', {}, horizontal, vertical, drawn, legend, titles) };
}

/** Lines between points; one that is not finite is a gap, one that stands alone a dot. */
function pathOf(points: readonly { readonly x: number; readonly y: number }[]): string {
  let path = '';
  let isOpen = false;
  for (const { x, y } of points) {
    if (Number.isFinite(y)) path += isOpen ? `L${x} ${y}` : `M${x} ${y}h0`;
    isOpen = Number.isFinite(y);
  }
  return path;
}

/** Names beside their lines, in as many rows as they take. */
function legendOf(curves: readonly Curve[]): { readonly node: Child; readonly rows: number } {
  let [at, row] = [kLeft, 0];
  const node = curves.map(({ name }, i) => {
    const width = 44 + 7.5 * columnsOf(name);
    if (at > kLeft && at + width > kWidth) [at, row] = [kLeft, row + 1];
    const [place, y] = [at, kTop + kLegendRow * row];
    at += width;
    return [
      el('path', { class: `line-${i % kLines}`, d: `M${place} ${y + 4}h22` }),
      el('text', { class: 'ink small', x: place + 28, y: y + 8 }, isolated(name)),
    ];
  });
  return { node, rows: row + 1 };
}

const round = (value: number): number => Number(value.toFixed(1));
