// Metrics of ranked lists, as sentence-transformers 6.2 and scikit-learn compute them.

/** 1 over the place of the first relevant item among the first k, else 0. */
export function reciprocalRank(isRelevant: readonly boolean[], k = Infinity): number {
  const place = isRelevant.indexOf(true);
  return place >= 0 && place < k ? 1 / (place + 1) : 0;
}

/** The mean of the precisions at the relevant ones among the first k, over min(k, relevant items there are). */
export function averagePrecisionAt(isRelevant: readonly boolean[], relevant: number, k = Infinity): number {
  let [hits, sum] = [0, 0];
  isRelevant.slice(0, k).forEach((hit, place) => {
    if (hit) sum += ++hits / (place + 1);
  });
  return relevant === 0 ? 0 : sum / Math.min(k, relevant);
}

/** Discounted cumulative gain of the first k: gains over the binary logarithm of place + 1, places from 1. */
export function discountedGain(gains: readonly number[], k = Infinity): number {
  return gains.slice(0, k).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
}

/** The discounted gain of the first k over that of the best order, `ideal`; 0 where nothing can be gained. */
export function normalizedGain(gains: readonly number[], ideal: readonly number[], k = Infinity): number {
  const best = discountedGain(
    [...ideal].sort((a, b) => b - a),
    k,
  );
  return best === 0 ? 0 : discountedGain(gains, k) / best;
}

/**
 * The same for items in any order with their scores, as scikit-learn's `ndcg_score`: items of equal scores share the mean of what their
 * places are worth. Scores and gains [items].
 */
export function scoredGain(gains: readonly number[], scores: ArrayLike<number>, k = Infinity): number {
  const order = gains.map((_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
  const shared: number[] = [];
  for (let begin = 0; begin < order.length; begin = shared.length) {
    let end = begin + 1;
    while (end < order.length && scores[order[end]!] === scores[order[begin]!]) end++;
    const group = order.slice(begin, end);
    const mean = group.reduce((sum, i) => sum + gains[i]!, 0) / group.length;
    shared.push(...group.map(() => mean));
  }
  return normalizedGain(shared, gains, k);
}
