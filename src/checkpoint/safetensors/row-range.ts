import type { TensorInfo } from './safetensors.js';

/** Rows begin .. begin + count of a tensor, of a vector its values, as a tensor; all of them: the tensor itself. */
export function rowRange(tensor: TensorInfo, begin: number, count: number): TensorInfo {
  const [rows = 0, ...rest] = tensor.shape;
  if (begin === 0 && count === rows) return tensor;
  const rowBytes = rows === 0 ? 0 : tensor.byteLength / rows;
  return {
    ...tensor,
    name: `${tensor.name}[${begin}:${begin + count}]`,
    shape: [count, ...rest],
    byteOffset: tensor.byteOffset + begin * rowBytes,
    byteLength: count * rowBytes,
    rowsOf: { tensor, begin },
  };
}

/** The name of the tensor that holds these rows, as stored. */
export function storedName(tensor: TensorInfo): string {
  return tensor.rowsOf?.tensor.name ?? tensor.name;
}
