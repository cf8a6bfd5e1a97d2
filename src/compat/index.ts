export * from './models.js';
export * from './tensor.js';
export * from './tokenizer.js';
