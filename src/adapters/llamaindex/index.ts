/** An embedding and a node postprocessor for LlamaIndex.TS (`@llamaindex/core`). @module */
export { BerthaEmbedding } from './embedding.js';
export { BerthaReranker } from './reranker.js';
export type { RankOptions } from '../shared/ranker.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
