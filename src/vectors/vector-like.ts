import type { BerthaError } from '../errors.js';
import { received, unexpected, wrongArgument } from '../expected.js';
import { isFloatArray } from '../realms.js';

/**
 * A vector: typed or plain numbers, of whatever realm, or an object that has one as `vector`, as what `embed` returns, and what
 * `JSON.parse` makes of that.
 */
export type VectorLike = Components | { readonly vector: Components };

/** The numbers of a vector. */
export type Components = Float32Array | Float64Array | readonly number[];

/** A vector's numbers in typed memory. */
export type FloatArray = Float32Array | Float64Array;

/** Vectors as rows of one array. */
export interface VectorMatrix {
  /** [rows, dimensions] */
  readonly data: FloatArray;
  readonly dimensions: number;
}

/** Whether the value is a list of vectors, or an empty list, rather than one vector. */
export function isVectorList(value: unknown): value is readonly VectorLike[] {
  return Array.isArray(value) && typeof value[0] !== 'number';
}

/**
 * The numbers of a vector; plain ones as float64. `name` is what an error calls it.
 *
 * Errors: INVALID_ARG for something that is not a vector.
 */
export function componentsOf(vector: unknown, name: string): FloatArray {
  const isObject = typeof vector === 'object' && vector !== null && !ArrayBuffer.isView(vector) && !Array.isArray(vector);
  const values: unknown = isObject ? (vector as { vector?: unknown }).vector : vector;
  if (isFloatArray(values)) return values;
  if (Array.isArray(values) && values.length > 0) {
    const numbers = Float64Array.from(values as number[]);
    const wrong = values.findIndex((value) => typeof value !== 'number');
    if (wrong < 0) return numbers;
    throw unexpected('INVALID_ARG', `numbers for ${name}`, `${received(values[wrong])} at index ${wrong}`);
  }
  throw wrongArgument(`a Float32Array, numbers or an embedding for ${name}`, vector);
}

/** The same for numbers that are all finite. Errors: INVALID_ARG. */
export function finiteComponentsOf(vector: unknown, name: string): FloatArray {
  const components = componentsOf(vector, name);
  const bad = components.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw unexpected('INVALID_ARG', `finite numbers for ${name}`, bad);
  return components;
}

/** The error for a vector of another length. */
export function lengthError(name: string, expected: number, got: number): BerthaError {
  return unexpected('INVALID_ARG', `${expected} numbers, as the others have, for ${name}`, got);
}

/** Sum of the products, in float64, in the order of the components. */
export function dot(a: FloatArray, b: FloatArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The length of a vector. */
export function norm(vector: FloatArray): number {
  return Math.sqrt(dot(vector, vector));
}
