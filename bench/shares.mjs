// Targets as shares of the measured peak, beside the ratios to rivals: a rival's version or spinning changes those, not these.

/** The least share of one core's peak, in percent. Attention is judged in the precision that it computes in. */
export const shareTargets = { products: 95, 'products of the backward': 85, attention: 60, 'int8 products of 8 tokens': 75 };

/**
 * What became of the targets in the output of bench/kernels.cc: one verdict for the products, and one for attention, of each precision
 * and number of tokens. Products of a layer count together, by their time; short inputs only where a target names them.
 */
export function judgeShares(output) {
  const verdicts = [];
  for (const block of output.split(/\n(?=\S+, \d+ tokens in texts of \d+)/).slice(1)) {
    const [, precision, tokens] = /^(\S+), (\d+) tokens/.exec(block);
    const rows = [...block.matchAll(/^ {2}(.+?) {2,}(\d+(?:x\d+)?) +([\d.]+) +[\d.]+ +[\d.]+% +\d+ +(\d+)%$/gm)];
    const judge = (what, target, chosen) => {
      const time = chosen.reduce((sum, [, , , us]) => sum + Number(us), 0);
      if (time === 0) return;
      const share = chosen.reduce((sum, [, , , us, percent]) => sum + Number(us) * Number(percent), 0) / time;
      verdicts.push({ what: `${precision}, ${tokens} tokens, ${what}`, share, target, met: share >= target });
    };
    const products = rows.filter(([, , shape]) => shape.includes('x'));
    if (precision.endsWith('-backward')) {
      if (Number(tokens) >= 256) judge('products', shareTargets['products of the backward'], products);
    } else if (Number(tokens) >= 128) {
      judge('products', shareTargets.products, products);
      const own = rows.filter(([, op]) => op.startsWith('attention') && op.includes('(bf16)') === (precision === 'bf16'));
      if (!precision.startsWith('int8')) judge('attention', shareTargets.attention, own);
    } else if (precision === 'int8' && tokens === '8') {
      judge('products', shareTargets['int8 products of 8 tokens'], products);
    }
  }
  return verdicts;
}

/** The lines that a bench prints of them. */
export function formatShares(verdicts) {
  const line = ({ what, share, target, met }) =>
    `${met ? 'met' : 'missed'}: ${what}: ${share.toFixed(0)}% of the peak, target ${target}%\n`;
  return verdicts.map(line).join('');
}
