import { unexpected } from '../../expected.js';
import { received } from '../../options.js';

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
    throw unexpected('INVALID_ARG', `a tensor of one or two dimensions for ${name}`, received(input));
  }
  const [rows, width] = (dims.length === 2 ? dims : [1, ...dims]) as [number, number];
  if (rows * width !== data.length) throw unexpected('INVALID_ARG', `${rows * width} numbers for ${name}`, data.length);
  return Array.from({ length: rows }, (_, r) => toIntegers(Array.prototype.slice.call(data, r * width, (r + 1) * width) as number[], name));
}

/** Whole numbers of 32 bits from numbers of whatever kind. Errors: INVALID_IDS. */
export function toIntegers(row: ArrayLike<number | bigint>, name: string): Int32Array {
  return Int32Array.from(row, (value, i) => {
    const number = Number(value);
    if (Number.isInteger(number) && Math.abs(number) <= 0x7fffffff) return number;
    throw unexpected('INVALID_IDS', `whole numbers for ${name}`, `${received(value)} at index ${i}`);
  });
}
