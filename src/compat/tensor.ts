import { types } from 'node:util';
import { BerthaError } from '../errors.js';
import { received } from '../options.js';

/** Numbers with a shape, as transformers.js hands them out: row-major, outermost dimension first. */
export class Tensor<T extends Int32Array | Float32Array = Int32Array | Float32Array> {
  readonly type: T extends Int32Array ? 'int32' : 'float32';
  readonly data: T;
  readonly dims: readonly number[];

  /** Errors: INVALID_ARG unless the dimensions multiply to the data's length. */
  constructor(data: T, dims: readonly number[]) {
    if (dims.reduce((size, dimension) => size * dimension, 1) !== data.length) {
      throw new BerthaError('INVALID_ARG', `Expected dimensions for ${data.length} numbers but received [${dims.join(', ')}].`);
    }
    this.type = (types.isInt32Array(data) ? 'int32' : 'float32') as Tensor<T>['type'];
    this.data = data;
    this.dims = dims;
  }

  /** How many numbers it holds. */
  get size(): number {
    return this.data.length;
  }

  /** The numbers as nested arrays. */
  tolist(): unknown {
    const nest = (axis: number, begin: number): unknown => {
      if (axis === this.dims.length) return this.data[begin];
      const step = this.dims.slice(axis + 1).reduce((size, dimension) => size * dimension, 1);
      return Array.from({ length: this.dims[axis]! }, (_, i) => nest(axis + 1, begin + i * step));
    };
    return nest(0, 0);
  }
}

/** Whole numbers in whatever form callers have them: one row, rows, a tensor of 32 or 64 bits. */
export type IntegerInput =
  { readonly data: ArrayLike<number | bigint>; readonly dims: readonly number[] } | readonly (readonly number[])[] | readonly number[];

/** The rows of a matrix of whole numbers. Errors: INVALID_ARG, INVALID_IDS. */
export function toRows(input: IntegerInput, name: string): Int32Array[] {
  if (Array.isArray(input)) {
    const rows = (Array.isArray(input[0]) ? input : [input]) as readonly (readonly number[])[];
    return rows.map((row) => toIntegers(row, name));
  }
  const { data, dims } = (input ?? {}) as { readonly data?: ArrayLike<number | bigint>; readonly dims?: readonly number[] };
  if (data === undefined || !Array.isArray(dims) || dims.length < 1 || dims.length > 2) {
    throw new BerthaError('INVALID_ARG', `Expected a tensor of one or two dimensions for ${name} but received ${received(input)}.`);
  }
  const [rows, width] = (dims.length === 2 ? dims : [1, ...dims]) as [number, number];
  if (rows * width !== data.length)
    throw new BerthaError('INVALID_ARG', `Expected ${rows * width} numbers for ${name} but received ${data.length}.`);
  return Array.from({ length: rows }, (_, r) => toIntegers(Array.prototype.slice.call(data, r * width, (r + 1) * width) as number[], name));
}

function toIntegers(row: ArrayLike<number | bigint>, name: string): Int32Array {
  return Int32Array.from(row, (value, i) => {
    const number = Number(value);
    if (Number.isInteger(number) && Math.abs(number) <= 0x7fffffff) return number;
    throw new BerthaError('INVALID_IDS', `Expected whole numbers for ${name} but received ${received(value)} at index ${i}.`);
  });
}
