export { AutoConfig, type PretrainedConfig } from './models/config.js';
export type { Dtype, DtypeOption } from '../runtime/dtype.js';
export { env, type Environment } from './loading/env.js';
export type { ForeignDevice, PretrainedOptions } from './loading/options.js';
export { toRows, type IntegerInput } from './tensor/integer-rows.js';
export * from './models/classes.js';
export * from './tensor/index.js';
export * from './tokenizer/tokenizer.js';
