import { unexpected } from '../../../expected.js';
import type { PieceTable } from '../../unigram/piece-table.js';
import { MAX_VOCAB_SIZE } from '../../vocabulary/vocabulary.js';

/** Adds units[0..length) to the pieces of a tokenizer.json. Errors: TOKENIZER, for what is no piece. */
export function addPiece(table: PieceTable, units: Uint16Array, length: number, score: number): void {
  const fault = faultOf(units, length, score, table.size);
  if (fault !== undefined) throw unexpected('TOKENIZER', `${fault[0]} for tokenizer.json: model: vocab[${table.size}]`, fault[1]);
  table.add(units, length, score);
}

function faultOf(units: Uint16Array, length: number, score: number, id: number): [string, string] | undefined {
  if (!Number.isFinite(score)) return ['a finite score', String(score)];
  if (id >= MAX_VOCAB_SIZE) return [`at most ${MAX_VOCAB_SIZE} pieces`, 'more'];
  if (!isWellFormed(units, length)) return ['well-formed Unicode', 'half of a surrogate pair'];
  return undefined;
}

function isWellFormed(units: Uint16Array, length: number): boolean {
  for (let k = 0; k < length; k++) {
    const unit = units[k] as number;
    if ((unit & 0xf800) !== 0xd800) continue;
    if ((unit & 0xfc00) !== 0xd800 || k + 1 === length || ((units[++k] as number) & 0xfc00) !== 0xdc00) return false;
  }
  return true;
}
