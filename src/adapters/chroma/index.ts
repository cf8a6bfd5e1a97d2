/** An embedding function for Chroma (`chromadb`), registered as `bertha`. @module */
export { BerthaEmbeddingFunction, type BerthaChromaConfig } from './embedding-function.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
