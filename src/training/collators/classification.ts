import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { isZeroOneRow, namesOf, type LabelSet } from '../datasets/label-set.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, Example, ReadPredictions } from './collator.js';
import { packExamples, sumOf } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `ClassificationCollator`. */
export interface ClassificationOptions extends RowOptions {
  readonly labels: LabelSet;
  /** Whether rows must have a second text (cross-encoders, next sentence). Default: read where there is one. */
  readonly pairs?: boolean | undefined;
}

/** A text, or a pair of texts, and what it is labelled with. */
export interface LabelledExample extends Example {
  /** A class (-100: does not count), or a number for each label; undefined without a label. */
  readonly label: number | Float32Array | undefined;
}

const kIgnored = -100;

/**
 * Rows of text, or of two texts, with a class, several classes or numbers: for sequence classification, regression, next sentence and cross-encoders. Labels
 * are names or ids. Errors of `encode`: DATASET (a missing text, a label outside the set; file and line are named), MAX_LENGTH.
 */
export class ClassificationCollator implements Collator<Row, LabelledExample> {
  readonly #reader: RowReader;
  readonly #labels: LabelSet;
  readonly #pairs: boolean | undefined;

  constructor(model: TextModel, options: ClassificationOptions) {
    this.#reader = new RowReader(model, options);
    this.#labels = options.labels;
    this.#pairs = options.pairs;
  }

  *encode(row: Row, index: number): Generator<void, LabelledExample> {
    const { columns } = this.#reader;
    const text = columns.text(row, 'text', index);
    const pair = this.#pairs === true ? columns.text(row, 'textPair', index) : columns.get(row, 'textPair');
    const label = readLabel(columns.get(row, 'label'), this.#labels, () => describeRow(row, index));
    const input = typeof pair === 'string' && this.#pairs !== false ? { text, textPair: pair } : text;
    const sequence = sequenceOf(yield* this.#reader.encode(input, row, index));
    return { index, sequences: [sequence], tokens: sequence.ids.length, label };
  }

  collate(examples: readonly LabelledExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const { kind, id2label } = this.#labels;
    const width = id2label.length;
    const counts = sumOf(examples, ({ label }) => (label === undefined || label === kIgnored ? 0 : 1));
    const inputs =
      kind === 'class'
        ? { labels: Int32Array.from(examples, ({ label }) => (typeof label === 'number' ? label : kIgnored)) }
        : { numbers: joined(examples, width) };
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [counts],
      batch: { ...packed, ...inputs },
      read: (logits) => readRows(logits, width, examples),
    };
  }

  warn(): void {
    this.#reader.warn();
  }
}

/** [examples, width]; NaN for what has no label. */
function joined(examples: readonly LabelledExample[], width: number): Float32Array {
  const numbers = new Float32Array(examples.length * width).fill(Number.NaN);
  examples.forEach(({ label }, i) => {
    if (typeof label === 'object') numbers.set(label, i * width);
  });
  return numbers;
}

function readRows(logits: Float32Array, width: number, examples: readonly LabelledExample[]): ReadPredictions {
  return {
    predictions: examples.map((_, i) => logits.slice(i * width, (i + 1) * width)),
    labels: examples.some(({ label }) => label === undefined) ? [] : examples.map(({ label }) => label),
  };
}

/** A label as the losses take it. `where` names the row. Errors: DATASET. */
function readLabel(value: unknown, set: LabelSet, where: () => string): number | Float32Array | undefined {
  if (value === undefined || value === '') return undefined;
  if (set.kind === 'class') return readClass(value, set, where);
  const width = set.id2label.length;
  const cells =
    set.kind === 'numbers' && typeof value !== 'string' ? (Array.isArray(value) ? (value as unknown[]) : [value]) : namesOf(value);
  if (set.kind === 'numbers' || (isZeroOneRow(cells) && cells.length === width)) {
    const numbers = Float32Array.from(cells, (cell) => (typeof cell === 'string' && cell.trim() === '' ? Number.NaN : Number(cell)));
    if (numbers.length === width && numbers.every(Number.isFinite)) return numbers;
    throw unexpected('DATASET', `${width === 1 ? 'a number' : `${width} numbers`} as the label of ${where()}`, JSON.stringify(value));
  }
  const row = new Float32Array(width);
  for (const cell of cells) row[readClass(cell, set, where)] = 1;
  return row;
}

/** The id of a class by its name or id. Errors: DATASET. */
export function readClass(value: unknown, { label2id, id2label }: LabelSet, where: () => string): number {
  if (value === kIgnored) return kIgnored;
  const byName = label2id.get(String(value));
  if (byName !== undefined) return byName;
  const id = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < id2label.length) return id as number;
  const known = id2label.slice(0, 10).join(', ') + (id2label.length > 10 ? ', …' : '');
  throw unexpected(
    'DATASET',
    `one of the ${id2label.length} labels (${known}), or an id from 0, for ${where()}`,
    JSON.stringify(value) ?? 'nothing',
  );
}
