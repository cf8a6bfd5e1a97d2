import { unexpected, wrongOption } from '../../expected.js';
import { integer, oneOf, type Check } from '../../options.js';
import type { VectorLike } from '../../vectors/vector-like.js';
import type { SentenceLoss, TrainingTaskOptions } from '../program/tasks.js';
import type { SentenceShape } from './rows.js';

/** Losses of sentence embeddings, by the names of sentence-transformers; SimCSE is MultipleNegativesRanking of a text with itself under dropout. */
export const sentenceLossNames = ['MultipleNegativesRanking', 'CosineSimilarity', 'CoSENT', 'Triplet', 'SimCSE', 'MSE'] as const;

/** One of them. */
export type SentenceLossName = (typeof sentenceLossNames)[number];

/** What gives texts their vectors: an embedder, or anything with its `embed`. */
export interface Teacher {
  embed(texts: readonly string[]): Promise<readonly VectorLike[]>;
}

/** Options of `train` for the task 'sentence-embedding'. */
export interface SentenceTrainingOptions {
  /** Default: by the rows; CoSENT for pairs with a score, MSE for texts with a vector or with a teacher, SimCSE for single texts, else MultipleNegativesRanking. */
  readonly loss?: SentenceLossName | undefined;
  /** What similarities are multiplied by: MultipleNegativesRanking, SimCSE, CoSENT. Default 20. */
  readonly scale?: number | undefined;
  /** Of Triplet. Default 5. */
  readonly margin?: number | undefined;
  /** Numbers of leading dimensions for each of which the loss is computed (Kusupati et al., 2022). */
  readonly matryoshkaDims?: readonly number[] | undefined;
  /** A weight for each. Default 1. */
  readonly matryoshkaWeights?: readonly number[] | undefined;
  /** Of MSE: gives the vectors of the first column's texts, which the texts of all columns are to have. */
  readonly teacher?: Teacher | undefined;
  /** What scores are divided by: 5 for scores from 0 to 5. Default 1. */
  readonly maxScore?: number | undefined;
  /** 'no_duplicates': no text is twice in a batch, as they are each other's negatives. Default: that for MultipleNegativesRanking and SimCSE. */
  readonly batchSampler?: 'batch_sampler' | 'no_duplicates' | undefined;
  /**
   * Texts that are computed at once, where the batch is larger than memory (GradCache): the loss is that of the whole batch, for one more
   * forward. Default: all of the batch.
   */
  readonly miniBatchSize?: number | undefined;
  /** Scores of the live model, computed at each evaluation, such as `(embedder) => evaluateRetrieval(embedder, data)`; names get `eval_`. */
  readonly evaluator?: ((embedder: Teacher) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>) | undefined;
}

const positive: Check<number> = (value, name) => {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw wrongOption(`a positive number for ${name}`, value);
};

const listOf =
  (check: Check<number>): Check<readonly number[]> =>
  (value, name) => {
    if (!Array.isArray(value) || value.length === 0) throw wrongOption(`an array of numbers for ${name}`, value);
    return value.map((each) => check(each, name));
  };

const teacher: Check<Teacher> = (value, name) => {
  if (typeof (value as Partial<Teacher> | null)?.embed === 'function') return value as Teacher;
  throw wrongOption(`an embedder for ${name}`, value);
};

const evaluator: Check<NonNullable<SentenceTrainingOptions['evaluator']>> = (value, name) => {
  if (typeof value === 'function') return value as NonNullable<SentenceTrainingOptions['evaluator']>;
  throw wrongOption(`a function for ${name}`, value);
};

/** Their checks. */
export const sentenceSchema = {
  loss: oneOf(sentenceLossNames),
  scale: positive,
  margin: positive,
  matryoshkaDims: listOf(integer(1, 1 << 16)),
  matryoshkaWeights: listOf(positive),
  teacher,
  maxScore: positive,
  miniBatchSize: integer(1, 1 << 16),
  batchSampler: oneOf(['batch_sampler', 'no_duplicates']),
  evaluator,
};

/** How a program learns what the options say, from rows of a shape. */
export interface SentencePlan extends Pick<TrainingTaskOptions, 'sentenceLoss' | 'matryoshka'> {
  readonly sentenceLoss: SentenceLoss;
  /** Each row's one text is its own positive. */
  readonly repeats: boolean;
  readonly distinct: boolean;
}

