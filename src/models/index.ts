export { isModel, loadModel, loadSchema, Model } from './model.js';
export type { ForwardInput, ForwardOptions, ForwardResult, LoadModelOptions, ModelValues, Tensor } from './model.js';
export { buildModel } from './architectures.js';
export type { Heads, MaskedLmHead } from './heads.js';
