import type { BerthaError } from '../../errors.js';
import { received, unexpected, wrongArgument } from '../../expected.js';
import { gather, shown, sizeOf, stridesOf, wholeIndex } from './shape.js';
import { Tensor } from './tensor.js';
import { newData, type TensorData } from './types.js';

/** A copy with the dimensions in another order. Errors: INVALID_ARG unless each is named once. */
export function permute<T extends TensorData>(tensor: Tensor<T>, axes: readonly number[]): Tensor<T> {
  return tensor.permute(...axes);
}

/**
 * Tensors one after the other along a dimension, in the type of the first.
 *
 * Errors: INVALID_ARG for no tensors, or shapes that differ in another dimension.
 */
export function cat<T extends TensorData>(tensors: readonly Tensor<T>[], dim = 0): Tensor<T> {
  const [first] = requireTensors(tensors, 'cat');
  const axis = wholeIndex(dim, first.dims.length);
  const others = ({ dims }: Tensor) => shown(dims.toSpliced(axis, 1));
  const odd = tensors.find((tensor) => tensor.dims.length !== first.dims.length || others(tensor) !== others(first));
  if (odd !== undefined) throw differing('cat', first.dims, odd.dims);
  const dims = first.dims.with(
    axis,
    tensors.reduce((sum, tensor) => sum + tensor.dims[axis]!, 0),
  );
  const result = new Tensor(first.type, newData(first.type, sizeOf(dims)) as Float32Array, dims) as unknown as Tensor<T>;
  const rest = sizeOf(dims.slice(axis + 1));
  let offset = 0;
  for (const tensor of tensors) {
    const { data } = tensor.to(first.type);
    const length = tensor.dims[axis]! * rest;
    for (let from = 0, to = offset; from < data.length; from += length, to += dims[axis]! * rest) {
      (result.data as Float32Array).set((data as Float32Array).subarray(from, from + length), to);
    }
    offset += length;
  }
  return result;
}

/** Tensors of one shape along a new dimension. Errors: as `cat`. */
export function stack<T extends TensorData>(tensors: readonly Tensor<T>[], dim = 0): Tensor<T> {
  const [first] = requireTensors(tensors, 'stack');
  const odd = tensors.find(({ dims }) => shown(dims) !== shown(first.dims));
  if (odd !== undefined) throw differing('stack', first.dims, odd.dims);
  return cat(
    tensors.map((tensor) => tensor.unsqueeze(dim)),
    dim,
  );
}

/** The largest `k` numbers along the last dimension, falling, the first of equals first, and their indices. Errors: INVALID_ARG. */
export async function topk<T extends TensorData>(x: Tensor<T>, k: number | null = null): Promise<[Tensor<T>, Tensor<Int32Array>]> {
  const length = x.dims.at(-1);
  if (length === undefined || (k !== null && (!Number.isInteger(k) || k < 0))) {
    const given = length === undefined ? 'a scalar' : received(k);
    throw unexpected('INVALID_ARG', 'a tensor with dimensions and a whole number for topk', given);
  }
  const count = Math.min(k ?? length, length);
  const dims = [...x.dims.slice(0, -1), count];
  const indices = new Int32Array(sizeOf(dims));
  const values = newData(x.type, indices.length);
  for (let line = 0; line < sizeOf(x.dims.slice(0, -1)); line++) {
    const row = x.data.subarray(line * length, (line + 1) * length) as Float32Array;
    const order = Array.from(row.keys()).sort((a, b) => (row[a] === row[b] ? a - b : row[a]! > row[b]! ? -1 : 1));
    for (let i = 0; i < count; i++) {
      indices[line * count + i] = order[i]!;
      values[line * count + i] = row[order[i]!]!;
    }
  }
  return [new Tensor(x.type, values as Float32Array, dims) as unknown as Tensor<T>, new Tensor(indices, dims)];
}

/**
 * A part of a tensor: of the named dimensions every `steps`-th index from `starts` to `ends`, which is not included. Indices count from the
 * end where negative and are cut to the dimension.
 *
 * Errors: INVALID_ARG.
 */
