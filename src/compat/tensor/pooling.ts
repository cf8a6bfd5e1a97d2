import { unexpected, wrongOption } from '../../expected.js';
import { shown } from './shape.js';
import { Tensor } from './tensor.js';

/**
 * The mean of each text's hidden states, [texts, tokens, hidden] and mask [texts, tokens] to [texts, hidden], over the tokens whose mask is
 * not 0, weighted by it; zeros for a text without any, as sentence-transformers. Sums in float64.
 *
 * Errors: INVALID_ARG if the shapes do not fit.
 */
export function mean_pooling(
  last_hidden_state: Tensor<Float32Array>,
  attention_mask: { readonly data: ArrayLike<number | bigint>; readonly dims: readonly number[] },
): Tensor<Float32Array> {
  const [texts = 0, tokens = 0, hidden = 0] = last_hidden_state.dims;
  const { data, dims } = attention_mask;
  if (last_hidden_state.dims.length !== 3 || dims.length !== 2 || dims[0] !== texts || dims[1] !== tokens) {
    const given = `${shown(last_hidden_state.dims)} and ${shown(dims)}`;
    throw unexpected('INVALID_ARG', '[texts, tokens, hidden] and [texts, tokens] for mean_pooling', given);
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

/**
 * One bit a number of [rows, dimensions], set where it is above 0, eight to a byte, the first in the highest bit; `binary` takes 128 from
 * every byte. As sentence-transformers and numpy.packbits.
 *
 * Errors: INVALID_ARG unless there are rows of a multiple of 8 numbers; INVALID_OPTION for another precision.
 */
export function quantize_embeddings(tensor: Tensor, precision: 'binary' | 'ubinary'): Tensor<Int8Array> | Tensor<Uint8Array> {
  const [rows = 0, width = 0] = tensor.dims;
  if (tensor.dims.length !== 2 || width % 8 !== 0) {
    throw unexpected('INVALID_ARG', '[rows, dimensions] with a multiple of 8 dimensions for quantize_embeddings', shown(tensor.dims));
  }
  if (precision !== 'binary' && precision !== 'ubinary') {
    throw wrongOption('"binary" or "ubinary" for the precision', precision);
  }
  const bytes = new Uint8Array((rows * width) / 8);
  tensor.data.forEach((value: number | bigint, i: number) => {
    if (value > 0) bytes[i >> 3]! |= 0x80 >> (i & 7);
  });
  const dims = [rows, width / 8];
  return precision === 'ubinary'
    ? new Tensor(bytes, dims)
    : new Tensor(
        Int8Array.from(bytes, (byte) => byte - 128),
        dims,
      );
}
