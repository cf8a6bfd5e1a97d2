import { unexpected, wrongArgument } from '../../expected.js';
import { newData, type TensorData, type TensorType } from './types.js';

/** What `slice` takes of a dimension: one index, which drops the dimension, `[begin, end]` (null for either end), or null for all of it. */
export type TensorSlice = number | readonly [number | null, number | null] | null;

/** How many numbers dimensions hold; of none, a scalar, one. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dimension) => product * dimension, 1);
}

/** How far apart neighbours along each dimension are. */
export function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
}

/** A shape as messages show it. */
export function shown(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`;
}

/** An index from 0, of one that may count from the end. Errors: INVALID_ARG. */
export function wholeIndex(index: unknown, length: number): number {
  if (Number.isInteger(index) && (index as number) >= -length && (index as number) < length) {
    return (index as number) < 0 ? (index as number) + length : (index as number);
  }
  throw wrongArgument(`an index from ${-length} to ${length - 1}`, index);
}

/** The part of a dimension that a slice means. Errors: INVALID_ARG. */
export function readSlice(slice: TensorSlice | undefined, length: number): { begin: number; end: number; isIndex: boolean } {
  if (slice === null || slice === undefined) return { begin: 0, end: length, isIndex: false };
  if (typeof slice === 'number') {
    const begin = wholeIndex(slice, length);
    return { begin, end: begin + 1, isIndex: true };
  }
  if (Array.isArray(slice) && slice.length === 2 && slice.every((each) => each === null || Number.isInteger(each))) {
    const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + length : index, 0), length);
    const [begin, end] = [clamp((slice[0] as number | null) ?? 0), clamp((slice[1] as number | null) ?? length)];
    if (begin <= end) return { begin, end, isIndex: false };
  }
  throw unexpected('INVALID_ARG', 'an index, [begin, end] or null for a slice', JSON.stringify(slice));
}

/** Dimensions without those of one: all of them, or as far as they are named. Errors: INVALID_ARG. */
export function squeezed(dims: readonly number[], dim: number | readonly number[] | null): number[] {
  if (dim === null) return dims.filter((length) => length !== 1);
  const axes = (typeof dim === 'number' ? [dim] : dim).map((each) => wholeIndex(each, dims.length));
  return dims.filter((length, axis) => length !== 1 || !axes.includes(axis));
}

/** Dimensions with one more of length 1 before an index; -1 is after the last. Errors: INVALID_ARG. */
export function unsqueezed(dims: readonly number[], dim: number): number[] {
  return dims.toSpliced(wholeIndex(dim, dims.length + 1), 0, 1);
}

/** Dimensions of which those from `start` to `end`, both included, are one. Errors: INVALID_ARG. */
export function flattened(dims: readonly number[], start: number, end: number): number[] {
  if (dims.length === 0) return [1];
  const [first, last] = [wholeIndex(start, dims.length), wholeIndex(end, dims.length)];
  if (first <= last) return [...dims.slice(0, first), sizeOf(dims.slice(first, last + 1)), ...dims.slice(last + 1)];
  throw unexpected('INVALID_ARG', 'a first dimension before the last for flatten', `${start} and ${end}`);
}

/** Dimensions of which one may be -1, which stands for what is left of `size` numbers. Errors: INVALID_ARG. */
export function inferred(dims: readonly number[], size: number): number[] {
  const known = sizeOf(dims.filter((length) => length !== -1));
  if (dims.filter((length) => length === -1).length <= 1)
    return dims.map((length) => (length !== -1 ? length : known === 0 ? 0 : size / known));
  throw unexpected('INVALID_ARG', '-1 for one dimension at most', shown(dims));
}

/** A dimension of what `gather` copies: its length and how far apart neighbours are in the source. */
export interface Stride {
  readonly step: number;
  readonly length: number;
}

/** Copies numbers of a shape, outermost dimension first, from where they lie in `data`: the first at `origin`. */
export function gather(type: TensorType, data: TensorData, from: readonly Stride[], origin = 0): TensorData {
  const result = newData(type, sizeOf(from.map(({ length }) => length)));
  let to = 0;
  const copy = (axis: number, at: number): void => {
    if (axis === from.length) {
      result[to++] = data[at]!;
      return;
    }
    const { step, length } = from[axis]!;
    for (let i = 0; i < length; i++) copy(axis + 1, at + i * step);
  };
  copy(0, origin);
  return result;
}

/** The axes of a permutation, from 0. Errors: INVALID_ARG unless each dimension is named once. */
export function permutation(axes: readonly number[], rank: number): number[] {
  const whole = axes.map((axis) => wholeIndex(axis, rank));
  if (whole.length === rank && new Set(whole).size === rank) return whole;
  throw unexpected('INVALID_ARG', `each of ${rank} dimensions once for permute`, shown(axes));
}
