import { colors } from '../terminal/colors.js';
import { similarity } from '../../index.js';
import type { Output } from '../output.js';
import { fit, kGap, table, type Column } from '../terminal/table.js';
import { shorten, terminalWidth } from '../terminal/width.js';
import type { EmbeddedText, EmbeddingWriter } from './embedding-writer.js';

/** Numbers of each vector that are shown, and texts in the similarity matrix at most. */
const kNumbersShown = 5;
const kMatrixTexts = 12;
const kMatrixWidth = 7;
const kTextWidth = { min: 12, max: 44, narrow: 24 };
/** Columns of a number with four digits and of the space before the next. */
const kNumberWidth = 8;

/** A line per text, then how similar the first texts are to each other. */
export class EmbeddingTable implements EmbeddingWriter {
  readonly #output: Output;
  readonly #columns: readonly Column[];
  readonly #textWidth: number;
  #numbers: number;
  readonly #compared: EmbeddedText[] = [];
  #rows = 0;

  /** `width` numbers a vector; `longest` is the length of the longest text, where it is known. */
  constructor(output: Output, width: number, longest = Infinity) {
    this.#output = output;
    const columns = [
      { name: '#', width: 5, align: 'right' as const },
      { name: 'text', width: Math.min(Math.max(longest, kTextWidth.min), kTextWidth.max) },
      { name: 'tokens', width: 6, align: 'right' as const },
      { name: 'cut', width: 3 },
    ];
    const fixed = columns.reduce((sum, column) => sum + column.width + kGap, 0) - columns[1]!.width;
    const vectorWidth = (numbers: number): number => numbers * kNumberWidth + 2;
    // Fewer numbers where the terminal has no room for a text beside five.
    this.#numbers = kNumbersShown;
    while (this.#numbers > 2 && fixed + kTextWidth.narrow + vectorWidth(this.#numbers) > terminalWidth()) this.#numbers--;
    this.#columns = fit(
      [...columns, { name: `vector of ${width} numbers`, width: Math.max(vectorWidth(this.#numbers), 22) }],
      terminalWidth(),
      'text',
    );
    this.#textWidth = this.#columns[1]!.width;
  }

  async write(rows: readonly EmbeddedText[]): Promise<void> {
    const cells = rows.map(({ index, item, tokens, truncated, vector }) => [
      String(index),
      shorten(item.text, this.#textWidth),
      String(tokens),
      truncated ? colors.yellow('yes') : 'no',
      Array.from(vector.subarray(0, this.#numbers), fourDigits).join(' ') + (vector.length > this.#numbers ? ' …' : ''),
    ]);
    await this.#output.write(table(this.#columns, cells, { header: this.#rows === 0 }));
    this.#compared.push(...rows.slice(0, this.#matrixTexts - this.#compared.length));
    this.#rows += rows.length;
  }

  /** As many as the terminal has room for. */
  get #matrixTexts(): number {
    return Math.min(kMatrixTexts, Math.floor((terminalWidth() - 5) / (kMatrixWidth + kGap)));
  }

  async finish(): Promise<void> {
    if (this.#compared.length < 2) return;
    const which = this.#rows > this.#compared.length ? ` of the first ${this.#compared.length} of ${this.#rows} texts` : '';
    const columns: Column[] = [
      { name: '#', width: 5, align: 'right' },
      ...this.#compared.map(({ index }) => ({ name: String(index), width: kMatrixWidth, align: 'right' as const })),
    ];
    const cells = similarity(this.#compared, this.#compared).map((row, i) => [String(i), ...Array.from(row, fourDigits)]);
    await this.#output.write(`\nCosine similarity${which}\n${table(columns, cells, { header: true })}`);
  }
}

function fourDigits(value: number): string {
  return value.toFixed(4).padStart(7);
}
