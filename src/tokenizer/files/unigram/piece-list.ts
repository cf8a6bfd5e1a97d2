import { unexpected } from '../../../expected.js';
import type { PieceColumns } from '../../unigram/piece-columns.js';
import { MAX_VOCAB_SIZE } from '../../vocabulary/vocabulary.js';

/**
 * Ends the piece of a tokenizer.json that was written to the columns up to `end`. `hasSurrogates`: whether it may have any.
 *
 * Errors: TOKENIZER, for what is no piece.
 */
export function addPiece(columns: PieceColumns, end: number, score: number, hasSurrogates = true): void {
  const isBroken = hasSurrogates && !isWellFormed(columns.units, columns.starts[columns.size] as number, end);
  if (!Number.isFinite(score) || columns.size >= MAX_VOCAB_SIZE || isBroken) {
    const [expected, received] = faultOf(score, columns.size);
    throw unexpected('TOKENIZER', `${expected} for tokenizer.json: model: vocab[${columns.size}]`, received);
  }
  columns.push(end, score);
}

function faultOf(score: number, id: number): [expected: string, received: string] {
  if (!Number.isFinite(score)) return ['a finite score', String(score)];
  if (id >= MAX_VOCAB_SIZE) return [`at most ${MAX_VOCAB_SIZE} pieces`, 'more'];
  return ['well-formed Unicode', 'half of a surrogate pair'];
}

function isWellFormed(units: Uint16Array, start: number, end: number): boolean {
  for (let k = start; k < end; k++) {
    const unit = units[k] as number;
    if ((unit & 0xf800) !== 0xd800) continue;
    if ((unit & 0xfc00) !== 0xd800 || k + 1 === end || ((units[++k] as number) & 0xfc00) !== 0xdc00) return false;
  }
  return true;
}
