import type { Attention } from '../../attention/attention.js';

/** Attention whose rows add up to 1, norms as shares of their sum too: a page and a picture have one scale. */
export function withShares<A extends Attention>(given: A): A {
  if (given.kind === 'probability') return given;
  const count = given.tokens.length;
  const weights = given.weights.map(({ data, dims }) => {
    const shares = Float32Array.from(data);
    for (let first = 0; first < shares.length; first += count) {
      const row = shares.subarray(first, first + count);
      const sum = row.reduce((total, value) => total + value, 0);
      if (sum > 0) row.forEach((value, i) => (row[i] = value / sum));
    }
    return { data: shares, dims };
  });
  return { ...given, weights };
}
