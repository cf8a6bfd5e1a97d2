import { unexpected } from '../expected.js';
import { mean, type Numbers, requireSameLength, total } from './lists.js';

/**
 * The mean silhouette of clustered vectors, -1 to 1: how much nearer each is to its own cluster than to the next one; 0 for a cluster of one.
 * Takes time in the square of the number of vectors.
 *
 * Errors: INVALID_ARG for lists of different lengths, and unless there are at least two clusters and fewer than vectors.
 */
export function silhouette(
  vectors: readonly Numbers[],
  labels: readonly number[],
  { metric = 'euclidean' }: { readonly metric?: 'euclidean' | 'cosine' | undefined } = {},
): number {
  requireSameLength('silhouette', vectors, labels);
  const clusters = [...new Set(labels)];
  if (clusters.length < 2 || clusters.length >= vectors.length) {
    throw unexpected('INVALID_ARG', `2 to ${vectors.length - 1} clusters for silhouette`, clusters.length);
  }
  const distance = metric === 'euclidean' ? euclidean : cosine;
  const values = vectors.map((vector, i) => {
    const sums = new Map(clusters.map((cluster) => [cluster, { sum: 0, count: 0 }]));
    vectors.forEach((other, j) => {
      if (i === j) return;
      const into = sums.get(labels[j]!)!;
      into.sum += distance(vector, other);
      into.count++;
    });
    const own = sums.get(labels[i]!)!;
    if (own.count === 0) return 0;
    const inside = own.sum / own.count;
    const outside = Math.min(
      ...clusters.filter((cluster) => cluster !== labels[i]).map((cluster) => sums.get(cluster)!.sum / sums.get(cluster)!.count),
    );
    return Math.max(inside, outside) === 0 ? 0 : (outside - inside) / Math.max(inside, outside);
  });
  return mean(values);
}

function euclidean(a: Numbers, b: Numbers): number {
  return Math.sqrt(total(Array.from(a, (value, i) => (value - b[i]!) ** 2)));
}

function cosine(a: Numbers, b: Numbers): number {
  const dot = (x: Numbers, y: Numbers): number => total(Array.from(x, (value, i) => value * y[i]!));
  const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return norms === 0 ? 1 : 1 - dot(a, b) / norms;
}
