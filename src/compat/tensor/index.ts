export * from './combine.js';
export * from './create.js';
export * from './pooling.js';
export * from './statistics.js';
export { Tensor } from './tensor.js';
export type { TensorSlice } from './shape.js';
export type { ElementOf, FloatOf, Nested, NestedNumbers, TensorData, TensorType } from './types.js';
export * from './vectors.js';
