export { isModel, loadModel, loadSchema, Model } from './model.js';
export type { ForwardInput, ForwardOptions, ForwardResult, LoadModelOptions, ModelTensor, ModelValues } from './model.js';
export { buildModel } from './architectures.js';
export type { RowDomain, Value } from './program.js';
export type { Heads, MaskedLmHead } from './heads.js';
