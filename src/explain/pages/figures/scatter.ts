import type { MapBody } from '../data.js';
import { el, isolated } from '../view/tree.js';
import { cutColumns, type Figure } from './figure.js';
import { groupColours } from './paint.js';

const [kSide, kMargin, kLegend] = [560, 12, 22];

/** Where points lie in a square of the side 1, the larger extent filling it. */
export function placed(points: MapBody['points']): { readonly x: number; readonly y: number }[] {
  const [xs, ys] = [extentOf(points.map(({ x }) => x)), extentOf(points.map(({ y }) => y))];
  const reach = Math.max(xs.most - xs.least, ys.most - ys.least) || 1;
  const place = (value: number, { least, most }: typeof xs): number => 0.5 + (value - (least + most) / 2) / reach;
  return points.map(({ x, y }) => ({ x: place(x, xs), y: 1 - place(y, ys) }));
}

function extentOf(values: readonly number[]): { readonly least: number; readonly most: number } {
  return values.reduce(({ least, most }, value) => ({ least: Math.min(least, value), most: Math.max(most, value) }), {
    least: Infinity,
    most: -Infinity,
  });
}

/** Points in the colours of their groups, each with its text as a title, and the groups with their keywords below. */
export function scatterFigure({ points, groups }: Pick<MapBody, 'points' | 'groups'>): Figure {
  const scale = (value: number): number => Number((kMargin + value * (kSide - 2 * kMargin)).toFixed(1));
  const dots = placed(points).map(({ x, y }, i) => {
    const { group, text } = points[i]!;
    return el(
      'circle',
      { cx: scale(x), cy: scale(y), r: points.length > 2000 ? 2 : 4, fill: groupColours[group % groupColours.length], 'fill-opacity': 0.8 },
      points.length <= 2000 && el('title', {}, isolated(text)),
    );
  });
  const legend = groups.map(({ name, size, keywords }, i) => {
    const y = kSide + 10 + i * kLegend;
    const words = cutColumns(keywords.map(({ word }) => word).join(', '), 70);
    return [
      el('circle', { cx: kMargin + 5, cy: y + 10, r: 5, fill: groupColours[i % groupColours.length] }),
      el('text', { class: 'ink small', x: kMargin + 18, y: y + 14 }, isolated(`${name} (${size})  ${words}`)),
    ];
  });
  return { width: kSide, height: kSide + 10 + groups.length * kLegend, node: el('g', {}, dots, legend) };
}
