import type { ModelDefinition } from '../../definition/definition.js';
import { PieceColumns } from '../../unigram/piece-columns.js';
import { PieceTable } from '../../unigram/piece-table.js';
import { unitsOf } from '../../vocabulary/vocabulary.js';
import type { JsonNode } from '../json.js';
import { addPiece } from './piece-list.js';

/** Reads a Unigram model; `scanned` are its pieces if those were read before. Errors: TOKENIZER. */
export function readUnigram(
  node: JsonNode,
  scanned: PieceTable | undefined,
): { readonly model: ModelDefinition; readonly vocab: PieceTable; readonly unkToken: string } {
  const pieces = scanned ?? readPieces(node);
  const unkId = node.integer('unk_id', undefined, 0, pieces.size - 1);
  const model = { type: 'Unigram' as const, pieces, unkId, byteFallback: node.boolean('byte_fallback', false) };
  return { model, vocab: pieces, unkToken: pieces.token(unkId) as string };
}

/** `[["piece", score], …]`, as JSON.parse reads numbers. */
function readPieces(node: JsonNode): PieceTable {
  const values = node.get('vocab');
  if (!Array.isArray(values) || values.length === 0) throw node.wrong('a list of pieces with their scores', 'vocab', values);
  const columns = new PieceColumns(values.length);
  values.forEach((value: unknown, id) => {
    const [token, score] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof token !== 'string' || typeof score !== 'number') throw node.wrong('a piece and its score', `vocab[${id}]`, value);
    const start = columns.starts[id] as number;
    const end = start + token.length;
    if (end > columns.units.length) columns.growUnits(end);
    columns.units.set(unitsOf(token), start);
    addPiece(columns, end, score);
  });
  return new PieceTable(columns);
}
