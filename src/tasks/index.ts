export { answerQuestion, type Answer, type AnsweredQuestion, type AnswerOptions, type QuestionInput } from './answer-question.js';
export {
  chunkText,
  embedWindows,
  type Chunk,
  type ChunkOptions,
  type EmbeddedChunk,
  type EmbeddedWindows,
  type WindowOptions,
} from './chunk.js';
export { classifyText, type ClassifiedText, type ClassifyOptions, type LabelScore, type ScoreFunction } from './classify.js';
export type { AggregationStrategy, Entity } from './entities.js';
export { extractFeatures, type FeatureOptions, type FeatureTensor } from './extract-features.js';
export { fillMask, type FilledMask, type FilledText, type FillMaskOptions, type MaskCandidate } from './fill-mask.js';
export { multipleChoice, predictNextSentence, type ChoiceInput, type ChosenAnswer, type NextSentence } from './pairs.js';
export { recognizeEntities, type EntityOptions, type RecognizedText } from './recognize-entities.js';
export { detectReplacedTokens, type ReplacedToken, type ReplacedTokens } from './replaced-tokens.js';
export { predictPairs, rerank, type PairOptions, type RankedDocument, type RerankOptions } from './rerank.js';
export { sentenceSimilarity } from './sentence-similarity.js';
export type { TaskFunction, TaskOptions, TaskReport, TextInput, TextPair } from './task-call.js';
export { classifyZeroShot, type ZeroShotOptions, type ZeroShotResult } from './zero-shot.js';
