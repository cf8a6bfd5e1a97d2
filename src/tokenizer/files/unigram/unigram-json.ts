import type { ModelDefinition } from '../../definition/definition.js';
import type { Pieces } from '../../unigram/pieces.js';
import { hashUnits } from '../../vocabulary/unit-map.js';
import { unitsOf, type Vocabulary } from '../../vocabulary/vocabulary.js';
import type { JsonNode } from '../json.js';
import { PieceList } from './piece-list.js';

interface ReadPieces {
  readonly vocab: Vocabulary;
  readonly pieces: Pieces;
}

/** Reads a Unigram model; `scanned` are its pieces if those were read before. Errors: TOKENIZER. */
export function readUnigram(
  node: JsonNode,
  scanned: ReadPieces | undefined,
): { readonly model: ModelDefinition; readonly vocab: Vocabulary; readonly unkToken: string } {
  const { vocab, pieces } = scanned ?? readPieces(node);
  const unkId = node.integer('unk_id', undefined, 0, vocab.idCount - 1);
  const model = { type: 'Unigram' as const, ...pieces, unkId, byteFallback: node.boolean('byte_fallback', false) };
  return { model, vocab, unkToken: vocab.token(unkId) as string };
}

/** `[["piece", score], …]`, as JSON.parse reads numbers. */
function readPieces(node: JsonNode): ReadPieces {
  const values = node.get('vocab');
  if (!Array.isArray(values) || values.length === 0) throw node.wrong('a list of pieces with their scores', 'vocab', values);
  const list = new PieceList(values.length);
  values.forEach((value: unknown, id) => {
    const [token, score] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof token !== 'string' || typeof score !== 'number') throw node.wrong('a piece and its score', `vocab[${id}]`, value);
    const units = unitsOf(token);
    list.add(units, units.length, hashUnits(units, 0, units.length), score);
  });
  return list;
}
