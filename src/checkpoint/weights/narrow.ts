import { unexpected } from '../../expected.js';
import type { Dtype } from '../safetensors/dtype.js';

/** Number formats of saved weights, as the Hub names them. */
export type SaveDtype = 'fp32' | 'fp16' | 'bf16';

/** Each format's name in safetensors and in config.json, and its bytes a number. */
export const savedFormats: Readonly<Record<SaveDtype, { readonly dtype: Dtype; readonly name: string; readonly bytes: number }>> = {
  fp32: { dtype: 'F32', name: 'float32', bytes: 4 },
  fp16: { dtype: 'F16', name: 'float16', bytes: 2 },
  bf16: { dtype: 'BF16', name: 'bfloat16', bytes: 2 },
};

/**
 * The bytes of float32 numbers in a format, each rounded to the nearest, ties to even, as PyTorch rounds.
 *
 * Errors: INVALID_OPTION for a number that float16 cannot hold; `tensor` and `option` are what the error names.
 */
export function narrowed(values: Float32Array, format: SaveDtype, tensor: string, option = 'saveDtype'): Uint8Array {
  if (format === 'fp32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const narrow = Uint16Array.from(bits, format === 'bf16' ? bfloat16 : float16);
  const infinite = narrow.findIndex((half, i) => (half & 0x7fff) === kInfinity[format] && Number.isFinite(values[i]));
  if (infinite >= 0) {
    throw unexpected('INVALID_OPTION', `numbers that ${savedFormats[format].name} can hold in ${tensor} for ${option}`, values[infinite]!, {
      hint: 'Write bf16 or fp32.',
    });
  }
  return new Uint8Array(narrow.buffer);
}

const kInfinity = { fp16: 0x7c00, bf16: 0x7f80 } as const;

/** float32's bits as bfloat16's. */
function bfloat16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** float32's bits as float16's, subnormal numbers included. */
function float16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65520 on, half a step above the largest number.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  const exponent = (magnitude >>> 23) - 127;
  // Below half of the smallest number.
  if (exponent < -25) return sign;
  // The significand, of which `drop` bits are lost.
  const drop = exponent < -14 ? -exponent - 1 : 13;
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> drop;
  const rest = significand - kept * 2 ** drop;
  const half = 2 ** (drop - 1);
  const rounded = rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
  return sign | (exponent < -14 ? rounded : ((exponent + 14) << 10) + rounded);
}