export async function slice<T extends TensorData>(
  data: Tensor<T>,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Promise<Tensor<T>> {
  const lists = [starts, ends, axes, steps];
  if (lists.some((list) => list.length !== axes.length || !list.every(Number.isInteger)) || steps.includes(0)) {
    throw unexpected('INVALID_ARG', 'starts, ends, axes and steps of one length for slice', lists.map(shown).join(', '));
  }
  const strides = stridesOf(data.dims);
  const from = data.dims.map((length, axis) => ({ step: strides[axis]!, length }));
  let origin = 0;
  axes.forEach((each, i) => {
    const axis = wholeIndex(each, data.dims.length);
    const length = data.dims[axis]!;
    const step = steps[i]!;
    const cut = (index: number) =>
      Math.min(Math.max(index < 0 ? index + length : index, step < 0 ? -1 : 0), step < 0 ? length - 1 : length);
    const [begin, end] = [cut(starts[i]!), cut(ends[i]!)];
    origin += begin * strides[axis]!;
    from[axis] = { step: step * strides[axis]!, length: Math.max(0, Math.ceil((end - begin) / step)) };
  });
  const dims = from.map(({ length }) => length);
  return new Tensor(data.type, gather(data.type, data.data, from, origin) as Float32Array, dims) as unknown as Tensor<T>;
}

/**
 * The matrix product of two tensors: the last two dimensions are matrices, those before are broadcast; of one dimension a row on the left, a
 * column on the right. float32, sums in float64.
 *
 * Errors: INVALID_ARG unless the shapes fit.
 */
export async function matmul(a: Tensor, b: Tensor): Promise<Tensor<Float32Array>> {
  const left = a.dims.length === 1 ? a.unsqueeze(0) : a;
  const right = b.dims.length === 1 ? b.unsqueeze(1) : b;
  const [m = 0, k = 0] = left.dims.slice(-2);
  const [inner, n = 0] = right.dims.slice(-2);
  const batch = broadcast(left.dims.slice(0, -2), right.dims.slice(0, -2));
  if (left.dims.length < 2 || right.dims.length < 2 || k !== inner || batch === undefined) throw differing('matmul', a.dims, b.dims);
  const [x, y] = [left.to('float32').data, right.to('float32').data] as [Float32Array, Float32Array];
  const result = new Float32Array(sizeOf(batch) * m * n);
  for (let i = 0; i < sizeOf(batch); i++) {
    const xBegin = broadcastIndex(i, batch, left.dims.slice(0, -2)) * m * k;
    const yBegin = broadcastIndex(i, batch, right.dims.slice(0, -2)) * k * n;
    for (let row = 0; row < m; row++) {
      const sums = new Float64Array(n);
      for (let t = 0; t < k; t++) for (let c = 0; c < n; c++) sums[c]! += x[xBegin + row * k + t]! * y[yBegin + t * n + c]!;
      result.set(sums, (i * m + row) * n);
    }
  }
  const dims = [...batch, ...(a.dims.length === 1 ? [] : [m]), ...(b.dims.length === 1 ? [] : [n])];
  return new Tensor(result, dims);
}

/** The shape that two shapes have together, undefined where they do not fit. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [a, b].map((dims) => [...new Array<number>(rank - dims.length).fill(1), ...dims]) as [number[], number[]];
  if (left.some((length, i) => length !== right[i] && length !== 1 && right[i] !== 1)) return undefined;
  return left.map((length, i) => (length === 1 ? right[i]! : length));
}

/** Where the i-th matrix of a broadcast batch is in a tensor of fewer. */
function broadcastIndex(i: number, batch: readonly number[], dims: readonly number[]): number {
  const strides = stridesOf(batch);
  const own = stridesOf(dims);
  return dims.reduce((at, length, axis) => {
    const place = batch.length - dims.length + axis;
    return at + (length === 1 ? 0 : Math.floor(i / strides[place]!) % batch[place]!) * own[axis]!;
  }, 0);
}

function requireTensors<T extends TensorData>(tensors: readonly Tensor<T>[], name: string): [Tensor<T>, ...Tensor<T>[]] {
  if (Array.isArray(tensors) && tensors.length > 0) return tensors as [Tensor<T>, ...Tensor<T>[]];
  throw wrongArgument(`a list of tensors for ${name}`, tensors);
}

function differing(name: string, a: readonly number[], b: readonly number[]): BerthaError {
  return unexpected('INVALID_ARG', `shapes that fit for ${name}`, `${shown(a)} and ${shown(b)}`);
}
