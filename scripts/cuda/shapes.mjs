// The models that times are predicted for, and how their products are cut.

export const models = [
  { name: 'all-MiniLM-L6-v2', layers: 6, hidden: 384, heads: 12 },
  { name: 'BERT-base', layers: 12, hidden: 768, heads: 12 },
  { name: 'BERT-large', layers: 24, hidden: 1024, heads: 16 },
];
/** As k_parts of linear_small.cu; before k was cut by 1,024, by 512. */
export function partsOf(n, k, columns = 1024) {
  const slabs = Math.ceil(k / 32);
  const wanted = Math.floor(k / columns);
  return n > 4096 || wanted < 2 ? 1 : Math.ceil(slabs / Math.ceil(slabs / wanted));
}
