import type { Comparison, Difference } from './compare.js';

const kSize = { width: 760, height: 380, left: 64, right: 20, top: 54, bottom: 58 };
/** Differences below are drawn on the axis. */
const kSmallest = 1e-9;

/** Relative L2 difference by layer, on a logarithmic scale: a thin line a text, the worst of them bold, the tolerance dashed. An SVG. */
export function comparisonSvg({ model, against, precision, layers, texts, worst, tolerance }: Comparison): string {
  const values = [tolerance, ...texts.flatMap(({ differences }) => differences.map(({ relativeL2 }) => relativeL2))];
  const exponents = values.map((value) => exponent(visible(value)));
  const bottom = Math.floor(exponents.reduce((a, b) => Math.min(a, b)));
  const top = Math.ceil(exponents.reduce((a, b) => Math.max(a, b)));
  const { width, height, left, right } = kSize;
  const x = (layer: number) => left + (layers.length === 1 ? 0.5 : layer / (layers.length - 1)) * (width - left - right);
  const y = (value: number) =>
    kSize.top + ((top - exponent(visible(value))) / Math.max(1, top - bottom)) * (height - kSize.top - kSize.bottom);
  const line = (differences: readonly Difference[], style: string) =>
    `<polyline fill="none" ${style} points="${differences.map(({ relativeL2 }, i) => `${x(i).toFixed(1)},${y(relativeL2).toFixed(1)}`).join(' ')}"/>`;
  const grid = Array.from({ length: top - bottom + 1 }, (_, i) => {
    const at = y(10 ** (bottom + i)).toFixed(1);
    const label = `<text x="${left - 8}" y="${at}" dy="4" text-anchor="end">1e${bottom + i}</text>`;
    return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#ddd"/>${label}`;
  });
  const names = layers.map(
    (layer, i) => `<text transform="translate(${x(i).toFixed(1)},${height - kSize.bottom + 16}) rotate(20)">${escape(layer)}</text>`,
  );
  const limit = y(tolerance).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${left}" y="20" font-size="14" font-weight="bold">Relative L2 difference by layer, ${texts.length} texts, ${precision.chosen}</text>`,
    `<text x="${left}" y="38" fill="#555">${escape(shorten(model))} against ${escape(shorten(against))}</text>`,
    ...grid,
    ...names,
    ...texts.map(({ differences }) => line(differences, 'stroke="#4c78a8" stroke-opacity="0.25"')),
    line(worst, 'stroke="#d62728" stroke-width="2"'),
    ...worst.map(({ relativeL2 }, i) => `<circle cx="${x(i).toFixed(1)}" cy="${y(relativeL2).toFixed(1)}" r="3" fill="#d62728"/>`),
    `<line x1="${left}" x2="${width - right}" y1="${limit}" y2="${limit}" stroke="#333" stroke-dasharray="5 4"/>`,
    `<text x="${width - right}" y="${limit}" dy="-4" text-anchor="end">tolerance ${tolerance}</text>`,
    '</svg>\n',
  ].join('\n');
}

/** The chart and a table of every text and layer, as one HTML page that needs nothing else. */
export function comparisonHtml(comparison: Comparison): string {
  const { model, against, layers, texts, worst, tolerance, precision, firstDeparture } = comparison;
  const verdict = firstDeparture === undefined ? 'Every text is within the tolerance.' : `Departs first at ${firstDeparture}.`;
  const cells = (differences: readonly Difference[]) =>
    differences
      .map(({ relativeL2, maxAbs, cosine }) => {
        const title = `max abs ${maxAbs.toExponential(2)}, cosine ${cosine.toFixed(7)}`;
        return `<td${relativeL2 <= tolerance ? '' : ' class="far"'} title="${title}">${relativeL2.toExponential(1)}</td>`;
      })
      .join('');
  const rows = texts.map(
    ({ text, tokens, differences }, i) =>
      `<tr><td>${i}</td><th>${escape(text.slice(0, 80))}</th><td>${tokens}</td>${cells(differences)}</tr>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escape(shorten(model))} against ${escape(shorten(against))}</title>
<style>
body { font: 14px sans-serif; margin: 2em; }
svg { max-width: 60em; }
table { border-collapse: collapse; }
td, th { padding: 0.2em 0.6em; text-align: right; font-weight: normal; border-bottom: 1px solid #ddd; }
th { text-align: left; max-width: 24em; overflow: hidden; white-space: nowrap; }
.far { background: #fbd5d5; }
</style>
<h1>${escape(model)}</h1>
<p>against ${escape(against)}; computed in ${precision.chosen} (${escape(precision.reason)}); tolerance ${tolerance}. ${escape(verdict)}</p>
${comparisonSvg(comparison)}
<table>
<tr><td>#</td><th>text</th><td>tokens</td>${layers.map((layer) => `<td>${escape(layer)}</td>`).join('')}</tr>
<tr><td></td><th>worst</th><td></td>${cells(worst)}</tr>
${rows.join('\n')}
</table>
</html>
`;
}

function visible(value: number): number {
  return Number.isFinite(value) ? Math.max(value, kSmallest) : 1e3;
}

function exponent(value: number): number {
  return Math.log10(value);
}

function shorten(path: string): string {
  return path.length > 48 ? `…${path.slice(-47)}` : path;
}

function escape(text: string): string {
  // Control characters are no XML.
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? '&quot;');
}
