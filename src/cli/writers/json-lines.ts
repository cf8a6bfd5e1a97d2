import type { Output } from '../output.js';

/** Writes one JSON object per row and line. */
export class JsonLines<Row> {
  readonly #output: Output;
  readonly #toObject: (row: Row) => object;

  constructor(output: Output, toObject: (row: Row) => object) {
    this.#output = output;
    this.#toObject = toObject;
  }

  async write(rows: readonly Row[]): Promise<void> {
    if (rows.length > 0) await this.#output.write(rows.map((row) => `${JSON.stringify(this.#toObject(row))}\n`).join(''));
  }

  async finish(): Promise<void> {}
}
