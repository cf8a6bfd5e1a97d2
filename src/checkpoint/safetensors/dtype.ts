/** Bits per element of every element type the safetensors format knows (reference reader 0.8.0). */
const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** Element type of a stored tensor, spelled as in the file. */
export type Dtype = keyof typeof DTYPE_BITS;

/** All element types, in the order of the reference reader. */
export const DTYPES = Object.keys(DTYPE_BITS) as readonly Dtype[];

/** Whether `name` is an element type of the format (case matters). */
export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BITS, name);
}

/** Bits per element; the 4 and 6 bit types pack several elements into a byte. */
export function dtypeBits(dtype: Dtype): number {
  return DTYPE_BITS[dtype];
}

/** Element types that can hold a weight: each value has an exact or correctly rounded float32. */
export type WeightDtype = 'F32' | 'F16' | 'BF16' | 'F64';

/** Whether a tensor of this element type can be used as a weight. */
export function isWeightDtype(dtype: Dtype): dtype is WeightDtype {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64';
}
