import { percent, ticks } from '../view/numbers.js';
import { el, isolated } from '../view/tree.js';
import type { Figure } from './figure.js';

/** A curve over the places of a chart, with a band around it where there is one. NaN is a gap. */
export interface Curve {
  readonly name: string;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly band?: readonly (readonly [number, number])[];
  readonly hasDots?: boolean;
}

/** What a chart shows; y are shares of 1. */
export interface Chart {
  readonly curves: readonly Curve[];
  readonly x: {
    readonly name: string;
    readonly least: number;
    readonly most: number;
    readonly isWhole?: boolean;
    readonly write: (value: number) => string;
  };
  readonly y: { readonly name: string; readonly least: number; readonly most: number };
}

const [kWidth, kHeight, kLeft, kRight, kBottom, kTop] = [640, 300, 56, 24, 42, 10];

/** Curves in a frame, with a legend above. */
export function chartFigure({ curves, x, y }: Chart): Figure {
  const top = kTop + 24;
  const px = (value: number): number => round(kLeft + ((value - x.least) / (x.most - x.least || 1)) * (kWidth - kLeft - kRight));
  const py = (value: number): number =>
    round(kHeight - kBottom - ((value - y.least) / (y.most - y.least || 1)) * (kHeight - kBottom - top));
  const horizontal = ticks(y.least, y.most).map((tick) => [
    el('path', { class: 'rule', d: `M${kLeft} ${py(tick)}H${kWidth - kRight}` }),
    el('text', { class: 'faint small', x: kLeft - 8, y: py(tick) + 4, 'text-anchor': 'end' }, percent(tick)),
  ]);
  const marks = ticks(x.least, x.most, 12).filter((tick) => x.isWhole !== true || Number.isInteger(tick));
  const vertical = marks.map((tick) =>
    el('text', { class: 'faint small', x: px(tick), y: kHeight - kBottom + 18, 'text-anchor': 'middle' }, x.write(tick)),
  );
  const drawn = curves.map(({ xs, ys, band, hasDots }, i) => {
    const points = xs.map((value, k) => ({ x: px(value), y: py(ys[k]!) })).filter((point) => Number.isFinite(point.y));
    const edge = (of: 0 | 1) => xs.map((value, k) => `${px(value)} ${py(band![k]![of])}`);
    return [
      band !== undefined && el('path', { class: 'band', d: `M${[...edge(1), ...edge(0).reverse()].join('L')}Z` }),
      el('path', { class: `line-${i % 3}`, d: `M${points.map((point) => `${point.x} ${point.y}`).join('L')}` }),
      hasDots === true && points.map((point) => el('circle', { class: 'accent', cx: point.x, cy: point.y, r: 3.5 })),
    ];
  });
  let at = kLeft;
  const legend = curves.map(({ name }, i) => {
    const place = at;
    at += 44 + 7.5 * name.length * (/\p{Script=Han}/u.test(name) ? 1.8 : 1);
    return [
      el('path', { class: `line-${i % 3}`, d: `M${place} ${kTop + 4}h22` }),
      el('text', { class: 'ink small', x: place + 28, y: kTop + 8 }, isolated(name)),
    ];
  });
  const titles = [
    el('text', { class: 'faint small', x: (kLeft + kWidth) / 2, y: kHeight - 6, 'text-anchor': 'middle' }, x.name),
    el(
      'text',
      { class: 'faint small', x: 12, y: kHeight / 2, transform: `rotate(-90 12 ${kHeight / 2})`, 'text-anchor': 'middle' },
      y.name,
    ),
  ];
  return { width: kWidth, height: kHeight, node: el('g', {}, horizontal, vertical, drawn, legend, titles) };
}

const round = (value: number): number => Number(value.toFixed(1));
