import { received, unexpected, wrongArgument } from '../../expected.js';
import { bestIndex, checkDivisor, checkRepeats, clampTo, normPower, remainderOf, requireFloat, scalarOf } from './arithmetic.js';
import { normOf, reduceLines, replaceLines, softmaxOf, sum } from './lines.js';
import {
  flattened,
  gather,
  inferred,
  permutation,
  readSlice,
  shown,
  sizeOf,
  squeezed,
  stridesOf,
  unsqueezed,
  wholeIndex,
  type TensorSlice,
} from './shape.js';
import { checkType, convertData, isFloat, toData, typeOfData } from './types.js';
import type { ElementOf, FloatOf, Nested, TensorData, TensorType } from './types.js';

/** Where indices are looked up: a tensor's own properties are found before, so only numbers and unknown names come here. */
const indexed: object = new Proxy(Object.prototype, {
  get: (target, key, tensor: Tensor): unknown =>
    typeof key === 'string' && /^-?\d+$/.test(key) ? tensor.at(Number(key)) : Reflect.get(target, key, tensor),
});

/**
 * Numbers with a shape, as transformers.js hands them out: row-major, outermost dimension first. `tensor[i]` and iteration give the parts
 * along the first dimension, which share the tensor's memory. A method whose name ends in `_` changes the tensor and returns it.
 */
export class Tensor<T extends TensorData = TensorData> {
  readonly type: TensorType;
  readonly data: T;
  /** Outermost first; none for a scalar. */
  dims: readonly number[];
  /** The part at an index of the first dimension, from the end if negative; of one dimension a scalar without dimensions. */
  readonly [index: number]: Tensor<T>;

  /**
   * Also takes transformers.js's `(type, data, dims)`, where data may be a list.
   *
   * Errors: INVALID_ARG unless the dimensions multiply to the data's length; INVALID_OPTION for another type.
   */
  constructor(data: T, dims: readonly number[]);
  constructor(type: TensorType, data: ArrayLike<number | bigint | boolean>, dims: readonly number[]);
  constructor(first: T | TensorType, second: readonly number[] | ArrayLike<number | bigint | boolean>, third?: readonly number[]) {
    const type = typeof first === 'string' ? checkType(first) : typeOfData(first);
    if (type === undefined) throw wrongArgument('a typed array for a tensor', first);
    const data = typeof first === 'string' ? toData(type, second) : first;
    const dims = (typeof first === 'string' ? third : second) as readonly number[];
    if (!Array.isArray(dims) || sizeOf(dims as readonly number[]) !== data.length) {
      const given = Array.isArray(dims) ? shown(dims) : received(dims);
      throw unexpected('INVALID_ARG', `dimensions for ${data.length} numbers`, given);
    }
    this.type = type;
    this.data = data as T;
    this.dims = dims;
  }

  /** How many numbers it holds. */
  get size(): number {
    return this.data.length;
  }

  /** Where the numbers are: in the process's memory. */
  get location(): 'cpu' {
    return 'cpu';
  }

  /** Without effect: the numbers are freed with the tensor. */
  dispose(): void {}

  /** The numbers as nested arrays; of a scalar the number. */
  tolist(): Nested<ElementOf<T>> {
    const strides = stridesOf(this.dims);
    const nest = (axis: number, begin: number): Nested<ElementOf<T>> => {
      if (axis === this.dims.length) return this.data[begin] as ElementOf<T>;
      return Array.from({ length: this.dims[axis]! }, (_, i) => nest(axis + 1, begin + i * strides[axis]!));
    };
    return nest(0, 0);
  }

  /** The only number. Errors: INVALID_ARG if there are more or none. */
  item(): ElementOf<T> {
    if (this.data.length === 1) return this.data[0] as ElementOf<T>;
    throw unexpected('INVALID_ARG', 'a tensor of one number for item', this.data.length);
  }

  /** The part at an index of the first dimension, as `tensor[index]`. Errors: INVALID_ARG where there is none. */
  at(index: number): Tensor<T> {
    const i = wholeIndex(index, this.dims[0] ?? 0);
    const rest = this.dims.slice(1);
    const step = sizeOf(rest);
    return this.#with(this.data.subarray(i * step, (i + 1) * step) as T, rest);
  }

  /** The parts along the first dimension; of one dimension its numbers. */
  *[Symbol.iterator](): Generator<Tensor<T> | ElementOf<T>, void, undefined> {
    if (this.dims.length <= 1) yield* this.data as Iterable<unknown> as Iterable<ElementOf<T>>;
    else for (let i = 0; i < this.dims[0]!; i++) yield this.at(i);
  }

