import { pearson, spearman } from '../../metrics/index.js';
import { unexpected } from '../../expected.js';
import type { Metrics } from '../collators/task-metrics.js';
import type { ReadPredictions } from '../collators/collator.js';
import type { SentenceShape } from './rows.js';

/**
 * Scores of sentence embeddings by what rows are labelled with. Pairs with a score: pearson and spearman of cosines (EmbeddingSimilarityEvaluator).
 * Texts with a vector: mse. Rows of an anchor, a positive and negatives: accuracy, how often the positive is nearest by cosine
 * (TripletEvaluator); of pairs, nearest among all of the batch.
 *
 * Errors of what it returns: EMPTY_INPUT without labels.
 */
export function sentenceMetrics(kind: SentenceShape['labels']): (read: ReadPredictions) => Metrics {
  return ({ predictions, labels }) => {
    if (labels.length === 0) throw unexpected('EMPTY_INPUT', 'rows with labels to compute metrics from', 'none');
    if (kind === 'vectors') return { mse: meanSquaredError(predictions as Vectors[], labels as Float32Array[]) };
    if (kind === undefined) return { accuracy: predictions.filter((place) => place === 0).length / predictions.length };
    const [said, truth] = [predictions as number[], labels as number[]];
    // A correlation needs two values.
    return said.length > 1 ? { pearson: pearson(truth, said), spearman: spearman(truth, said) } : {};
  };
}

type Vectors = readonly Float32Array[];

function meanSquaredError(predictions: readonly Vectors[], targets: readonly Float32Array[]): number {
  let sum = 0;
  let count = 0;
  predictions.forEach((vectors, row) => {
    const target = targets[row]!;
    for (const vector of vectors) {
      target.forEach((value, i) => (sum += (vector[i]! - value) ** 2));
      count += target.length;
    }
  });
  return sum / count;
}
