/** An embedding, a node postprocessor and a language model for LlamaIndex.TS (`@llamaindex/core`). @module */
export { BerthaEmbedding } from './embedding.js';
export { BerthaLLM } from './llm.js';
export { BerthaReranker } from './reranker.js';
export type { RankOptions } from '../shared/ranker.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
export type { WriterCallOptions, WriterOptions } from '../shared/text-writer.js';