  /** Where a number is first, in row-major order; -1 where it is nowhere. A bigint finds its number and the other way round. */
  indexOf(item: number | bigint): number {
    const wanted = scalarOf(this.type, item, 'indexOf');
    return (this.data as ArrayLike<number | bigint> as number[]).indexOf(wanted);
  }

  /**
   * A copy of a part: for each dimension in turn what to take of it, all of it where nothing is said. Negative indices count from the end.
   *
   * Errors: INVALID_ARG.
   */
  slice(...slices: readonly TensorSlice[]): Tensor<T> {
    if (slices.length > this.dims.length) {
      throw unexpected('INVALID_ARG', `at most ${this.dims.length} slices`, slices.length);
    }
    const strides = stridesOf(this.dims);
    const ranges = this.dims.map((length, axis) => readSlice(slices[axis], length));
    const dims = ranges.flatMap(({ begin, end, isIndex }) => (isIndex ? [] : [end - begin]));
    const from = ranges.map(({ begin, end }, axis) => ({ step: strides[axis]!, length: end - begin }));
    const origin = ranges.reduce((at, { begin }, axis) => at + begin * strides[axis]!, 0);
    return this.#with(gather(this.type, this.data, from, origin) as T, dims);
  }

  /** A copy with its dimensions in another order. Errors: INVALID_ARG unless each is named once. */
  permute(...axes: readonly number[]): Tensor<T> {
    const order = permutation(axes, this.dims.length);
    const strides = stridesOf(this.dims);
    const from = order.map((axis) => ({ step: strides[axis]!, length: this.dims[axis]! }));
    return this.#with(
      gather(this.type, this.data, from) as T,
      order.map((axis) => this.dims[axis]!),
    );
  }

  /** Another name of `permute`, as in transformers.js. */
  transpose(...axes: readonly number[]): Tensor<T> {
    return this.permute(...axes);
  }

  /** The same numbers in another shape, sharing memory; -1 once stands for what is left. Errors: INVALID_ARG. */
  view(...dims: readonly number[]): Tensor<T> {
    return this.#with(this.data, inferred(dims, this.size));
  }

  /** How far apart neighbours along each dimension are in `data`. */
  stride(): number[] {
    return stridesOf(this.dims);
  }

  /** Without its dimensions of length 1, or those of them that are named; shares memory. Errors: INVALID_ARG. */
  squeeze(dim: number | readonly number[] | null = null): Tensor<T> {
    return this.#with(this.data, squeezed(this.dims, dim));
  }

  /** `squeeze` of this tensor itself. */
  squeeze_(dim: number | readonly number[] | null = null): this {
    return this.#reshape(squeezed(this.dims, dim));
  }

  /** With one more dimension of length 1 before `dim`; -1 is after the last; shares memory. Errors: INVALID_ARG. */
  unsqueeze(dim: number): Tensor<T> {
    return this.#with(this.data, unsqueezed(this.dims, dim));
  }

  /** `unsqueeze` of this tensor itself. */
  unsqueeze_(dim: number): this {
    return this.#reshape(unsqueezed(this.dims, dim));
  }

  /** A copy in which the dimensions from `start_dim` to `end_dim`, both included, are one. Errors: INVALID_ARG. */
  flatten(start_dim = 0, end_dim = -1): Tensor<T> {
    return this.clone().flatten_(start_dim, end_dim);
  }

  /** `flatten` of this tensor itself. */
  flatten_(start_dim = 0, end_dim = -1): this {
    return this.#reshape(flattened(this.dims, start_dim, end_dim));
  }

  /** A copy that holds the tensor so many times along each dimension; more numbers than dimensions put new ones before. Errors: INVALID_ARG. */
  repeat(...repeats: readonly number[]): Tensor<T> {
    checkRepeats(repeats, this.dims.length);
    const dims = [...new Array<number>(repeats.length - this.dims.length).fill(1), ...this.dims];
    const strides = stridesOf(dims);
    const from = dims.flatMap((length, axis) => [
      { step: 0, length: repeats[axis]! },
      { step: strides[axis]!, length },
    ]);
    return this.#with(
      gather(this.type, this.data, from) as T,
      dims.map((length, axis) => length * repeats[axis]!),
    );
  }

  /** `repeat` that leaves the first dimensions as they are where fewer numbers are given. Errors: INVALID_ARG. */
  tile(...repeats: readonly number[]): Tensor<T> {
    return this.repeat(...new Array<number>(Math.max(0, this.dims.length - repeats.length)).fill(1), ...repeats);
  }

  /** A copy. */
  clone(): Tensor<T> {
    return this.#with(this.data.slice() as T, this.dims.slice());
  }

  /** The numbers in another type, cut as JavaScript's typed arrays cut them; the tensor itself if it has the type. Errors: INVALID_OPTION, INVALID_ARG. */
  to<K extends TensorType>(type: K): Tensor {
    const wanted = checkType(type);
    return wanted === this.type ? (this as Tensor) : new Tensor(wanted, convertData(this.data, wanted) as Float32Array, this.dims);
  }

  /** The numbers that a function makes of these. */
  map(change: (value: ElementOf<T>, index: number, data: T) => ElementOf<T>): Tensor<T> {
    return this.clone().map_(change);
  }

  /** `map` of this tensor itself. */
  map_(change: (value: ElementOf<T>, index: number, data: T) => ElementOf<T>): this {
    for (let i = 0; i < this.data.length; i++) this.data[i] = change(this.data[i] as ElementOf<T>, i, this.data);
    return this;
  }

  /** Every number times a constant. Errors: INVALID_ARG for what is no number, or no whole one where the tensor holds bigints. */
  mul(value: number | bigint): Tensor<T> {
    return this.clone().mul_(value);
  }

  /** `mul` of this tensor itself. */
  mul_(value: number | bigint): this {
    return this.#change('mul', value, (a, b) => a * b);
  }

  /** Every number divided by a constant; integers lose the fraction. Errors: as `mul`; a bigint by zero. */
  div(value: number | bigint): Tensor<T> {
    return this.clone().div_(value);
  }

  /** `div` of this tensor itself. */
  div_(value: number | bigint): this {
    checkDivisor(this.type, value, 'div');
    return this.#change('div', value, (a, b) => a / b);
  }

  /** Every number plus a constant. Errors: as `mul`. */
  add(value: number | bigint): Tensor<T> {
    return this.clone().add_(value);
  }

  /** `add` of this tensor itself. */
  add_(value: number | bigint): this {
    return this.#change('add', value, (a, b) => a + b);
  }

  /** Every number minus a constant. Errors: as `mul`. */
  sub(value: number | bigint): Tensor<T> {
    return this.clone().sub_(value);
  }

  /** `sub` of this tensor itself. */
  sub_(value: number | bigint): this {
    return this.#change('sub', value, (a, b) => a - b);
  }

  /** The remainder of every number, with the sign of the divisor as in Python. Errors: as `mul`; integers by zero; a negative divisor of unsigned numbers. */
  remainder(value: number | bigint): Tensor<T> {
    return this.clone().remainder_(value);
  }

  /** `remainder` of this tensor itself. */
  remainder_(value: number | bigint): this {
    checkDivisor(this.type, value, 'remainder');
    return this.#change('remainder', value, remainderOf);
  }

  /** Every number with the other sign. */
  neg(): Tensor<T> {
    return this.clone().neg_();
  }

  /** `neg` of this tensor itself. */
  neg_(): this {
    return this.map_((value) => -(value as number) as ElementOf<T>);
  }

  /** Every number, at least `min` and at most `max`. Errors: as `mul`. */
  clamp(min: number | bigint, max: number | bigint): Tensor<T> {
    return this.clone().clamp_(min, max);
  }

  /** `clamp` of this tensor itself. */
  clamp_(min: number | bigint, max: number | bigint): this {
    const [least, most] = [scalarOf(this.type, min, 'clamp'), scalarOf(this.type, max, 'clamp')];
    return this.map_((value) => clampTo(value as number, least, most) as ElementOf<T>);
  }

  /** The nearest whole number of each, halves upwards as `Math.round`. */
  round(): Tensor<T> {
    return this.clone().round_();
  }

  /** `round` of this tensor itself. */
  round_(): this {
    return isFloat(this.type) ? this.map_((value) => Math.round(value as number) as ElementOf<T>) : this;
  }

  /** Of each number whether it is greater than a constant, as a tensor of `bool`. */
  gt(value: number | bigint): Tensor<Uint8Array> {
    return this.#compare((each) => each > value);
  }

  /** Of each number whether it is less than a constant, as a tensor of `bool`. */
  lt(value: number | bigint): Tensor<Uint8Array> {
    return this.#compare((each) => each < value);
  }

  /** 1 / (1 + exp(-x)) of every number; of integers in float32. */
  sigmoid(): Tensor<FloatOf<T>> {
    return this.#floats().sigmoid_();
  }

  /** `sigmoid` of this tensor itself. Errors: INVALID_ARG for integers. */
  sigmoid_(): this {
    requireFloat(this.type, 'sigmoid_');
    return this.map_((value) => (1 / (1 + Math.exp(-(value as number)))) as ElementOf<T>);
  }

  /** Softmax along a dimension, by default the last. Sums in float64. Errors: INVALID_ARG. */
  softmax(dim = -1): Tensor<FloatOf<T>> {
    const result = this.#floats();
    replaceLines(result, dim, softmaxOf);
    return result;
  }

  /** The lines along a dimension, each divided by its p-norm; zeros stay. `dim` is 1 by default, of a tensor of one dimension 0. Errors: INVALID_ARG. */
  normalize(p = 2, dim = this.dims.length === 1 ? 0 : 1): Tensor<FloatOf<T>> {
    return this.#floats().normalize_(p, dim);
  }

  /** `normalize` of this tensor itself. Errors: INVALID_ARG for integers too. */
  normalize_(p = 2, dim = this.dims.length === 1 ? 0 : 1): this {
    requireFloat(this.type, 'normalize_');
    replaceLines(this, dim, (values) => {
      const norm = Math.max(normOf(values, p), 1e-12);
      return values.map((value) => value / norm);
    });
    return this;
  }

  /** The p-norm of all numbers, or along a dimension, which goes away unless `keepdim`; `'fro'` is 2. Sums in float64. Errors: INVALID_ARG. */
  norm(p: number | 'fro' = 'fro', dim: number | null = null, keepdim = false): Tensor<FloatOf<T>> {
    const power = normPower(p);
    const floats = this.#floats();
    const { results, dims } = reduceLines(floats, dim, keepdim, (values) => normOf(values, power));
    return floats.#like(results, dims);
  }

  /** The sum of all numbers, or along a dimension, which goes away unless `keepdim`. Errors: INVALID_ARG. */
  sum(dim: number | null = null, keepdim = false): Tensor<T> {
    const { results, dims } = reduceLines(this, dim, keepdim, sum);
    return this.#like(results, dims);
  }

  /** The mean of all numbers, or along a dimension; of integers in float32. Errors: INVALID_ARG. */
  mean(dim: number | null = null, keepdim = false): Tensor<FloatOf<T>> {
    const floats = this.#floats();
    const { results, dims } = reduceLines(floats, dim, keepdim, (values) => sum(values) / values.length);
    return floats.#like(results, dims);
  }

  /** The largest of all numbers, or along a dimension. Errors: INVALID_ARG; of no numbers too. */
  max(dim: number | null = null, keepdim = false): Tensor<T> {
    const { results, dims } = reduceLines(this, dim, keepdim, (values) => values[bestIndex('max', values)]!);
    return this.#like(results, dims);
  }

  /** The smallest of all numbers, or along a dimension. Errors: as `max`. */
  min(dim: number | null = null, keepdim = false): Tensor<T> {
    const { results, dims } = reduceLines(this, dim, keepdim, (values) => values[bestIndex('min', values)]!);
    return this.#like(results, dims);
  }

  /** Where the largest number is, the first of equals: of all numbers, or along a dimension. Errors: as `max`. */
  argmax(dim: number | null = null, keepdim = false): Tensor<Int32Array> {
    const { results, dims } = reduceLines(this, dim, keepdim, (values) => bestIndex('max', values));
    return new Tensor(Int32Array.from(results), dims);
  }

  /** Where the smallest number is, as `argmax`. Errors: as `max`. */
  argmin(dim: number | null = null, keepdim = false): Tensor<Int32Array> {
    const { results, dims } = reduceLines(this, dim, keepdim, (values) => bestIndex('min', values));
    return new Tensor(Int32Array.from(results), dims);
  }

  #with<U extends TensorData>(data: U, dims: readonly number[]): Tensor<U> {
    return new Tensor(this.type, data as ArrayLike<number>, dims) as unknown as Tensor<U>;
  }

  #like(results: readonly (number | bigint)[], dims: readonly number[]): Tensor<T> {
    return new Tensor(this.type, results, dims) as Tensor<T>;
  }

  #reshape(dims: readonly number[]): this {
    this.dims = dims;
    return this;
  }

  /** A copy in floats. */
  #floats(): Tensor<FloatOf<T>> {
    return (isFloat(this.type) ? this.clone() : this.to('float32')) as unknown as Tensor<FloatOf<T>>;
  }

  #change(name: string, value: number | bigint, operate: (a: number, b: number) => number): this {
    const constant = scalarOf(this.type, value, name);
    return this.map_((each) => operate(each as number, constant) as ElementOf<T>);
  }

  #compare(holds: (value: number | bigint) => boolean): Tensor<Uint8Array> {
    const mask = Uint8Array.from(this.data as ArrayLike<unknown> as ArrayLike<number>, (value) => (holds(value) ? 1 : 0));
    return new Tensor('bool', mask, this.dims) as Tensor<Uint8Array>;
  }
}
Object.setPrototypeOf(Tensor.prototype, indexed);