/** What each loss alone reads. */
const readBy: Readonly<Record<'scale' | 'margin' | 'teacher' | 'maxScore', readonly SentenceLossName[]>> = {
  scale: ['MultipleNegativesRanking', 'SimCSE', 'CoSENT'],
  margin: ['Triplet'],
  teacher: ['MSE'],
  maxScore: ['CosineSimilarity', 'CoSENT'],
};

/** Chooses the loss and checks that rows and options fit it. Errors: INVALID_OPTION, DATASET. */
export function sentencePlan(options: SentenceTrainingOptions, shape: SentenceShape): SentencePlan {
  const loss = options.loss ?? lossFor(options, shape);
  for (const [name, losses] of Object.entries(readBy)) {
    if (options[name as keyof typeof readBy] === undefined || losses.includes(loss)) continue;
    throw unexpected('INVALID_OPTION', `options of ${loss}`, `${name}, which is for ${losses.join(', ')}`);
  }
  const fits = textsOf[loss];
  if (shape.count < fits.least || shape.count > fits.most) {
    throw unexpected('DATASET', `${fits.words} in each row for ${loss}`, `${shape.count} (${shape.texts.join(', ')})`);
  }
  if ((loss === 'CosineSimilarity' || loss === 'CoSENT') && shape.labels !== 'scores') {
    throw unexpected('DATASET', `a score (label, score, similarity …) in each row for ${loss}`, 'none');
  }
  if (loss === 'MSE' && shape.labels !== 'vectors') {
    throw unexpected('DATASET', 'a teacher, or its vector as the label of each row, for MSE', 'neither');
  }
  return {
    sentenceLoss: programLoss(loss, options, shape),
    repeats: loss === 'SimCSE',
    distinct: (options.batchSampler ?? (isRanking(loss) ? 'no_duplicates' : 'batch_sampler')) === 'no_duplicates',
    ...matryoshkaOf(options),
  };
}

const textsOf: Readonly<Record<SentenceLossName, { readonly least: number; readonly most: number; readonly words: string }>> = {
  MultipleNegativesRanking: { least: 2, most: Infinity, words: 'two or more texts' },
  SimCSE: { least: 1, most: 1, words: 'one text' },
  CosineSimilarity: { least: 2, most: 2, words: 'two texts' },
  CoSENT: { least: 2, most: 2, words: 'two texts' },
  Triplet: { least: 3, most: 3, words: 'three texts' },
  MSE: { least: 1, most: Infinity, words: 'texts' },
};

function lossFor({ teacher: giver }: SentenceTrainingOptions, { labels, count }: SentenceShape): SentenceLossName {
  if (giver !== undefined || labels === 'vectors') return 'MSE';
  if (labels === 'scores' && count === 2) return 'CoSENT';
  return count === 1 ? 'SimCSE' : 'MultipleNegativesRanking';
}

function isRanking(loss: SentenceLossName): boolean {
  return loss === 'MultipleNegativesRanking' || loss === 'SimCSE';
}

function programLoss(
  loss: SentenceLossName,
  { scale, margin }: SentenceTrainingOptions,
  { count, dimensions }: SentenceShape,
): SentenceLoss {
  const scaled = scale === undefined ? {} : { scale };
  switch (loss) {
    case 'MultipleNegativesRanking':
      return { loss: 'multiple-negatives-ranking', columns: count, ...scaled };
    case 'SimCSE':
      return { loss: 'multiple-negatives-ranking', columns: 2, ...scaled };
    case 'CosineSimilarity':
      return { loss: 'cosine-similarity' };
    case 'CoSENT':
      return { loss: 'cosent', ...scaled };
    case 'Triplet':
      return { loss: 'triplet', ...(margin === undefined ? {} : { margin }) };
    case 'MSE':
      return { loss: 'mean-squared-error', dimensions: dimensions! };
  }
}

function matryoshkaOf({ matryoshkaDims: dims, matryoshkaWeights: weights }: SentenceTrainingOptions): Pick<SentencePlan, 'matryoshka'> {
  if (dims === undefined) {
    if (weights === undefined) return {};
    throw unexpected('INVALID_OPTION', 'matryoshkaDims with matryoshkaWeights', 'none');
  }
  if (weights !== undefined && weights.length !== dims.length) {
    throw unexpected('INVALID_OPTION', `${dims.length} matryoshkaWeights, one for each of matryoshkaDims`, weights.length);
  }
  return { matryoshka: { dims, ...(weights === undefined ? {} : { weights }) } };
}
