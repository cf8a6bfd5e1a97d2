export {
  trainWordPiece,
  type TrainWordPieceOptions,
  type WordPieceProgress,
  type WordPieceVocabulary,
} from './vocabulary/train-wordpiece.js';
export type { TextSource } from './corpus/text-source.js';
export { pretrain, type PretrainedModel, type PretrainingObjective, type PretrainOptions } from './pretrain.js';
export { modelSizes, type ModelSize } from './model-sizes.js';
export type { CorpusFormat } from './corpus/documents.js';
