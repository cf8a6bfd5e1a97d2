import type { Attention } from '../../attention/attention.js';
import { el } from '../view/tree.js';
import type { Figure } from './figure.js';

const [kPicture, kGap, kLabels] = [64, 8, 28];
const kMostCells = 32;
/** Weights from which a cell is drawn, and how dark. */
const kLevels = [0.08, 0.2, 0.4, 0.7];

/** Small pictures of all heads: a row a layer, a column a head. Each level of darkness is one path, so that files stay small. */
export function headsFigure({ weights, tokens, layers, heads }: Pick<Attention, 'weights' | 'tokens' | 'layers' | 'heads'>): Figure {
  const count = tokens.length;
  const cells = Math.min(kMostCells, count);
  const step = kPicture / cells;
  const [width, height] = [kLabels + heads.length * (kPicture + kGap), kLabels + layers.length * (kPicture + kGap)];
  const pictures = layers.flatMap((_, layer) =>
    heads.map((__, head) => {
      const [left, top] = [kLabels + head * (kPicture + kGap), kLabels + layer * (kPicture + kGap)];
      const data = weights[layer]!.data.subarray(head * count ** 2, (head + 1) * count ** 2);
      const shares = cellsOf(data, count, cells);
      const paths = kLevels.map((from, level) => {
        const to = kLevels[level + 1] ?? Infinity;
        const d = Array.from(shares, (weight, i) =>
          weight >= from && weight < to
            ? `M${short((i % cells) * step)} ${short(Math.floor(i / cells) * step)}h${short(step)}v${short(step)}h-${short(step)}z`
            : '',
        ).join('');
        return d !== '' && el('path', { class: 'accent', d, 'fill-opacity': (level + 1) / kLevels.length });
      });
      return el('g', { transform: `translate(${left} ${top})` }, el('rect', { class: 'rule', width: kPicture, height: kPicture }), paths);
    }),
  );
  const labels = [
    ...layers.map((layer, i) =>
      el(
        'text',
        { class: 'faint small', x: kLabels - 8, y: kLabels + i * (kPicture + kGap) + kPicture / 2 + 4, 'text-anchor': 'end' },
        String(layer),
      ),
    ),
    ...heads.map((head, i) =>
      el(
        'text',
        { class: 'faint small', x: kLabels + i * (kPicture + kGap) + kPicture / 2, y: kLabels - 8, 'text-anchor': 'middle' },
        String(head),
      ),
    ),
  ];
  return { width, height, node: el('g', {}, pictures, labels) };
}

const short = (value: number): number => Number(value.toFixed(2));

/** The largest weight of each of cells × cells parts. */
function cellsOf(data: Float32Array, count: number, cells: number): Float32Array {
  const largest = new Float32Array(cells * cells);
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor((Math.floor(i / count) * cells) / count);
    const cell = row * cells + Math.floor(((i % count) * cells) / count);
    largest[cell] = Math.max(largest[cell]!, data[i]!);
  }
  return largest;
}
