import { wrongArgument } from '../../expected.js';
import { sizeOf } from './shape.js';
import { Tensor } from './tensor.js';

/** Something with a shape. */
interface Shape {
  readonly dims: readonly number[];
}

/** A tensor of one value: of a number float32, of a bigint int64, of a boolean bool. Errors: INVALID_ARG for another value, or a shape of no whole numbers. */
export function full(size: readonly number[], fill_value: number | bigint | boolean): Tensor {
  const types = { number: 'float32', bigint: 'int64', boolean: 'bool' } as const;
  const type = types[typeof fill_value as keyof typeof types] as (typeof types)[keyof typeof types] | undefined;
  if (type === undefined) throw wrongArgument('a number, a bigint or a boolean for full', fill_value);
  return new Tensor(type, new Array<number | bigint | boolean>(countOf(size, 'full')).fill(fill_value), size);
}

/** `full` with the shape of another tensor. */
export function full_like({ dims }: Shape, fill_value: number | bigint | boolean): Tensor {
  return full(dims, fill_value);
}

/** A tensor of ones, int64. Errors: as `full`. */
export function ones(size: readonly number[]): Tensor<BigInt64Array> {
  return full(size, 1n) as Tensor<BigInt64Array>;
}

/** `ones` with the shape of another tensor. */
export function ones_like({ dims }: Shape): Tensor<BigInt64Array> {
  return ones(dims);
}

/** A tensor of zeros, int64. Errors: as `full`. */
export function zeros(size: readonly number[]): Tensor<BigInt64Array> {
  return full(size, 0n) as Tensor<BigInt64Array>;
}

/** `zeros` with the shape of another tensor. */
export function zeros_like({ dims }: Shape): Tensor<BigInt64Array> {
  return zeros(dims);
}

/** Random numbers from 0 to 1, evenly distributed, float32. Errors: as `full`. */
export function rand(size: readonly number[]): Tensor<Float32Array> {
  return random(size, 'rand', Math.random);
}

/** Random numbers of the standard normal distribution, float32. Errors: as `full`. */
export function randn(size: readonly number[]): Tensor<Float32Array> {
  // Box and Muller's transform; 1 - random() is never 0.
  return random(size, 'randn', () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

function random(size: readonly number[], name: string, next: () => number): Tensor<Float32Array> {
  return new Tensor(Float32Array.from({ length: countOf(size, name) }, next), size);
}

function countOf(size: readonly number[], name: string): number {
  if (Array.isArray(size) && size.every((length) => Number.isInteger(length) && length >= 0)) return sizeOf(size);
  throw wrongArgument(`whole numbers for the shape of ${name}`, size);
}
