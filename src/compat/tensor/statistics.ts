import { unexpected } from '../../expected.js';
import { requireFloat } from './arithmetic.js';
import { reduceLines, sum } from './lines.js';
import { shown } from './shape.js';
import { Tensor } from './tensor.js';
import type { FloatOf, TensorData } from './types.js';

/** `tensor.mean` as a function. Errors: INVALID_ARG. */
export function mean<T extends TensorData>(input: Tensor<T>, dim: number | null = null, keepdim = false): Tensor<FloatOf<T>> {
  return input.mean(dim, keepdim);
}

/**
 * The standard deviation and the mean of all numbers, or along a dimension, which goes away unless `keepdim`. `correction` is taken from
 * the count that the squares are divided by. Sums in float64.
 *
 * Errors: INVALID_ARG.
 */
export function std_mean<T extends TensorData>(
  input: Tensor<T>,
  dim: number | null = null,
  correction = 1,
  keepdim = false,
): [Tensor<FloatOf<T>>, Tensor<FloatOf<T>>] {
  const { results, dims } = reduceLines(input, dim, keepdim, (values) => {
    const center = sum(values.map(Number)) / values.length;
    return Math.sqrt(sum(values.map((value) => (Number(value) - center) ** 2)) / (values.length - correction));
  });
  const means = input.mean(dim, keepdim);
  return [new Tensor(means.type, results, dims) as unknown as Tensor<FloatOf<T>>, means];
}

/**
 * Each row of [rows, features] less its mean and divided by its standard deviation plus `eps`, as transformers.js does it (PyTorch adds `eps`
 * below the root). `normalized_shape` is [features].
 *
 * Errors: INVALID_ARG.
 */
export function layer_norm(
  input: Tensor<Float32Array>,
  normalized_shape: readonly number[],
  { eps = 1e-5 }: { readonly eps?: number } = {},
): Tensor<Float32Array> {
  requireFloat(input.type, 'layer_norm');
  const { dims } = input;
  if (dims.length !== 2 || normalized_shape.length !== 1 || normalized_shape[0] !== dims[1]) {
    const given = `${shown(dims)} and ${shown(normalized_shape)}`;
    throw unexpected('INVALID_ARG', '[rows, features] and [features] for layer_norm', given);
  }
  const [deviations, means] = std_mean(input, 1, 0);
  const [, width = 0] = dims;
  return input.map((value, i) => {
    const row = Math.floor(i / width);
    return (value - means.data[row]!) / (deviations.data[row]! + eps);
  });
}
