/** Embedding functions for Chroma (`chromadb`), registered as `bertha` and, of sparse vectors, as `bertha-sparse`. @module */
export { BerthaEmbeddingFunction, type BerthaChromaConfig } from './embedding-function.js';
export { BerthaSparseEmbeddingFunction, type BerthaSparseChromaConfig, type SparseVectorOptions } from './sparse-embedding-function.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
