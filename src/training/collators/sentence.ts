import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { SentenceLoss } from '../program/tasks.js';
import { cosine } from '../sentence/loss-sum.js';
import { isNumbers, textsOf, type SentenceShape } from '../sentence/rows.js';
import type { CollatedBatch, Collator, EncodedSequence, Example, ReadPredictions } from './collator.js';
import { countTokens, sumOf } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';
import { packBatch } from '../../runtime/batch.js';

/** Options of `SentenceCollator`. */
export interface SentenceOptions extends Pick<RowOptions, 'maxLength'> {
  /** Which columns hold what, and how many texts a row has. */
  readonly shape: SentenceShape;
  /** What is learned; undefined for rows that are only scored. */
  readonly loss?: SentenceLoss['loss'] | undefined;
  /** Each row's one text is its own positive: dropout makes the difference (Gao et al., 2021). */
  readonly repeats?: boolean | undefined;
  /** What scores are divided by. Default 1. */
  readonly maxScore?: number | undefined;
  /** Whether the texts of a batch differ. */
  readonly distinct?: boolean | undefined;
  /** Numbers of a text's vector. */
  readonly width: number;
}

/** The texts of a row as tokens, and what they are labelled with. */
interface SentenceExample extends Example {
  readonly score?: number;
  readonly vector?: Float32Array;
}

/**
 * Rows of texts for sentence embeddings: pairs, triplets or more, pairs with a score, texts with a teacher's vector. A micro-batch holds the
 * first texts of all rows, then the second ones, and so on.
 *
 * Errors of `encode`: DATASET (a missing text or label, another number of texts than in the first row; file and line are named), MAX_LENGTH.
 */
export class SentenceCollator implements Collator<Row, SentenceExample> {
  readonly #reader: RowReader;
  readonly #options: SentenceOptions;
  readonly isDistinct: boolean;

  constructor(model: TextModel, options: SentenceOptions) {
    const { maxLength, distinct = false } = options;
    this.#reader = new RowReader(model, { maxLength }, undefined, model.sentence?.doLowerCase);
    this.#options = options;
    this.isDistinct = distinct;
  }

