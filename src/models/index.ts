export { isModel, loadModel, loadSchema, Model, openSource } from './model.js';
export type { ForwardInput, ForwardOptions, ForwardResult, LoadModelOptions, ModelSource, ModelTensor, ModelValues } from './model.js';
export { isBundledTask, type BundledTask } from './bundled-heads.js';
export { memoryOf, type MemoryUsage } from './memory-usage.js';
export { buildModel } from './build-model.js';
export type { RowDomain, Value } from './program/program.js';
export type { Heads, MaskedLmHead } from '../architectures/heads.js';
