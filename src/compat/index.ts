export { cos_sim, dot, mean_pooling, softmax } from './math.js';
export { toRows, type IntegerInput } from './integer-rows.js';
export * from './models.js';
export * from './tensor.js';
export * from './tokenizer.js';
