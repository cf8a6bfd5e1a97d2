import { unexpected } from '../../../expected.js';
import type { ModelDefinition } from '../../definition/definition.js';
import { Charsmap } from '../../normalizers/precompiled/charsmap.js';
import type { NormalizerStep } from '../../normalizers/steps.js';
import { PieceColumns } from '../../unigram/piece-columns.js';
import { PieceTable } from '../../unigram/piece-table.js';
import type { PieceType } from '../../unigram/sentencepiece-tokens.js';
import { unitsOf, Vocabulary } from '../../vocabulary/vocabulary.js';
import { readSentencePieceModel, type SentencePieceModel } from './model-file.js';

/** By how much SentencePiece holds an unknown character for worse than the worst piece. */
const UNK_PENALTY = 10;
/** What it gives a piece of the user's for each byte: C++'s FLT_MIN, from which it looks for the best score of all. */
const LEAST_SCORE = 2 ** -126;
const USER_DEFINED_PENALTY = 0.1;

/** A SentencePiece model, checked and ready to make tokens. */
export interface LoadedSentencePiece {
  readonly file: string;
  readonly model: SentencePieceModel;
  /** What each piece is; a piece is told by its text. */
  readonly types: ReadonlyMap<string, PieceType>;
  readonly charsmap: Charsmap | undefined;
}

/** Reads a Unigram model of SentencePiece. Errors: TOKENIZER, with the file. */
export function loadSentencePiece(bytes: Uint8Array, file: string): LoadedSentencePiece {
  const model = readSentencePieceModel(bytes, file);
  if (model.modelType !== 'unigram') throw unexpected('TOKENIZER', `a Unigram model in ${file}`, `one of ${model.modelType.toUpperCase()}`);
  const types = new Map<string, PieceType>();
  for (const { text, type } of model.pieces) {
    if (text === '') throw unexpected('TOKENIZER', `pieces with a text in ${file}`, 'an empty one');
    if (types.has(text)) throw unexpected('TOKENIZER', `pieces that differ in ${file}`, `${JSON.stringify(text)} twice`);
    types.set(text, type);
  }
  const charsmap =
    model.charsmap.length === 0
      ? undefined
      : new Charsmap(model.charsmap, (fault) => unexpected('TOKENIZER', `a map of characters in ${file}`, fault));
  return { file, model, types, charsmap };
}

/** The normalizer of a model. */
export function normalizerOf({ model, charsmap }: LoadedSentencePiece): NormalizerStep {
  const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = model;
  const userDefined = model.pieces.flatMap(({ text, type }) => (type === 'user-defined' ? [text] : []));
  return { type: 'SentencePiece', charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, userDefined };
}

/** The model with the ids of `vocab`: a piece that is missing there is the unknown token, and so is text that no piece stands for. */
export function unigramOf({ model }: LoadedSentencePiece, vocab: Vocabulary, unkId: number): ModelDefinition {
  // Other pieces never stand for text.
  const pieces = model.pieces.filter(({ type }) => type === 'normal' || type === 'user-defined');
  const columns = new PieceColumns(pieces.length);
  const ids = new Int32Array(pieces.length);
  let worst = Infinity;
  let end = 0;
  pieces.forEach(({ text, score, type }, at) => {
    ids[at] = vocab.get(text) ?? unkId;
    if (type === 'normal') worst = Math.min(worst, score);
    const units = unitsOf(text);
    while (end + units.length > columns.units.length) columns.growUnits(end + units.length);
    columns.units.set(units, end);
    end += units.length;
    const bytes = Buffer.byteLength(text);
    columns.push(end, type === 'normal' ? score : Math.fround(bytes * bestScore(model) - USER_DEFINED_PENALTY));
  });
  const unkScore = Math.fround((Number.isFinite(worst) ? worst : 0) - UNK_PENALTY);
  return {
    type: 'Unigram',
    pieces: new PieceTable(columns),
    unkId,
    byteFallback: model.byteFallback,
    sentencePiece: { ids, vocab, unkScore },
  };
}

/** The pieces by their places in the model. */
export function vocabularyOf({ model }: LoadedSentencePiece): Vocabulary {
  const vocab = new Vocabulary(model.pieces.length);
  model.pieces.forEach(({ text }, id) => vocab.set(text, id));
  return vocab;
}

function bestScore({ pieces }: SentencePieceModel): number {
  return pieces.reduce((best, { type, score }) => (type === 'normal' ? Math.max(best, score) : best), LEAST_SCORE);
}
