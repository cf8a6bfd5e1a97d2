import {
  accuracy,
  matthews,
  pearson,
  precisionRecallF1,
  spearman,
  entityScores,
  multiLabelScores,
  squadScores,
} from '../../metrics/index.js';
import { unexpected } from '../../expected.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { DataTask } from './create-collator.js';
import type { ReadPredictions } from './collator.js';

/** Scores by name. What is not defined (the correlation of a constant) is NaN. */
export type Metrics = Readonly<Record<string, number>>;

/** Makes scores of predictions and labels, both as collators read them. */
export type ScorePredictions = (read: ReadPredictions) => Metrics;

/**
 * The scores of a task, unless a user computes others:
 * accuracy, precision, recall, f1 (macro) and matthews of classes; accuracy (all right), precision, recall, f1 (micro) and f1_macro of several labels;
 * pearson, spearman, mse and mae of numbers; precision, recall, f1 of entities (as seqeval counts them) and accuracy of tags; exact_match and f1 of answers, 0 to
 * 1; accuracy of masked words; accuracy, precision, recall and f1 of replaced tokens.
 *
 * Errors: EMPTY_INPUT without predictions or labels.
 */
export function taskMetrics(task: DataTask, kind: 'class' | 'classes' | 'numbers' = 'class'): ScorePredictions {
  const compute = kind !== 'class' ? { classes: multiLabelMetrics, numbers: regressionMetrics }[kind] : byTask[task];
  return (read) => {
    if (read.labels.length === 0) throw unexpected('EMPTY_INPUT', 'rows with labels to compute metrics from', 'none');
    return compute(read);
  };
}

const byTask: Readonly<Record<DataTask, ScorePredictions>> = {
  'text-classification': classMetrics,
  'cross-encoder': classMetrics,
  'next-sentence-prediction': classMetrics,
  'multiple-choice': ({ predictions, labels }) => {
    const [known, best] = countedClasses(predictions, labels);
    return { accuracy: accuracy(known, best) };
  },
  'token-classification': ({ predictions, labels }) => {
    const { micro, tokenAccuracy } = entityScores(labels as string[][], predictions as string[][]);
    return { precision: micro.precision, recall: micro.recall, f1: micro.f1, accuracy: tokenAccuracy };
  },
  'question-answering': ({ predictions, labels }) => {
    // A question without an answer is answered rightly by ''.
    const scores = predictions.map((text, i) => {
      const answers = labels[i] as readonly string[];
      return squadScores(text as string, answers.length === 0 ? [''] : answers);
    });
    return { exact_match: meanOf(scores.map(({ exact }) => exact)), f1: meanOf(scores.map(({ f1 }) => f1)) };
  },
  'fill-mask': ({ predictions, labels }) => ({ accuracy: accuracy(labels.flat() as number[], predictions.flat() as number[]) }),
  'replaced-token': ({ predictions, labels }) => {
    const [truth, said] = [labels.flat() as number[], predictions.flat() as number[]];
    return { accuracy: accuracy(truth, said), ...precisionRecallF1(truth, said, { average: 'binary' }) };
  },
};

function classMetrics({ predictions, labels }: ReadPredictions): Metrics {
  const [known, best] = countedClasses(predictions, labels);
  const { precision, recall, f1 } = precisionRecallF1(known, best, { average: 'macro' });
  return { accuracy: accuracy(known, best), f1, precision, recall, matthews: matthews(known, best) };
}

/** Labels that count, and the best class of each. */
function countedClasses(predictions: readonly unknown[], labels: readonly unknown[]): [labels: number[], best: number[]] {
  const counted = labels.flatMap((label, i) => ((label as number) >= 0 ? [i] : []));
  return [counted.map((i) => labels[i] as number), counted.map((i) => argmax(predictions[i] as Float32Array))];
}

function multiLabelMetrics({ predictions, labels }: ReadPredictions): Metrics {
  const truth = labels.map((row) => Array.from(row as Float32Array, (value) => (value >= 0.5 ? 1 : 0)));
  const said = predictions.map((row) => Array.from(row as Float32Array, (logit) => (logit > 0 ? 1 : 0)));
  const { subsetAccuracy, micro, macro } = multiLabelScores(truth, said);
  return { accuracy: subsetAccuracy, f1: micro.f1, precision: micro.precision, recall: micro.recall, f1_macro: macro.f1 };
}

function regressionMetrics({ predictions, labels }: ReadPredictions): Metrics {
  const [said, truth] = [predictions, labels].map((rows) => rows.flatMap((row) => Array.from(row as Float32Array))) as [number[], number[]];
  const errors = said.map((value, i) => value - truth[i]!);
  // A correlation needs two values.
  const correlations = said.length > 1 ? { pearson: pearson(truth, said), spearman: spearman(truth, said) } : {};
  return { ...correlations, mse: meanOf(errors.map((error) => error * error)), mae: meanOf(errors.map(Math.abs)) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
