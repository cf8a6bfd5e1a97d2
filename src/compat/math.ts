import { BerthaError } from '../errors.js';
import { Tensor } from './tensor.js';

/** Softmax of a list of numbers, returned as the kind of list that was given. Sums in float64. */
export function softmax<T extends number[] | Float32Array | Float64Array>(values: T): T {
  const list = values as number[];
  const largest = list.reduce((most, value) => Math.max(most, value), -Infinity);
  const sum = list.reduce((total, value) => total + Math.exp(value - largest), 0);
  return list.map((value) => Math.exp(value - largest) / sum) as T;
}

/** The dot product of two vectors. Errors: INVALID_ARG if they differ in length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new BerthaError('INVALID_ARG', `Expected two vectors of one length for dot but received ${a.length} and ${b.length} numbers.`);
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The cosine of two vectors, NaN if one is zero. Errors: INVALID_ARG if they differ in length. */
export function cos_sim(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)));
}

/**
 * The mean of each text's hidden states, [texts, tokens, hidden] and mask [texts, tokens] to [texts, hidden], over the tokens whose mask is
 * not 0, weighted by it; zeros for a text without any, as sentence-transformers. Sums in float64.
 *
 * Errors: INVALID_ARG if the shapes do not fit.
 */
export function mean_pooling(
  last_hidden_state: Tensor,
  attention_mask: { readonly data: ArrayLike<number | bigint>; readonly dims: readonly number[] },
): Tensor<Float32Array> {
  const [texts = 0, tokens = 0, hidden = 0] = last_hidden_state.dims;
  const { data, dims } = attention_mask;
  if (last_hidden_state.dims.length !== 3 || dims.length !== 2 || dims[0] !== texts || dims[1] !== tokens) {
    const shown = `[${last_hidden_state.dims.join(', ')}] and [${dims.join(', ')}]`;
    throw new BerthaError('INVALID_ARG', `Expected [texts, tokens, hidden] and [texts, tokens] for mean_pooling but received ${shown}.`);
  }
  const pooled = new Float32Array(texts * hidden);
  for (let text = 0; text < texts; text++) {
    const sums = new Float64Array(hidden);
    let count = 0;
    for (let token = text * tokens; token < (text + 1) * tokens; token++) {
      const weight = Number(data[token]);
      count += weight;
      if (weight !== 0) for (let i = 0; i < hidden; i++) sums[i]! += last_hidden_state.data[token * hidden + i]! * weight;
    }
    if (count > 0) for (let i = 0; i < hidden; i++) pooled[text * hidden + i] = sums[i]! / count;
  }
  return new Tensor(pooled, [texts, hidden]);
}
