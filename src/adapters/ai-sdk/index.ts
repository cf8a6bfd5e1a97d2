/** Embedding, reranking and language models for the AI SDK. @module */
export { createBertha, type BerthaProviderOptions } from './provider.js';
export type {
  BerthaEmbeddingModel,
  BerthaLanguageModel,
  BerthaProvider,
  BerthaRerankingModel,
  CompatibilityWarning,
  EmbedAnswer,
  EmbedCall,
  JsonValue,
  LanguageAnswer,
  LanguageCall,
  LanguageFinish,
  LanguagePart,
  LanguageUsage,
  ProviderOptions,
  RerankAnswer,
  RerankCall,
  UnsupportedWarning,
} from './specification.js';
