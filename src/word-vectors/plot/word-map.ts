/** A word and its place. */
export interface PlottedWord {
  readonly word: string;
  readonly x: number;
  readonly y: number;
}

const kSize = { width: 960, height: 640, left: 24, right: 24, top: 56, bottom: 24 };
const kFontSize = 12;

interface Label {
  readonly word: string;
  readonly x: number;
  readonly y: number;
  /** Where the label begins, and the line it stands on. */
  readonly left: number;
  readonly baseline: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Points with their words; labels that would cover each other move to another side of their points, or a line away. An SVG. */
export function plotSvg(points: readonly PlottedWord[], title: string, ratio: readonly [number, number]): string {
  const { width, height, left } = kSize;
  const shares = ratio.map((share) => `${(100 * share).toFixed(1)} %`).join(' and ');
  const marks = labelled(points).map(({ word, x, y, left: begin, baseline }) => {
    const isFar = Math.abs(baseline - y) > 1.5 * kFontSize;
    const line = isFar ? `<line x1="${at(x)}" y1="${at(y)}" x2="${at(begin)}" y2="${at(baseline - 4)}" stroke="#bbb"/>` : '';
    return `${line}<circle cx="${at(x)}" cy="${at(y)}" r="3" fill="#4c78a8"/><text x="${at(begin)}" y="${at(baseline)}">${escape(word)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="${kFontSize}" role="img">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${left}" y="22" font-size="15" font-weight="bold">${escape(title)}</text>`,
    `<text x="${left}" y="40" fill="#555">First two principal components: ${shares} of the variance</text>`,
    ...marks,
    '</svg>\n',
  ].join('\n');
}

/** The picture and a table of its points, as one HTML page that needs nothing else. */
export function plotHtml(points: readonly PlottedWord[], title: string, ratio: readonly [number, number]): string {
  const rows = points.map(({ word, x, y }) => `<tr><th>${escape(word)}</th><td>${x.toFixed(4)}</td><td>${y.toFixed(4)}</td></tr>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
body { font: 14px sans-serif; margin: 2em; }
svg { width: 100%; max-width: 80em; border: 1px solid #ddd; }
table { border-collapse: collapse; margin-top: 1em; }
td, th { padding: 0.2em 0.6em; text-align: right; font-weight: normal; border-bottom: 1px solid #ddd; }
th { text-align: left; }
</style>
<h1>${escape(title)}</h1>
${plotSvg(points, title, ratio)}
<table>
<tr><th>word</th><td>first</td><td>second</td></tr>
${rows.join('\n')}
</table>
</html>
`;
}

function labelled(points: readonly PlottedWord[]): Label[] {
  const { width, height, left, right, top, bottom } = kSize;
  const scaleOf = (values: readonly number[], low: number, high: number): ((value: number) => number) => {
    const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    return (value) => (most === least ? (low + high) / 2 : low + ((value - least) / (most - least)) * (high - low));
  };
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const toX = scaleOf(xs, left + 8, width - right - 80);
  const toY = scaleOf(ys, height - bottom - 8, top + 8);
  const taken: Box[] = points.map(({ x, y }) => ({ left: toX(x) - 3, right: toX(x) + 3, top: toY(y) - 3, bottom: toY(y) + 3 }));
  return points.map(({ word, x: ownX, y: ownY }) => {
    const [x, y] = [toX(ownX), toY(ownY)];
    const label = placeOf(word, x, y, taken);
    taken.push(boxOf(label));
    return label;
  });
}

/** The first place beside a point, then further and further above and below, where a label covers nothing. */
function placeOf(word: string, x: number, y: number, taken: readonly Box[]): Label {
  const length = widthOf(word);
  const places = [0, ...Array.from({ length: 12 }, (_, i) => [i + 1, -i - 1]).flat()].flatMap((line) => {
    const baseline = y + 4 + line * (kFontSize + 1);
    return [x + 6, x - 6 - length].map((begin) => ({ word, x, y, left: begin, baseline }));
  });
  const isFree = (label: Label): boolean => {
    const box = boxOf(label);
    const isInside = box.left >= 0 && box.right <= kSize.width && box.top >= kSize.top - 8 && box.bottom <= kSize.height;
    return isInside && taken.every((other) => areApart(box, other));
  };
  return places.find(isFree) ?? places[0]!;
}

function boxOf({ word, left, baseline }: Label): Box {
  return { left, right: left + widthOf(word), top: baseline - kFontSize + 2, bottom: baseline + 3 };
}

function areApart(a: Box, b: Box): boolean {
  return a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;
}

/** About what a sans-serif font takes: ideographs are as wide as they are high. */
function widthOf(word: string): number {
  let width = 0;
  for (const character of word) width += character.codePointAt(0)! >= 0x1100 ? kFontSize : 0.58 * kFontSize;
  return width;
}

function at(value: number): string {
  return value.toFixed(1);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '\ufffd');
}
