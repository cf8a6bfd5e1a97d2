import type { TextInput } from '../../calls/inputs.js';
import { asEncoding, TextReader, type TextModel } from '../../calls/text-reader.js';
import { BerthaError } from '../../errors.js';
import { Columns, type ColumnNames } from '../datasets/columns.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { EncodeOptions, Encoding } from '../../tokenizer/index.js';
import type { EncodedSequence } from './collator.js';

/** What reading the rows of any task depends on. */
export interface RowOptions {
  /** Which columns hold what. Default: found by the usual names. */
  readonly columns?: ColumnNames | undefined;
  /** Longest sequence in tokens, special tokens included. Default: the model's limit. */
  readonly maxLength?: number | undefined;
}

/** Without a prompt, pooling has no say in how texts are read. */
const kPlainPooling = { modes: ['mean'], includePrompt: true, wordEmbeddingDimension: 0 } as const;

/** Reads the texts of rows in slices of the event loop, and counts what was left out of them. */
export class RowReader {
  readonly columns: Columns;
  readonly #reader: TextReader;
  readonly #warnings = new Map<string, { count: number; first: string }>();

  /** Errors: MAX_LENGTH for a limit that the model cannot have. */
  constructor(
    { tokenizer, maxTokens, config }: TextModel,
    { columns, maxLength }: RowOptions,
    encode?: EncodeOptions,
    /** sentence-transformers' own lower case, which its encoders have and heads have not. */
    doLowerCase = false,
  ) {
    this.columns = new Columns(columns);
    // Prompts are for what is searched, not for what is learned, unless the rows have them.
    const sentence = doLowerCase ? { doLowerCase, prompts: {}, pooling: kPlainPooling } : undefined;
    this.#reader = new TextReader('the dataset', { tokenizer, maxTokens, config, sentence }, { maxLength }, encode);
  }

  /** The tokens of a text of a row. Errors: MAX_LENGTH, INPUT_TOO_LARGE; the row is named. */
  *encode(input: TextInput, row: Row, index: number): Generator<void, Encoding> {
    try {
      const encoding = yield* this.#reader.read(input, index, asEncoding);
      if (encoding.truncated && !this.#reader.isWindowed) {
        this.note(`were cut at ${this.#reader.maxLength} tokens`, row, index);
      }
      return encoding;
    } catch (error) {
      if (!(error instanceof BerthaError)) throw error;
      throw new BerthaError(error.code, `${error.message.replace(/ at index \d+( of the dataset)?/, '')} In ${describeRow(row, index)}.`, {
        cause: error,
      });
    }
  }

  /** Counts a row of which something was left out; `what` follows "N rows …". */
  note(what: string, row: Row, index: number): void {
    const known = this.#warnings.get(what);
    if (known === undefined) this.#warnings.set(what, { count: 1, first: describeRow(row, index) });
    else known.count++;
  }

  /** Tells what was counted, each thing once, as process warnings. */
  warn(): void {
    for (const [what, { count, first }] of this.#warnings) {
      const rows = count === 1 ? '1 row' : `${count} rows`;
      process.emitWarning(`${rows} of the dataset, the first ${first}, ${count === 1 ? what.replace(/^were /, 'was ') : what}.`, {
        code: 'BERTHA_DATASET',
      });
    }
    this.#warnings.clear();
  }
}

/** What a micro-batch needs of an encoding: the rest of it is not held. */
export function sequenceOf({ ids, typeIds }: Encoding): EncodedSequence {
  return typeIds.some((type) => type !== 0) ? { ids, typeIds } : { ids };
}
