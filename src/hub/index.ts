export { readModelPath, type ModelPath } from './model-path.js';
export { downloadModel, resolveModel, type DownloadedModel, type DownloadModelOptions } from './resolve-model.js';
export { hubSchema, type HubOptions } from './settings.js';
export type { FileProgress, ProgressEvent, TotalProgress } from './progress.js';
