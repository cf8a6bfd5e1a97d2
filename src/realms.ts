import { types } from 'node:util';

// In a vm context (Jest, Vitest's vm pools, plugin hosts) the built-in classes are not the ones that Node.js and the addon make their
// objects of, so `instanceof` of a built-in says no there. What stands here looks at what a value is, wherever it was made.

/** An error's message, or the value as text where somebody threw something else. */
export function errorMessage(error: unknown): string {
  const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : undefined;
  return typeof message === 'string' ? message : String(error);
}

/** Whether it is an error with a code of text: Node's system errors, the addon's errors. */
export function isCodedError(error: unknown): error is Error & { readonly code: string } {
  return types.isNativeError(error) && typeof (error as { code?: unknown }).code === 'string';
}

/** Whether it is an array of floats, of single or double precision. */
export function isFloatArray(value: unknown): value is Float32Array | Float64Array {
  return types.isFloat32Array(value) || types.isFloat64Array(value);
}

/** Whether it is an array of float32. */
export function isFloat32Array(value: unknown): value is Float32Array {
  return types.isFloat32Array(value);
}

/** Whether it is an array of int32. */
export function isInt32Array(value: unknown): value is Int32Array {
  return types.isInt32Array(value);
}
