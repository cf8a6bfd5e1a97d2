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
  constructor(parts: SparseParts<ArrayLike<number>, ArrayLike<number>>) {
    if (isTrusted(parts)) {
      [this.indptr, this.indices, this.values, this.columns] = [parts.indptr, parts.indices, parts.values, parts.columns];
      return;
    }
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
    const indptr = new Float64Array(rows.length + 1);
    rows.forEach((row, i) => (indptr[i + 1] = indptr[i]! + this.indptr[row + 1]! - this.indptr[row]!));
    const [indices, values] = [new Int32Array(indptr.at(-1)!), new Float64Array(indptr.at(-1)!)];
    for (const [i, row] of rows.entries()) {
      const [begin, end] = [this.indptr[row]!, this.indptr[row + 1]!];
      indices.set(this.indices.subarray(begin, end), indptr[i]);
      values.set(this.values.subarray(begin, end), indptr[i]);
    }
    return trustedSparse({ indptr, indices, values, columns: this.columns });
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

/** What a sparse matrix consists of. */
interface SparseParts<Reals extends ArrayLike<number>, Places extends ArrayLike<number>> {
  readonly indptr: Reals;
  readonly indices: Places;
  readonly values: Reals;
  readonly columns: number;
}

/** Parts that were made here: they fit together, are checked by nobody, and belong to the matrix. */
const trusted = new WeakSet();

function isTrusted(parts: object): parts is SparseParts<Float64Array, Int32Array> {
  return trusted.has(parts);
}

/** A matrix of arrays that are its own from now on and known to fit together. */
export function trustedSparse(parts: SparseParts<Float64Array, Int32Array>): SparseMatrix {
  trusted.add(parts);
  return new SparseMatrix(parts);
}

/** Collects the stored numbers of a sparse matrix, row by row. */
export class SparseBuilder {
  readonly #indptr = [0];
  #indices = new Int32Array(1024);
  #values = new Float64Array(1024);
  #length = 0;

  constructor(readonly columns: number) {}

  push(column: number, value: number): void {
    if (this.#length === this.#indices.length) {
      const [indices, values] = [this.#indices, this.#values];
      this.#indices = new Int32Array(2 * this.#length);
      this.#values = new Float64Array(2 * this.#length);
      this.#indices.set(indices);
      this.#values.set(values);
    }
    this.#indices[this.#length] = column;
    this.#values[this.#length++] = value;
  }

  endRow(): void {
    this.#indptr.push(this.#length);
  }

  matrix(): SparseMatrix {
    const [indices, values] = [this.#indices.slice(0, this.#length), this.#values.slice(0, this.#length)];
    return trustedSparse({ indptr: Float64Array.from(this.#indptr), indices, values, columns: this.columns });
  }
}
