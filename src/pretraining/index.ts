export {
  trainWordPiece,
  type TrainWordPieceOptions,
  type WordPieceProgress,
  type WordPieceVocabulary,
} from './vocabulary/train-wordpiece.js';
export type { TextSource } from './corpus/text-source.js';
