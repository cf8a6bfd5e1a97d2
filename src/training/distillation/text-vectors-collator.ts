import { asIds, TextReader, type TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { pearson, spearman } from '../../metrics/index.js';
import type { EncodedIds } from '../../tokenizer/index.js';
import { similarity } from '../../vectors/similarity.js';
import type { CollatedBatch, Collator, Example } from '../collators/collator.js';
import { packExamples, sumOf } from '../collators/pack.js';
import { Columns, type ColumnNames } from '../datasets/columns.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { EvalPrediction } from '../trainer/evaluation.js';

/** How sentences are read. */
export interface TextVectorsOptions {
  readonly columns?: ColumnNames | undefined;
  /** Default: the model's limit. */
  readonly maxLength?: number | undefined;
}

/** A sentence, or two with the score that people gave them. */
export interface TextVectorsExample extends Example {
  readonly score: number | undefined;
}

/** Rows of a text, or of two, whose vectors are learned; two texts with a score are compared in evaluations. Errors of `encode`: DATASET, MAX_LENGTH. */
export class TextVectorsCollator implements Collator<Row, TextVectorsExample> {
  readonly #columns: Columns;
  readonly #reader: TextReader;

  /** Errors: MAX_LENGTH. */
  constructor(model: TextModel, { columns, maxLength }: TextVectorsOptions) {
    this.#columns = new Columns(columns);
    this.#reader = new TextReader('the dataset', model, { maxLength });
  }

  *encode(row: Row, index: number): Generator<void, TextVectorsExample> {
    const texts = [this.#columns.text(row, 'text', index)];
    const pair = this.#columns.get(row, 'textPair');
    if (typeof pair === 'string') texts.push(pair);
    // Of a single text it is a class, which nothing here reads.
    const label = texts.length === 2 ? this.#columns.get(row, 'label') : undefined;
    const score = label === undefined || label === null || label === '' ? undefined : Number(label);
    if (score !== undefined && !Number.isFinite(score)) {
      throw unexpected('DATASET', `a number as the score of ${describeRow(row, index)}`, JSON.stringify(label));
    }
    const encoded: EncodedIds[] = [];
    for (const text of texts) encoded.push(yield* this.#reader.read(text, index, asIds));
    const sequences = encoded.map(({ ids }) => ({ ids }));
    return {
      index,
      sequences,
      tokens: sumOf(
        encoded.map(({ ids }) => ids.length),
        (length) => length,
      ),
      score,
    };
  }

  collate(examples: readonly TextVectorsExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const sequences = packed.cuSeqlens.length - 1;
    const { poolSkip } = this.#reader;
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [sequences],
      batch: { ...packed, ...(poolSkip === 0 ? {} : { poolSkip: new Int32Array(sequences).fill(poolSkip) }) },
      read: (vectors) => {
        const width = vectors.length / sequences;
        let begin = 0;
        const predictions = examples.map(({ sequences: { length } }) => {
          const rows = Array.from({ length }, (_, i) => vectors.slice((begin + i) * width, (begin + i + 1) * width));
          begin += length;
          return length === 2 ? similarity(rows[0]!, rows[1]!) : rows[0]!;
        });
        const isScored = examples.every(({ score, sequences: { length } }) => score !== undefined && length === 2);
        return { predictions, labels: isScored ? examples.map(({ score }) => score) : [] };
      },
    };
  }

  warn(): void {
    this.#reader.warn();
  }
}

/** How well cosines follow the scores of pairs; nothing where there are no pairs with scores. */
export function textVectorsMetrics({ predictions, labels }: EvalPrediction): Readonly<Record<string, number>> {
  if (labels.length < 2 || labels.length !== predictions.length) return {};
  const [scores, cosines] = [labels as number[], predictions as number[]];
  return { pearson: pearson(scores, cosines), spearman: spearman(scores, cosines) };
}
