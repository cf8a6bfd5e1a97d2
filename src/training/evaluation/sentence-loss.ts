import { unexpected } from '../../expected.js';
import { logSumExp } from './log-sum-exp.js';
import type { SentenceLoss, TrainingTaskOptions } from '../program/tasks.js';

/** A sentence loss summed over its groups, in float64: `embeddings` [columns · n, width], anchors first. */
export function sentenceLossSum(
  embeddings: Float32Array,
  width: number,
  scores: Float32Array | undefined,
  { sentenceLoss, matryoshka }: TrainingTaskOptions,
): number {
  if (sentenceLoss === undefined) throw unexpected('INVALID_OPTION', 'a sentenceLoss for sentence-embedding', 'none');
  const dims = matryoshka?.dims ?? [width];
  return dims.reduce((sum, dim, i) => {
    const rows = Array.from({ length: embeddings.length / width }, (_, row) => embeddings.subarray(row * width, row * width + dim));
    return sum + (matryoshka?.weights?.[i] ?? 1) * lossOf(rows, scores, sentenceLoss);
  }, 0);
}

function lossOf(rows: readonly Float32Array[], scores: Float32Array | undefined, loss: SentenceLoss): number {
  switch (loss.loss) {
    case 'multiple-negatives-ranking': {
      const n = rows.length / (loss.columns ?? 2);
      const texts = rows.slice(n);
      return rows.slice(0, n).reduce((sum, anchor, i) => {
        const similarities = texts.map((text) => (loss.scale ?? 20) * cosine(anchor, text));
        return sum + logSumExp(similarities) - similarities[i]!;
      }, 0);
    }
    case 'cosine-similarity':
      return pairs(rows).reduce((sum, similarity, i) => sum + (similarity - scores![i]!) ** 2, 0);
    case 'cosent': {
      const similarities = pairs(rows);
      const terms = [0];
      similarities.forEach((a, i) =>
        similarities.forEach((b, j) => {
          if (scores![i]! < scores![j]!) terms.push((loss.scale ?? 20) * (a - b));
        }),
      );
      return logSumExp(terms);
    }
    case 'triplet': {
      const n = rows.length / 3;
      return rows
        .slice(0, n)
        .reduce(
          (sum, anchor, i) => sum + Math.max(0, distance(anchor, rows[n + i]!) - distance(anchor, rows[2 * n + i]!) + (loss.margin ?? 5)),
          0,
        );
    }
  }
}

/** The cosine of each pair: the first half of the rows with the second. */
function pairs(rows: readonly Float32Array[]): number[] {
  const n = rows.length / 2;
  return rows.slice(0, n).map((row, i) => cosine(row, rows[n + i]!));
}

function cosine(a: Float32Array, b: Float32Array): number {
  const length = (x: Float32Array): number => Math.max(Math.sqrt(dot(x, x)), 1e-12);
  return dot(a, b) / (length(a) * length(b));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]! + 1e-6) ** 2, 0));
}
