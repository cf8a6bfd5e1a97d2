import pc from 'picocolors';
import { similarity } from '../../index.js';
import type { Output } from '../output.js';
import { shorten, table, type Column } from '../table.js';
import type { EmbeddedText, EmbeddingWriter } from './embedding-writer.js';

/** Numbers of each vector that are shown, and texts in the similarity matrix at most. */
const kNumbersShown = 5;
const kMatrixTexts = 12;
const kTextWidth = { min: 12, max: 44 };

/** A line per text, then how similar the first texts are to each other. */
export class EmbeddingTable implements EmbeddingWriter {
  readonly #output: Output;
  readonly #columns: readonly Column[];
  readonly #textWidth: number;
  readonly #compared: EmbeddedText[] = [];
  #rows = 0;

  /** `width` numbers a vector; `longest` is the length of the longest text, where it is known. */
  constructor(output: Output, width: number, longest = Infinity) {
    this.#output = output;
    this.#textWidth = Math.min(Math.max(longest, kTextWidth.min), kTextWidth.max);
    this.#columns = [
      { name: '#', width: 5, align: 'right' },
      { name: 'text', width: this.#textWidth },
      { name: 'tokens', width: 6, align: 'right' },
      { name: 'cut', width: 3 },
      { name: `vector of ${width} numbers`, width: kNumbersShown * 8 + 2 },
    ];
  }

  async write(rows: readonly EmbeddedText[]): Promise<void> {
    const cells = rows.map(({ index, text, tokens, truncated, vector }) => [
      String(index),
      shorten(text, this.#textWidth),
      String(tokens),
      truncated ? pc.yellow('yes') : 'no',
      Array.from(vector.subarray(0, kNumbersShown), fourDigits).join(' ') + (vector.length > kNumbersShown ? ' …' : ''),
    ]);
    await this.#output.write(table(this.#columns, cells, { header: this.#rows === 0 }));
    this.#compared.push(...rows.slice(0, kMatrixTexts - this.#compared.length));
    this.#rows += rows.length;
  }

  async finish(): Promise<void> {
    if (this.#compared.length < 2) return;
    const which = this.#rows > this.#compared.length ? ` of the first ${this.#compared.length} of ${this.#rows} texts` : '';
    const columns: Column[] = [
      { name: '#', width: 5, align: 'right' },
      ...this.#compared.map(({ index }) => ({ name: String(index), width: 7, align: 'right' as const })),
    ];
    const cells = similarity(this.#compared, this.#compared).map((row, i) => [String(i), ...Array.from(row, fourDigits)]);
    await this.#output.write(`\nCosine similarity${which}\n${table(columns, cells, { header: true })}`);
  }
}

function fourDigits(value: number): string {
  return value.toFixed(4).padStart(7);
}
