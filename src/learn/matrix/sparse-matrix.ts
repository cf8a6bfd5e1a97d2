import { unexpected } from '../../expected.js';

/** A matrix of which most numbers are 0: compressed rows (CSR). */
export class SparseMatrix {
  /** Where each row begins among the stored numbers [rows + 1]. */
  readonly indptr: Float64Array;
  /** The columns of the stored numbers, rising within a row. */
  readonly indices: Int32Array;
  /** The stored numbers. */
  readonly values: Float64Array;
  /** Numbers in a row. */
  readonly columns: number;

  /** Errors: INVALID_ARG for parts that do not fit together. */
  constructor(parts: { indptr: ArrayLike<number>; indices: ArrayLike<number>; values: ArrayLike<number>; columns: number }) {
    this.indptr = Float64Array.from(parts.indptr);
    this.indices = Int32Array.from(parts.indices);
    this.values = Float64Array.from(parts.values);
    this.columns = parts.columns;
    const rises = this.indptr.every((start, i) => start >= (i === 0 ? 0 : this.indptr[i - 1]!));
    const { length } = this.values;
    if (this.indptr[0] !== 0 || !rises || this.indptr.at(-1) !== length || this.indices.length !== length) {
      throw unexpected('INVALID_ARG', 'indptr that rises from 0 to the number of indices and values', 'others');
    }
    const wrong = this.indices.findIndex((column) => column < 0 || column >= this.columns);
    if (wrong >= 0) throw unexpected('INVALID_ARG', `columns below ${this.columns} for a SparseMatrix`, this.indices[wrong]!);
  }

  /** How many rows there are. */
  get rows(): number {
    return this.indptr.length - 1;
  }

  /** Calls `take` for each stored number of a row. */
  each(row: number, take: (column: number, value: number) => void): void {
    for (let i = this.indptr[row]!; i < this.indptr[row + 1]!; i++) take(this.indices[i]!, this.values[i]!);
  }

  /** The rows with the given numbers, in that order. */
  take(rows: readonly number[]): SparseMatrix {
    const builder = new SparseBuilder(this.columns);
    for (const row of rows) {
      this.each(row, (column, value) => builder.push(column, value));
      builder.endRow();
    }
    return builder.matrix();
  }

  /** All numbers, the zeros too: { data [rows, columns], dimensions }. */
  toDense(): { data: Float64Array; dimensions: number } {
    const data = new Float64Array(this.rows * this.columns);
    for (let row = 0; row < this.rows; row++) {
      this.each(row, (column, value) => {
        data[row * this.columns + column] = value;
      });
    }
    return { data, dimensions: this.columns };
  }
}

/** Collects the stored numbers of a sparse matrix, row by row. */
export class SparseBuilder {
  readonly #indptr = [0];
  readonly #indices: number[] = [];
  readonly #values: number[] = [];

  constructor(readonly columns: number) {}

  push(column: number, value: number): void {
    this.#indices.push(column);
    this.#values.push(value);
  }

  endRow(): void {
    this.#indptr.push(this.#indices.length);
  }

  matrix(): SparseMatrix {
    return new SparseMatrix({ indptr: this.#indptr, indices: this.#indices, values: this.#values, columns: this.columns });
  }
}
