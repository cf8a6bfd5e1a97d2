/** Pre-training from raw text: WordPiece vocabularies, corpora, masked words and next sentences. @module */
export {
  trainWordPiece,
  type TrainWordPieceOptions,
  type WordPieceProgress,
  type WordPieceVocabulary,
} from './vocabulary/train-wordpiece.js';
export type { TextSource } from './corpus/text-source.js';
export { pretrain, type PretrainedModel } from './pretrain.js';
export type { PretrainingObjective, PretrainOptions } from './pretrain-options.js';
export { modelSizes, type ModelSize } from './model-sizes.js';
export type { MaskingRule } from '../training/collators/masking.js';
export type { TokenizerFiles } from '../tokenizer/definition/definition.js';
export type { CorpusFormat } from './corpus/documents.js';
