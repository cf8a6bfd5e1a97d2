export { AutoConfig, type PretrainedConfig } from './config.js';
export type { Dtype } from './dtype.js';
export { env, type Environment } from './env.js';
export type { ForeignDevice, PretrainedOptions } from './load-options.js';
export { toRows, type IntegerInput } from './integer-rows.js';
export * from './models.js';
export * from './tensor/index.js';
export * from './tokenizer.js';
