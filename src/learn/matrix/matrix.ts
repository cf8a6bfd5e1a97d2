import { unexpected } from '../../expected.js';
import { atOnce } from '../../calls/text-reader.js';
import { type Rows, toRows } from '../../vectors/rows.js';
import type { FloatArray, VectorLike, VectorMatrix } from '../../vectors/vector-like.js';
import { SparseBuilder, type SparseMatrix } from './sparse-matrix.js';

/** Rows of numbers: vectors as `embed` returns them, one array with its width, or a sparse matrix. */
export type Matrix = VectorMatrix | readonly VectorLike[] | SparseMatrix;

/** Rows in one array. */
export interface DenseMatrix {
  /** [rows, columns] */
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
}

/** Whether the rows are stored without their zeros. */
export function isSparse(x: unknown): x is SparseMatrix {
  return typeof x === 'object' && x !== null && 'indptr' in x && 'indices' in x;
}

/** How many rows `x` has, and how wide they are. `name` is what errors call it. Errors: INVALID_ARG. */
export function shapeOf(x: Matrix, name: string): { readonly rows: number; readonly columns: number } {
  if (isSparse(x)) return x;
  const { count, width } = toRows(x, name);
  return { rows: count, columns: width };
}

/** The rows as one array; finite numbers unless `allowNaN`. Errors: INVALID_ARG, which names row and column. */
export function toDense(x: Matrix, name: string, { allowNaN = false } = {}): DenseMatrix {
  const source = isSparse(x) ? x.toDense() : x;
  const rows = toRows(source, name);
  const data = rows.count === 0 ? new Float64Array(0) : rows.block(0, rows.count);
  for (let i = 0; i < data.length && !allowNaN; i++) if (!Number.isFinite(data[i])) throw notFinite(name, i, rows.width, data[i]!);
  return { data, rows: rows.count, columns: rows.width };
}

/** Rows that are read a block at a time, sparse ones with their zeros. `name` is what errors call them. Errors: INVALID_ARG, here and when a block is read. */
export function rowBlocks(x: Matrix, name: string): Rows {
  if (!isSparse(x)) return toRows(x, name);
  return {
    count: x.rows,
    width: x.columns,
    block(begin, end) {
      const data = new Float64Array((end - begin) * x.columns);
      for (let row = begin; row < end; row++) {
        x.each(row, (column, value) => {
          data[(row - begin) * x.columns + column] = value;
        });
      }
      return data;
    },
  };
}

/** The error for a number that is not finite, the `index`-th of rows of `width`. */
export function notFinite(name: string, index: number, width: number, value: number): Error {
  return unexpected('INVALID_ARG', `finite numbers for ${name}`, `${value} in row ${Math.floor(index / width)}, column ${index % width}`);
}

/** The rows with the given numbers, in that order. */
export function takeRows(x: Matrix, rows: readonly number[]): Matrix {
  if (isSparse(x)) return x.take(rows);
  if (Array.isArray(x)) return rows.map((row) => (x as readonly VectorLike[])[row]!);
  const { data, dimensions } = x as VectorMatrix;
  const taken = data.BYTES_PER_ELEMENT === 4 ? new Float32Array(rows.length * dimensions) : new Float64Array(rows.length * dimensions);
  rows.forEach((row, i) => taken.set(data.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions));
  return { data: taken, dimensions };
}

/**
 * Matrices side by side: row i of the result is row i of each, one after the other. Sparse as soon as one of them is.
 *
 * Errors: INVALID_ARG for no matrices, and for different numbers of rows.
 */
export function hstack(matrices: readonly Matrix[]): VectorMatrix | SparseMatrix {
  return atOnce(hstackSlices(matrices));
}

/** `hstack` in slices, a row of the result each. */
export function* hstackSlices(matrices: readonly Matrix[]): Generator<void, VectorMatrix | SparseMatrix> {
  if (matrices.length === 0) throw unexpected('INVALID_ARG', 'matrices for hstack', 'none');
  const shapes = matrices.map((x, i) => shapeOf(x, `matrix ${i} of hstack`));
  const { rows } = shapes[0]!;
  const other = shapes.findIndex((shape) => shape.rows !== rows);
  if (other > 0) throw unexpected('INVALID_ARG', `${rows} rows, as matrix 0 has, for matrix ${other} of hstack`, shapes[other]!.rows);
  const columns = shapes.reduce((sum, shape) => sum + shape.columns, 0);
  const parts = matrices.map((x, i) => (isSparse(x) ? x : toDense(x, `matrix ${i} of hstack`)));
  if (!parts.some(isSparse)) return hstackDense(parts as DenseMatrix[], rows, columns);
  const builder = new SparseBuilder(columns);
  for (let row = 0; row < rows; row++) {
    let first = 0;
    for (const part of parts) {
      eachNumber(part, row, (column, value) => builder.push(first + column, value));
      first += part.columns;
    }
    builder.endRow();
    yield;
  }
  return builder.matrix();
}

function eachNumber(part: DenseMatrix | SparseMatrix, row: number, take: (column: number, value: number) => void): void {
  if (isSparse(part)) return part.each(row, take);
  for (let column = 0; column < part.columns; column++) {
    const value = part.data[row * part.columns + column]!;
    if (value !== 0) take(column, value);
  }
}

function hstackDense(parts: readonly DenseMatrix[], rows: number, columns: number): VectorMatrix {
  const isSingle = parts.every(({ data }) => data.BYTES_PER_ELEMENT === 4);
  const data = isSingle ? new Float32Array(rows * columns) : new Float64Array(rows * columns);
  let first = 0;
  for (const part of parts) {
    for (let row = 0; row < rows; row++) {
      data.set(part.data.subarray(row * part.columns, (row + 1) * part.columns), row * columns + first);
    }
    first += part.columns;
  }
  return { data, dimensions: columns };
}
