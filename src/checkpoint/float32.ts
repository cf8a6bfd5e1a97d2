import type { WeightDtype } from './safetensors/dtype.js';

/** Bytes per stored value. */
export function bytesPerFloat(dtype: WeightDtype): number {
  return dtype === 'F64' ? 8 : dtype === 'F32' ? 4 : 2;
}

/**
 * Converts stored values to float32. `bytes` must begin where an ArrayBuffer does (alignment) and hold `target.length` values. Assumes
 * a little-endian machine, as the format and every supported platform are.
 */
export function widenToFloat32(bytes: Uint8Array, dtype: WeightDtype, target: Float32Array): void {
  const { buffer } = bytes;
  const count = target.length;
  if (dtype === 'F32') {
    target.set(new Float32Array(buffer, 0, count));
  } else if (dtype === 'F64') {
    target.set(new Float64Array(buffer, 0, count));
  } else {
    const bits = new Uint16Array(buffer, 0, count);
    const targetBits = new Uint32Array(target.buffer, target.byteOffset, count);
    const widen = dtype === 'BF16' ? widenBfloat16 : widenFloat16;
    for (let i = 0; i < count; i++) targetBits[i] = widen(bits[i]!);
  }
}

function widenBfloat16(bits: number): number {
  return bits << 16;
}

/** float16 bits to float32 bits: exponent bias 15 becomes 127; subnormals are normal in float32; NaN keeps its payload. */
function widenFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
