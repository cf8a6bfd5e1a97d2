import pc from 'picocolors';
import { similarity } from '../../index.js';
import type { EmbeddedText } from '../commands/embed.js';
import type { Output } from '../output.js';
import { shorten, table, type Column } from '../table.js';

/** Numbers of each vector that are shown, and texts in the similarity matrix at most. */
const kNumbersShown = 5;
const kMatrixTexts = 12;
const kTextWidth = { min: 12, max: 44 };

/** A line per text, then how similar the first texts are to each other. */
export class EmbeddingTable {
  readonly #output: Output;
  readonly #width: number;
  readonly #compared: EmbeddedText[] = [];
  #columns: readonly Column[] | undefined;
  #rows = 0;

  constructor(output: Output, width: number) {
    this.#output = output;
    this.#width = width;
  }

  async write(rows: readonly EmbeddedText[]): Promise<void> {
    // The first texts decide how wide their column is: later ones are shortened to it.
    this.#columns ??= columnsFor(rows, this.#width);
    const textWidth = this.#columns[1]!.width;
    const cells = rows.map(({ index, text, tokens, truncated, vector }) => [
      String(index),
      shorten(text, textWidth),
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

function columnsFor(rows: readonly EmbeddedText[], width: number): readonly Column[] {
  const longest = rows.reduce((most, { text }) => Math.max(most, text.length), kTextWidth.min);
  return [
    { name: '#', width: 5, align: 'right' },
    { name: 'text', width: Math.min(longest, kTextWidth.max) },
    { name: 'tokens', width: 6, align: 'right' },
    { name: 'cut', width: 3 },
    { name: `vector of ${width} numbers`, width: kNumbersShown * 8 + 2 },
  ];
}

function fourDigits(value: number): string {
  return value.toFixed(4).padStart(7);
}