  *encode(row: Row, index: number): Generator<void, SentenceExample | undefined> {
    const { shape, loss, distinct } = this.#options;
    const texts = textsOf(row, shape.texts, index);
    if (texts.length !== shape.count) {
      throw unexpected('DATASET', `${shape.count} texts, as in the first row, in ${describeRow(row, index)}`, texts.length);
    }
    if (loss === 'multiple-negatives-ranking' || loss === 'triplet') {
      const [anchor, positive, ...negatives] = texts;
      if (negatives.some((text) => text === anchor || text === positive)) {
        this.#reader.note('were left out, as a negative is their own anchor or positive', row, index);
        return undefined;
      }
    }
    const sequences: EncodedSequence[] = [];
    for (const text of texts) sequences.push(sequenceOf(yield* this.#reader.encode(text, row, index)));
    return {
      index,
      sequences,
      tokens: countTokens(sequences),
      ...this.#labelOf(row, index),
      ...(distinct === true ? { values: [...new Set(texts)] } : {}),
    };
  }

  #labelOf(row: Row, index: number): Pick<SentenceExample, 'score' | 'vector'> {
    const { shape, loss, maxScore = 1 } = this.#options;
    const needs = loss === undefined ? shape.labels : labelsOfLoss[loss];
    if (needs === undefined) return {};
    const value = shape.label === undefined ? undefined : row[shape.label];
    const where = `${shape.label === undefined ? '' : `${JSON.stringify(shape.label)} of `}${describeRow(row, index)}`;
    if (needs === 'vectors') {
      if (isNumbers(value) && value.length === shape.dimensions) return { vector: Float32Array.from(value) };
      throw unexpected('DATASET', `a vector of ${shape.dimensions} numbers, as in the first row, in ${where}`, describe(value));
    }
    const isText = typeof value === 'string' && value.trim() !== '';
    const score = isText || typeof value === 'number' || typeof value === 'boolean' ? Number(value) / maxScore : Number.NaN;
    if (!Number.isFinite(score)) throw unexpected('DATASET', `a score in ${where}`, describe(value));
    if (loss === 'cosine-similarity' && Math.abs(score) > 1) {
      throw unexpected('DATASET', `a score from -1 to 1 in ${where}`, String(score), {
        hint: 'maxScore divides them: 5 for scores from 0 to 5.',
      });
    }
    return { score };
  }

  collate(examples: readonly SentenceExample[]): CollatedBatch {
    const { shape, loss, repeats } = this.#options;
    const count = repeats === true ? 2 : shape.count;
    const columns = Array.from({ length: count }, (_, column) =>
      examples.map(({ sequences }) => sequences[repeats === true ? 0 : column]!),
    );
    const rows = examples.length;
    const packed = packBatch(columns.flat());
    const [numbers, items] = numbersOf(examples, count, loss);
    return {
      rows,
      tokens: sumOf(examples, ({ tokens }) => tokens) * (repeats === true ? 2 : 1),
      numItems: [items],
      batch: numbers === undefined ? packed : { ...packed, numbers },
      ...(loss === undefined ? { isOnlyScored: true } : {}),
      read: (vectors) => this.#read(vectors, examples, count),
    };
  }

  warn(): void {
    this.#reader.warn();
  }

  #read(vectors: Float32Array, examples: readonly SentenceExample[], count: number): ReadPredictions {
    const { width } = this.#options;
    const rows = examples.length;
    const at = (column: number, row: number): Float32Array => {
      const begin = (column * rows + row) * width;
      return vectors.subarray(begin, begin + width);
    };
    if (examples.every(({ vector }) => vector !== undefined)) {
      const predictions = examples.map((_, row) => Array.from({ length: count }, (_column, column) => at(column, row).slice()));
      return { predictions, labels: examples.map(({ vector }) => vector) };
    }
    if (examples.every(({ score }) => score !== undefined)) {
      return { predictions: examples.map((_, row) => cosine(at(0, row), at(1, row))), labels: examples.map(({ score }) => score) };
    }
    if (count < 2) return { predictions: examples.map((_, row) => at(0, row).slice()), labels: [] };
    // The place of the nearest text among the row's own ones; of pairs among the batch's second ones.
    const nearest = (row: number): number => {
      const anchor = at(0, row);
      if (count > 2) return placeOfLargest(Array.from({ length: count - 1 }, (_, i) => cosine(anchor, at(i + 1, row))));
      return placeOfLargest(examples.map((_, other) => cosine(anchor, at(1, other)))) === row ? 0 : 1;
    };
    return { predictions: examples.map((_, row) => nearest(row)), labels: examples.map(() => 0) };
  }
}

const labelsOfLoss: Readonly<Record<SentenceLoss['loss'], SentenceShape['labels']>> = {
  'multiple-negatives-ranking': undefined,
  triplet: undefined,
  'cosine-similarity': 'scores',
  cosent: 'scores',
  'mean-squared-error': 'vectors',
};

/** The input `numbers` of a loss, and what counts in it. */
function numbersOf(
  examples: readonly SentenceExample[],
  count: number,
  loss: SentenceLoss['loss'] | undefined,
): readonly [numbers: Float32Array | undefined, items: number] {
  const rows = examples.length;
  switch (loss) {
    case undefined:
      return [undefined, 0];
    case 'multiple-negatives-ranking':
    case 'triplet':
      return [undefined, rows];
    case 'cosine-similarity':
    case 'cosent': {
      // Scores stand at the first texts of the pairs.
      const scores = new Float32Array(count * rows);
      examples.forEach(({ score }, i) => (scores[i] = score!));
      return [scores, loss === 'cosent' ? 1 : rows];
    }
    case 'mean-squared-error': {
      const width = examples[0]!.vector!.length;
      const targets = new Float32Array(count * rows * width);
      for (let i = 0; i < count * rows; i++) targets.set(examples[i % rows]!.vector!, i * width);
      return [targets, count * rows];
    }
  }
}

function placeOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function describe(value: unknown): string {
  if (isNumbers(value)) return `${value.length} numbers`;
  return value === undefined || value === null ? 'none' : JSON.stringify(value).slice(0, 60);
}
