/** Embeddings and reranking for LangChain (`@langchain/core`). @module */
export { BerthaEmbeddings } from './embeddings.js';
export { BerthaRerank } from './rerank.js';
export type { RankOptions } from '../shared/ranker.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
