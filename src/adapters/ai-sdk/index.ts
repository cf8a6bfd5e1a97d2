/** Embedding and reranking models for the AI SDK. @module */
export { createBertha, type BerthaProviderOptions } from './provider.js';
export type {
  BerthaEmbeddingModel,
  BerthaProvider,
  BerthaRerankingModel,
  CompatibilityWarning,
  EmbedAnswer,
  EmbedCall,
  JsonValue,
  ProviderOptions,
  RerankAnswer,
  RerankCall,
} from './specification.js';
