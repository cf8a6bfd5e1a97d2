/** Embeddings, reranking and language models for LangChain (`@langchain/core`). @module */
export { BerthaEmbeddings } from './embeddings.js';
export { BerthaLLM, type BerthaLLMCallOptions } from './llm.js';
export { BerthaRerank } from './rerank.js';
export type { RankOptions } from '../shared/ranker.js';
export type { AdapterCallOptions, VectorOptions } from '../shared/text-vectors.js';
export type { WriterCallOptions, WriterOptions } from '../shared/text-writer.js';
