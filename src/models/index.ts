export { isModel, loadModel, loadSchema, Model, openSource } from './model.js';
export type { LoadModelOptions, ModelSource, ModelValues } from './model.js';
export type { ForwardInput, ForwardOptions, ForwardResult, ModelTensor } from './forward.js';
export { isBundledTask, type BundledTask } from './bundled-heads.js';
export { requireEncoder } from './require-encoder.js';
export { memoryOf, type MemoryUsage } from './memory-usage.js';
export { buildModel } from './build-model.js';
export type { RowDomain, Value } from './program/program.js';
export type { Heads, MaskedLmHead } from '../architectures/heads.js';
