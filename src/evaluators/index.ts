export {
  evaluateBinary,
  evaluateSimilarity,
  evaluateTriplets,
  type BinaryEvaluation,
  type PairEvaluationOptions,
  type ScoreName,
  type SimilarityEvaluation,
  type TripletEvaluation,
} from './pairs.js';
export {
  evaluateReranking,
  evaluateRetrieval,
  type RerankingEvaluation,
  type RerankingSample,
  type RetrievalData,
  type RetrievalEvaluation,
  type RetrievalOptions,
} from './retrieval.js';
export type { Vectorizer } from './vectorizer.js';
