import { sizeOf, wholeIndex } from './shape.js';
import type { TensorData } from './types.js';

/** Numbers with their shape. */
interface Shaped {
  readonly data: TensorData;
  readonly dims: readonly number[];
}

/** Where the lines along a dimension begin, how far apart their numbers are, and how many they are. */
export interface Lines {
  readonly begins: readonly number[];
  readonly step: number;
  readonly length: number;
  readonly axis: number;
}

/** The lines along a dimension. Errors: INVALID_ARG. */
export function linesOf(dims: readonly number[], dim: number): Lines {
  const axis = wholeIndex(dim, dims.length);
  const step = sizeOf(dims.slice(axis + 1));
  const length = dims[axis]!;
  const begins = Array.from({ length: sizeOf(dims.slice(0, axis)) * step }, (_, i) => Math.floor(i / step) * step * length + (i % step));
  return { begins, step, length, axis };
}

/** The numbers of one line; 64-bit integers are bigints, which `+`, `<` and their like treat as numbers. */
export function readLine(data: TensorData, begin: number, { step, length }: Lines): number[] {
  const values = new Array<number>(length);
  for (let i = 0; i < length; i++) values[i] = data[begin + i * step] as number;
  return values;
}

/** Replaces every line along a dimension, in place. Errors: INVALID_ARG. */
export function replaceLines({ data, dims }: Shaped, dim: number, change: (values: number[]) => readonly number[]): void {
  const lines = linesOf(dims, dim);
  for (const begin of lines.begins) {
    change(readLine(data, begin, lines)).forEach((value, i) => (data[begin + i * lines.step] = value));
  }
}

/** One number for each line along a dimension, which goes away unless `keepdim`; where `dim` is null a scalar of all numbers. Errors: INVALID_ARG. */
export function reduceLines<R>(
  { data, dims }: Shaped,
  dim: number | null,
  keepdim: boolean,
  make: (values: number[]) => R,
): { results: R[]; dims: number[] } {
  if (dim === null) return { results: [make(Array.from(data as Float64Array))], dims: [] };
  const lines = linesOf(dims, dim);
  const results = lines.begins.map((begin) => make(readLine(data, begin, lines)));
  return { results, dims: dims.flatMap((dimension, i) => (i !== lines.axis ? [dimension] : keepdim ? [1] : [])) };
}

/** The sum of numbers or bigints. */
export function sum(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((total, value) => total + value);
}

/** The p-norm of numbers, in float64. */
export function normOf(values: readonly number[], p: number): number {
  return sum(values.map((value) => Math.abs(value) ** p)) ** (1 / p);
}

/** Softmax of numbers, in float64. */
export function softmaxOf(values: readonly number[]): number[] {
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const powers = values.map((value) => Math.exp(value - largest));
  const total = sum(powers);
  return powers.map((power) => power / total);
}
