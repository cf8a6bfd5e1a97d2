import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { SaveDtype } from '../arguments/training-arguments.js';

/** What a model made of stored tensors is stored in: 16 bits where all of them are. */
export function storedDtype(tensors: Iterable<TensorInfo>): SaveDtype {
  const dtypes = new Set(Array.from(tensors, ({ dtype }) => dtype));
  if (dtypes.size !== 1) return 'fp32';
  return dtypes.has('F16') ? 'fp16' : dtypes.has('BF16') ? 'bf16' : 'fp32';
}
