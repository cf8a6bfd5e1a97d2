import { unexpected } from '../../expected.js';
import { logSumExp } from '../evaluation/log-sum-exp.js';
import type { SentenceLoss, TrainingTaskOptions } from '../program/tasks.js';

/** A sentence loss summed over its groups, in float64: `embeddings` [columns · n, width], anchors first. */
export function sentenceLossSum(
  embeddings: Float32Array,
  width: number,
  numbers: Float32Array | undefined,
  { sentenceLoss, matryoshka }: TrainingTaskOptions,
): number {
  if (sentenceLoss === undefined) throw unexpected('INVALID_OPTION', 'a sentenceLoss for sentence-embedding', 'none');
  const dims = matryoshka?.dims ?? [width];
  return dims.reduce((sum, dim, i) => {
    const rows = Array.from({ length: embeddings.length / width }, (_, row) => {
      const part = embeddings.subarray(row * width, row * width + dim);
      return matryoshka !== undefined && sentenceLoss.loss === 'triplet' ? unit(part) : part;
    });
    return sum + (matryoshka?.weights?.[i] ?? 1) * lossOf(rows, numbers, sentenceLoss);
  }, 0);
}

function lossOf(rows: readonly Vector[], numbers: Float32Array | undefined, loss: SentenceLoss): number {
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
      return pairs(rows).reduce((sum, similarity, i) => sum + (similarity - numbers![i]!) ** 2, 0);
    case 'cosent': {
      const similarities = pairs(rows);
      const terms = [0];
      similarities.forEach((a, i) =>
        similarities.forEach((b, j) => {
          if (numbers![i]! < numbers![j]!) terms.push((loss.scale ?? 20) * (a - b));
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
    case 'mean-squared-error': {
      const dimensions = numbers!.length / rows.length;
      return numbers!.reduce((sum, value, i) => sum + (rows[Math.floor(i / dimensions)]![i % dimensions]! - value) ** 2 / dimensions, 0);
    }
  }
}

type Vector = Float32Array | Float64Array;

/** The cosine of each pair: the first half of the rows with the second. */
function pairs(rows: readonly Vector[]): number[] {
  const n = rows.length / 2;
  return rows.slice(0, n).map((row, i) => cosine(row, rows[n + i]!));
}

/** The cosine of two vectors, in float64. */
export function cosine(a: Vector, b: Vector): number {
  return dot(a, b) / (lengthOf(a) * lengthOf(b));
}

function unit(vector: Vector): Vector {
  const length = lengthOf(vector);
  return Float64Array.from(vector, (value) => value / length);
}

function lengthOf(vector: Vector): number {
  return Math.max(Math.sqrt(dot(vector, vector)), 1e-12);
}

function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function distance(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]! + 1e-6) ** 2;
  return Math.sqrt(sum);
}
