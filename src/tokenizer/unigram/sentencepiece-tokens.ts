import type { Vocabulary } from '../vocabulary/vocabulary.js';

/** What a piece of a SentencePiece model stands for. */
export type PieceType = 'normal' | 'unknown' | 'control' | 'user-defined' | 'unused' | 'byte';

/** How the pieces of a SentencePiece model's own file become tokens. */
export interface SentencePieceTokens {
  /** [pieces]: the token that each piece becomes. */
  readonly ids: Int32Array;
  /** All tokens: unknown text that is spelled like one becomes it. */
  readonly vocab: Vocabulary;
  /** The score of a character that is no piece. */
  readonly unkScore: number;
}
