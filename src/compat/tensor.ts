import { types } from 'node:util';
import { BerthaError } from '../errors.js';
import { received } from '../options.js';
import { toIntegers } from './integer-rows.js';

/** The number types of a tensor's data. */
export type TensorData = Int32Array | Float32Array;
/** What `slice` takes of a dimension: one index, which drops the dimension, `[begin, end]` (null for either end), or null for all of it. */
export type TensorSlice = number | readonly [number | null, number | null] | null;
/** A tensor's numbers in nested arrays, as deep as it has dimensions. */
export type NestedNumbers = number | NestedNumbers[];

/** Where indices are looked up: a tensor's own properties are found before, so only numbers and unknown names come here. */
const indexed: object = new Proxy(Object.prototype, {
  get: (target, key, tensor: Tensor): unknown =>
    typeof key === 'string' && /^-?\d+$/.test(key) ? tensor.at(Number(key)) : Reflect.get(target, key, tensor),
});

/**
 * Numbers with a shape, as transformers.js hands them out: row-major, outermost dimension first. `tensor[i]` and iteration give the parts
 * along the first dimension, which share the tensor's memory.
 */
export class Tensor<T extends TensorData = TensorData> {
  readonly type: T extends Int32Array ? 'int32' : 'float32';
  readonly data: T;
  readonly dims: readonly number[];
  /** The part at an index of the first dimension, from the end if negative; of one dimension a scalar without dimensions. */
  readonly [index: number]: Tensor<T>;

  /**
   * Also takes transformers.js's `(type, data, dims)`, where data may be a list; 'int64' becomes 'int32'.
   *
   * Errors: INVALID_ARG unless the dimensions multiply to the data's length; INVALID_OPTION for another type.
   */
  constructor(data: T, dims: readonly number[]);
  constructor(type: string, data: ArrayLike<number | bigint>, dims: readonly number[]);
  constructor(first: T | string, second: readonly number[] | ArrayLike<number | bigint>, third?: readonly number[]) {
    const data = typeof first === 'string' ? toData(first, second) : first;
    const dims = typeof first === 'string' ? third : second;
    if (!Array.isArray(dims) || size(dims as readonly number[]) !== data.length) {
      const shown = Array.isArray(dims) ? `[${dims.join(', ')}]` : received(dims);
      throw new BerthaError('INVALID_ARG', `Expected dimensions for ${data.length} numbers but received ${shown}.`);
    }
    this.type = (types.isInt32Array(data) ? 'int32' : 'float32') as Tensor<T>['type'];
    this.data = data as T;
    this.dims = dims as readonly number[];
  }

  /** How many numbers it holds. */
  get size(): number {
    return this.data.length;
  }

  /** The numbers as nested arrays; of a scalar the number. */
  tolist(): NestedNumbers {
    const nest = (axis: number, begin: number): NestedNumbers => {
      if (axis === this.dims.length) return this.data[begin]!;
      const step = size(this.dims.slice(axis + 1));
      return Array.from({ length: this.dims[axis]! }, (_, i) => nest(axis + 1, begin + i * step));
    };
    return nest(0, 0);
  }

  /** The only number. Errors: INVALID_ARG if there are more or none. */
  item(): number {
    if (this.data.length === 1) return this.data[0]!;
    throw new BerthaError('INVALID_ARG', `Expected a tensor of one number for item but received ${this.data.length}.`);
  }

  /** The part at an index of the first dimension, as `tensor[index]`. Errors: INVALID_ARG where there is none. */
  at(index: number): Tensor<T> {
    const i = wholeIndex(index, this.dims[0] ?? 0);
    const rest = this.dims.slice(1);
    const step = size(rest);
    return new Tensor(this.data.subarray(i * step, (i + 1) * step) as T, rest);
  }

  /** The parts along the first dimension; of one dimension its numbers. */
  *[Symbol.iterator](): Generator<Tensor<T> | number, void, undefined> {
    if (this.dims.length <= 1) yield* this.data;
    else for (let i = 0; i < this.dims[0]!; i++) yield this.at(i);
  }

  /**
   * A copy of a part: for each dimension in turn what to take of it, all of it where nothing is said. Negative indices count from the end.
   *
   * Errors: INVALID_ARG.
   */
  slice(...slices: readonly TensorSlice[]): Tensor<T> {
    if (slices.length > this.dims.length) {
      throw new BerthaError('INVALID_ARG', `Expected at most ${this.dims.length} slices but received ${slices.length}.`);
    }
    const ranges = this.dims.map((length, axis) => readSlice(slices[axis], length));
    const dims = ranges.flatMap(({ begin, end, isIndex }) => (isIndex ? [] : [end - begin]));
    const length = size(ranges.map(({ begin, end }) => end - begin));
    const data = (types.isInt32Array(this.data) ? new Int32Array(length) : new Float32Array(length)) as T;
    let to = 0;
    const copy = (axis: number, from: number): void => {
      if (axis === ranges.length) {
        data[to++] = this.data[from]!;
        return;
      }
      const { begin, end } = ranges[axis]!;
      const step = size(this.dims.slice(axis + 1));
      for (let i = begin; i < end; i++) copy(axis + 1, from + i * step);
    };
    copy(0, 0);
    return new Tensor(data, dims);
  }

  /** The same numbers in another shape, sharing memory; -1 once stands for what is left. Errors: INVALID_ARG. */
  view(...dims: readonly number[]): Tensor<T> {
    const known = size(dims.filter((dimension) => dimension !== -1));
    return new Tensor(
      this.data,
      dims.map((dimension) => (dimension === -1 ? this.size / known : dimension)),
    );
  }

