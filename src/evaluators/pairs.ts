// Evaluators of pairs and triplets of texts, as those of sentence-transformers 6.2.
import { averagePrecision, matthews, pearson, spearman } from '../metrics/index.js';
import { componentsOf, dot, type FloatArray, type VectorLike } from '../vectors/vector-like.js';
import { similarity } from '../vectors/similarity.js';
import { embedOnce, requireLists, type Vectorizer } from './vectorizer.js';

/** How two vectors are compared; distances count negatively, so that more is more alike. */
export type ScoreName = 'cosine' | 'dot' | 'manhattan' | 'euclidean';

const scoreOf: Readonly<Record<ScoreName, (a: VectorLike, b: VectorLike) => number>> = {
  cosine: similarity,
  dot: (a, b) => over(a, b, dot),
  manhattan: (a, b) => -over(a, b, (x, y) => sumOfDifferences(x, y, Math.abs)),
  euclidean: (a, b) => -over(a, b, (x, y) => Math.sqrt(sumOfDifferences(x, y, (difference) => difference ** 2))),
};

function over(a: VectorLike, b: VectorLike, of: (x: FloatArray, y: FloatArray) => number): number {
  return of(componentsOf(a, 'a vector'), componentsOf(b, 'a vector'));
}

function sumOfDifferences(a: FloatArray, b: FloatArray, of: (difference: number) => number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += of(a[i]! - b[i]!);
  return sum;
}

/** Options of evaluators of pairs. */
export interface PairEvaluationOptions {
  /** Default `'cosine'`. */
  readonly score?: ScoreName | undefined;
}

/** How well similarities follow the scores that people gave: `EmbeddingSimilarityEvaluator`. */
export interface SimilarityEvaluation {
  readonly pearson: number;
  readonly spearman: number;
}

/** Embeds pairs of sentences and correlates their similarities with `scores`. Errors: INVALID_ARG, and those of `embed`. */
export async function evaluateSimilarity(
  model: Vectorizer,
  {
    sentences1,
    sentences2,
    scores,
  }: { readonly sentences1: readonly string[]; readonly sentences2: readonly string[]; readonly scores: readonly number[] },
  options: PairEvaluationOptions = {},
): Promise<SimilarityEvaluation> {
  requireLists('evaluateSimilarity', sentences1, sentences2, scores);
  const found = await scorePairs(model, sentences1, sentences2, options);
  return { pearson: pearson(scores, found), spearman: spearman(scores, found) };
}

/** How well similarities tell pairs that belong together from others: `BinaryClassificationEvaluator`. */
export interface BinaryEvaluation {
  readonly accuracy: number;
  readonly accuracyThreshold: number;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1Threshold: number;
  readonly averagePrecision: number;
  /** At the threshold of the best F1. */
  readonly matthews: number;
}

/** Embeds pairs of sentences and looks for the similarities from which on they are called alike (label 1). Errors: INVALID_ARG, and those of `embed`. */
export async function evaluateBinary(
  model: Vectorizer,
  {
    sentences1,
    sentences2,
    labels,
  }: { readonly sentences1: readonly string[]; readonly sentences2: readonly string[]; readonly labels: readonly number[] },
  options: PairEvaluationOptions = {},
): Promise<BinaryEvaluation> {
  requireLists('evaluateBinary', sentences1, sentences2, labels);
  const scores = await scorePairs(model, sentences1, sentences2, options);
  const best = bestThresholds(scores, labels);
  return {
    ...best,
    averagePrecision: averagePrecision(labels, scores),
    matthews: matthews(
      labels,
      scores.map((score) => (score >= best.f1Threshold ? 1 : 0)),
    ),
  };
}

/** How often an anchor is nearer to its positive than to its negative: `TripletEvaluator`. */
export interface TripletEvaluation {
  readonly accuracy: number;
}

/** Embeds triplets of sentences. `margin` is what a positive must be nearer by. Errors: INVALID_ARG, and those of `embed`. */
export async function evaluateTriplets(
  model: Vectorizer,
  {
    anchors,
    positives,
    negatives,
  }: { readonly anchors: readonly string[]; readonly positives: readonly string[]; readonly negatives: readonly string[] },
  { score = 'cosine', margin = 0 }: PairEvaluationOptions & { readonly margin?: number | undefined } = {},
): Promise<TripletEvaluation> {
  requireLists('evaluateTriplets', anchors, positives, negatives);
  const vectorOf = await embedOnce((texts) => model.embed(texts), [...anchors, ...positives, ...negatives]);
  const like = (i: number, others: readonly string[]): number => scoreOf[score](vectorOf(anchors[i]!), vectorOf(others[i]!));
  const hits = anchors.filter((_, i) => like(i, positives) > like(i, negatives) + margin);
  return { accuracy: hits.length / anchors.length };
}

async function scorePairs(
  model: Vectorizer,
  first: readonly string[],
  second: readonly string[],
  { score = 'cosine' }: PairEvaluationOptions,
): Promise<number[]> {
  const vectorOf = await embedOnce((texts) => model.embed(texts), [...first, ...second]);
  return first.map((text, i) => scoreOf[score](vectorOf(text), vectorOf(second[i]!)));
}

/** Thresholds half way between two scores, or the last score. */
function bestThresholds(scores: readonly number[], labels: readonly number[]) {
  const order = scores.map((_, i) => i).sort((i, j) => scores[j]! - scores[i]!);
  const positives = labels.filter((label) => label === 1).length;
  let [correct, wrong] = [0, 0];
  let accuracy = { accuracy: (labels.length - positives) / labels.length, accuracyThreshold: nextAbove(scores[order[0]!]!) };
  let f1 = { f1: 0, precision: 0, recall: 0, f1Threshold: 0 };
  order.forEach((index, place) => {
    if (labels[index] === 1) correct++;
    else wrong++;
    const [score, next] = [scores[index]!, scores[order[place + 1]!]];
    if (score === next) return;
    const middle = next === undefined ? score : (score + next) / 2;
    const threshold = middle === next ? score : middle;
    const share = (correct + labels.length - positives - wrong) / labels.length;
    if (share > accuracy.accuracy) accuracy = { accuracy: share, accuracyThreshold: threshold };
    if (correct === 0) return;
    const [precision, recall] = [correct / (place + 1), correct / positives];
    const both = (2 * precision * recall) / (precision + recall);
    if (both > f1.f1) f1 = { f1: both, precision, recall, f1Threshold: threshold };
  });
  return { ...accuracy, ...f1 };
}

/** The next number of float64. */
function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return new Float64Array(bits.buffer)[0]!;
}
