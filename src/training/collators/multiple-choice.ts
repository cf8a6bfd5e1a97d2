import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, EncodedSequence, Example } from './collator.js';
import { countTokens, packExamples, sumOf } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `MultipleChoiceCollator`. */
export interface MultipleChoiceOptions extends RowOptions {
  /** Choices of each row: all must have as many. */
  readonly numChoices: number;
}

/** A question with its choices. */
export interface ChoiceExample extends Example {
  /** The right choice, from 0; -100 does not count; undefined without a label. */
  readonly label: number | undefined;
}

const kIgnored = -100;

/**
 * Questions with choices: rows { question or context (or both), choices, label }, or SWAG's { sent1, sent2, ending0 … }. Each choice is a sequence: the first
 * text, and the choice behind the question. Labels are numbers from 0 or letters from A.
 *
 * Errors of `encode`: DATASET, MAX_LENGTH.
 */
export class MultipleChoiceCollator implements Collator<Row, ChoiceExample> {
  readonly #reader: RowReader;
  readonly #numChoices: number;

  constructor(model: TextModel, options: MultipleChoiceOptions) {
    this.#reader = new RowReader(model, options);
    this.#numChoices = options.numChoices;
  }

  *encode(row: Row, index: number): Generator<void, ChoiceExample> {
    const { columns } = this.#reader;
    const where = (): string => describeRow(row, index);
    const choices = choicesOf(row, columns.get(row, 'choices'));
    if (choices?.length !== this.#numChoices) {
      throw unexpected(
        'DATASET',
        `${this.#numChoices} choices, as in every row, in ${where()}`,
        choices === undefined ? 'none' : choices.length,
      );
    }
    const question = columns.get(row, 'question');
    const context = columns.get(row, 'context');
    if (typeof question !== 'string' && typeof context !== 'string') throw columns.missing(row, 'question', index);
    const sequences: EncodedSequence[] = [];
    for (const choice of choices) {
      const [text, textPair] =
        typeof context === 'string' && typeof question === 'string'
          ? [context, `${question} ${choice}`]
          : [(context ?? question) as string, choice];
      sequences.push(sequenceOf(yield* this.#reader.encode({ text, textPair }, row, index)));
    }
    return { index, sequences, tokens: countTokens(sequences), label: readChoice(columns.get(row, 'label'), choices.length, where) };
  }

  collate(examples: readonly ChoiceExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const choices = this.#numChoices;
    const labels = new Int32Array(examples.length * choices).fill(kIgnored);
    // The loss reads the label at the first sequence of each group.
    examples.forEach(({ label }, i) => (labels[i * choices] = label ?? kIgnored));
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [sumOf(examples, ({ label }) => (label === undefined || label === kIgnored ? 0 : 1))],
      batch: { ...packed, labels },
      read: (logits) => ({
        predictions: examples.map((_, i) => logits.slice(i * choices, (i + 1) * choices)),
        labels: examples.some(({ label }) => label === undefined) ? [] : examples.map(({ label }) => label),
      }),
    };
  }

  warn(): void {
    this.#reader.warn();
  }
}

/** The choices of a row: a list, RACE's and ARC's { text }, or SWAG's columns ending0, ending1 … */
export function choicesOf(row: Row, value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? (value as unknown[]) : (value as { text?: unknown[] } | undefined)?.text;
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
  const endings: string[] = [];
  for (let i = 0; typeof row[`ending${i}`] === 'string'; i++) endings.push(row[`ending${i}`] as string);
  return endings.length > 0 ? endings : undefined;
}

function readChoice(value: unknown, choices: number, where: () => string): number | undefined {
  if (value === undefined || value === '') return undefined;
  const isLetter = typeof value === 'string' && /^[A-Z]$/i.test(value);
  const label = isLetter ? value.toUpperCase().charCodeAt(0) - 65 : Number(value);
  if (label === kIgnored || (Number.isInteger(label) && label >= 0 && label < choices)) return label;
  throw unexpected('DATASET', `a choice of 0..${choices - 1}, or a letter, as the label of ${where()}`, JSON.stringify(value));
}
