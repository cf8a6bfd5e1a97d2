import { unexpected } from '../../expected.js';
import type { ProgramBuilder, Value } from '../../models/program/program.js';
import type { SentenceOutputs } from '../../models/sentence.js';
import type { LossInput, SentenceLoss, TrainingTaskOptions } from '../program/tasks.js';

/** What a sentence model gives of each text, as sentence-transformers' losses see it: with Normalize where its modules end in it. */
export function sentenceVectors({ embedding, normalizedEmbedding, normalizes }: SentenceOutputs): Value {
  return normalizes ? normalizedEmbedding : embedding;
}

/**
 * Appends the loss over vectors [sequences, width]: over all dimensions, or with `matryoshka` over the first ones, each with its weight: one count for
 * all of them.
 *
 * Errors: INVALID_OPTION.
 */
export function sentenceLosses(b: ProgramBuilder, vectors: Value, options: TrainingTaskOptions): LossInput {
  const { sentenceLoss, matryoshka } = options;
  if (sentenceLoss === undefined) throw unexpected('INVALID_OPTION', 'a sentenceLoss for sentence-embedding', 'none');
  if (sentenceLoss.loss === 'mean-squared-error') return teacherLoss(b, vectors, sentenceLoss.dimensions ?? vectors.width, matryoshka);
  const hasScores = sentenceLoss.loss === 'cosine-similarity' || sentenceLoss.loss === 'cosent';
  const scores = hasScores ? b.input({ name: 'numbers', rows: 'sequences', dtype: 'float32', required: true }) : undefined;
  const dims = matryoshka?.dims ?? [vectors.width];
  dims.forEach((dim, i) => {
    if (!Number.isInteger(dim) || dim < 1 || dim > vectors.width) {
      throw unexpected('INVALID_OPTION', `dimensions of 1..${vectors.width}, the model's, for matryoshkaDims`, String(dim));
    }
    const part = firstDimensions(b, vectors, dim);
    // sentence-transformers divides by the length what Matryoshka cuts; cosines do so themselves.
    const compared = matryoshka !== undefined && sentenceLoss.loss === 'triplet' ? b.normalize(part) : part;
    appendSentenceLoss(b, compared, sentenceLoss, scores, matryoshka?.weights?.[i] ?? 1);
  });
  return { loss: sentenceLoss.loss, inputs: scores === undefined ? [] : ['numbers'], counts: 'groups' };
}

/** Takes the gradient of the vectors from the batch, for a loss that is computed elsewhere. */
export function givenGradient(b: ProgramBuilder, vectors: Value): LossInput {
  const gradient = b.input({ name: 'gradient', rows: 'sequences', width: vectors.width, dtype: 'float32', required: true });
  b.loss(vectors, (output) => ({ op: 'given', value: vectors.id, gradient, output }));
  return { loss: 'given', inputs: ['gradient'], counts: 'sequences' };
}

function firstDimensions(b: ProgramBuilder, vectors: Value, dimensions: number): Value {
  return dimensions === vectors.width ? vectors : b.columns(vectors, 0, dimensions);
}

/** The mean over all numbers of a vector, so that `numItems` counts texts. */
function teacherLoss(b: ProgramBuilder, vectors: Value, dimensions: number, matryoshka: TrainingTaskOptions['matryoshka']): LossInput {
  if (matryoshka !== undefined) {
    throw unexpected('INVALID_OPTION', 'a loss that compares texts with each other for matryoshkaDims', 'the mean squared error');
  }
  if (dimensions > vectors.width) {
    const wanted = `vectors of at most ${vectors.width} numbers, the student's, of the teacher`;
    throw unexpected('INVALID_OPTION', wanted, String(dimensions), {
      hint: 'Reduce them (pca of bertha-encoder/learn), or choose a teacher or student of another width.',
    });
  }
  const part = firstDimensions(b, vectors, dimensions);
  const targets = b.input({ name: 'numbers', rows: 'sequences', width: dimensions, dtype: 'float32', required: true });
  b.loss(part, (output) => ({ op: 'mean_squared_error', logits: part.id, targets, weight: 1 / dimensions, output }));
  return { loss: 'mean_squared_error', inputs: ['numbers'], counts: 'sequences' };
}

type ComparingLoss = Exclude<SentenceLoss, { readonly loss: 'mean-squared-error' }>;

function appendSentenceLoss(b: ProgramBuilder, x: Value, loss: ComparingLoss, scores: number | undefined, weight: number): void {
  b.loss(x, (output) => {
    const fields = { embeddings: x.id, weight, output };
    switch (loss.loss) {
      case 'multiple-negatives-ranking':
        return { op: 'in_batch_softmax', ...fields, columns: loss.columns ?? 2, scale: loss.scale ?? 20 };
      case 'cosine-similarity':
        return { op: 'cosine_similarity', ...fields, scores: scores! };
      case 'cosent':
        return { op: 'cosent', ...fields, scores: scores!, scale: loss.scale ?? 20 };
      case 'triplet':
        return { op: 'triplet', ...fields, margin: loss.margin ?? 5 };
    }
  });
}