  /** A copy. */
  clone(): Tensor<T> {
    return new Tensor(this.data.slice() as T, this.dims);
  }

  /** The numbers that a function makes of these. */
  map(change: (value: number, index: number) => number): Tensor<T> {
    return new Tensor((this.data as Float32Array).map((value, i) => change(value, i)) as T, this.dims);
  }

  /** 1 / (1 + exp(-x)) of every number. */
  sigmoid(): Tensor<Float32Array> {
    return new Tensor(
      Float32Array.from(this.data, (x) => 1 / (1 + Math.exp(-x))),
      this.dims,
    );
  }

  /** Softmax along a dimension, by default the last. Sums in float64. Errors: INVALID_ARG. */
  softmax(dim = -1): Tensor<Float32Array> {
    return overLines(this, dim, (values) => {
      const largest = values.reduce((most, value) => Math.max(most, value), -Infinity);
      const powers = values.map((value) => Math.exp(value - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    });
  }

  /** Each row along a dimension, by default the last, divided by its p-norm. Errors: INVALID_ARG. */
  normalize(p = 2, dim = -1): Tensor<Float32Array> {
    return overLines(this, dim, (values) => {
      const norm = values.reduce((total, value) => total + Math.abs(value) ** p, 0) ** (1 / p);
      return values.map((value) => value / Math.max(norm, 1e-12));
    });
  }

  /** The mean of all numbers, or along a dimension, which goes away unless `keepdim`. Errors: INVALID_ARG. */
  mean(dim: number | null = null, keepdim = false): Tensor<Float32Array> {
    const { results, dims } = reduce(this, dim, keepdim, (values) => values.reduce((total, value) => total + value, 0) / values.length);
    return new Tensor(Float32Array.from(results), dims);
  }

  /** Where the largest number is, the first of equals: of all numbers, or along a dimension. Errors: INVALID_ARG. */
  argmax(dim: number | null = null, keepdim = false): Tensor<Int32Array> {
    if (this.size === 0) throw new BerthaError('INVALID_ARG', 'Expected a tensor with numbers for argmax but received an empty one.');
    const { results, dims } = reduce(this, dim, keepdim, (values) =>
      values.reduce((best, value, i) => (value > values[best]! ? i : best), 0),
    );
    return new Tensor(Int32Array.from(results), dims);
  }
}
Object.setPrototypeOf(Tensor.prototype, indexed);

/** How many numbers dimensions hold; of none, a scalar, one. */
function size(dims: readonly number[]): number {
  return dims.reduce((product, dimension) => product * dimension, 1);
}

function toData(type: string, values: unknown): TensorData {
  const list = values as ArrayLike<number | bigint> | null | undefined;
  if (typeof list?.length !== 'number') {
    throw new BerthaError('INVALID_ARG', `Expected numbers for the data of a tensor but received ${received(values)}.`);
  }
  if (type === 'float32') return types.isFloat32Array(list) ? list : Float32Array.from(list, Number);
  if (type === 'int32' || type === 'int64') return types.isInt32Array(list) ? list : toIntegers(list, 'the data of a tensor');
  throw new BerthaError('INVALID_OPTION', `Expected float32, int32 or int64 for the type of a tensor but received ${received(type)}.`);
}

/** An index from 0, of one that may count from the end. */
function wholeIndex(index: number, length: number): number {
  if (Number.isInteger(index) && index >= -length && index < length) return index < 0 ? index + length : index;
  throw new BerthaError('INVALID_ARG', `Expected an index from ${-length} to ${length - 1} but received ${received(index)}.`);
}

function readSlice(slice: TensorSlice | undefined, length: number): { begin: number; end: number; isIndex: boolean } {
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
  throw new BerthaError('INVALID_ARG', `Expected an index, [begin, end] or null for a slice but received ${JSON.stringify(slice)}.`);
}

/** Where the lines along a dimension begin, how far apart their numbers are, and how many they are. */
function linesOf({ dims }: Tensor, dim: number): { begins: number[]; step: number; length: number; axis: number } {
  const axis = wholeIndex(dim, dims.length);
  const step = size(dims.slice(axis + 1));
  const length = dims[axis]!;
  const begins = Array.from({ length: size(dims.slice(0, axis)) * step }, (_, i) => Math.floor(i / step) * step * length + (i % step));
  return { begins, step, length, axis };
}

function overLines(tensor: Tensor, dim: number, change: (values: number[]) => number[]): Tensor<Float32Array> {
  const { begins, step, length } = linesOf(tensor, dim);
  const data = new Float32Array(tensor.size);
  for (const begin of begins) {
    const values = change(Array.from({ length }, (_, i) => tensor.data[begin + i * step]!));
    values.forEach((value, i) => (data[begin + i * step] = value));
  }
  return new Tensor(data, tensor.dims);
}

function reduce(
  tensor: Tensor,
  dim: number | null,
  keepdim: boolean,
  make: (values: number[]) => number,
): { results: number[]; dims: number[] } {
  if (dim === null) return { results: [make(Array.from(tensor.data))], dims: keepdim ? tensor.dims.map(() => 1) : [] };
  const { begins, step, length, axis } = linesOf(tensor, dim);
  const results = begins.map((begin) => make(Array.from({ length }, (_, i) => tensor.data[begin + i * step]!)));
  return { results, dims: tensor.dims.flatMap((dimension, i) => (i !== axis ? [dimension] : keepdim ? [1] : [])) };
}
