import type { BerthaError } from '../../../errors.js';
import { unexpected } from '../../../expected.js';
import type { PieceType } from '../../unigram/sentencepiece-tokens.js';
import { MAX_VOCAB_SIZE } from '../../vocabulary/vocabulary.js';

/** A piece; its place in the list is its id. */
export interface SentencePiece {
  readonly text: string;
  /** A float32. */
  readonly score: number;
  readonly type: PieceType;
}

/** What a SentencePiece model file (`source.spm`, `spiece.model`) says, as far as tokenizing needs it. */
export interface SentencePieceModel {
  readonly pieces: readonly SentencePiece[];
  readonly modelType: 'unigram' | 'bpe';
  readonly byteFallback: boolean;
  /** The precompiled map of characters; empty for none. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

const kTypes: readonly (PieceType | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'user-defined', 'unused', 'byte'];
const kUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A field of a message: its number, and what stands there. */
interface Field {
  readonly number: number;
  /** An integer, or the bytes of anything longer. */
  readonly value: number | Uint8Array;
}

/**
 * Reads a SentencePiece model: of ModelProto the pieces (1), the trainer's model type and byte fallback (2), the normalizer (3). Lengths are checked
 * against the bytes that are left before they are used; other fields are stepped over.
 *
 * Errors: TOKENIZER, with the file.
 */
export function readSentencePieceModel(bytes: Uint8Array, file: string): SentencePieceModel {
  const pieces: SentencePiece[] = [];
  let trainer = new Map<number, number | Uint8Array>();
  let normalizer = new Map<number, number | Uint8Array>();
  let denormalizer = new Map<number, number | Uint8Array>();
  for (const { number, value } of fieldsOf(bytes, file)) {
    if (number === 1) {
      if (pieces.length >= MAX_VOCAB_SIZE) throw wrong(file, `at most ${MAX_VOCAB_SIZE} pieces`, 'more');
      pieces.push(pieceOf(message(value, file), file));
    } else if (number === 2) trainer = new Map([...trainer, ...message(value, file)]);
    else if (number === 3) normalizer = new Map([...normalizer, ...message(value, file)]);
    else if (number === 5) denormalizer = new Map([...denormalizer, ...message(value, file)]);
  }
  if (pieces.length === 0) throw wrong(file, 'pieces', 'none');
  const modelType = trainer.get(3) ?? 1;
  if (modelType !== 1 && modelType !== 2) throw wrong(file, 'the model type 1 (Unigram) or 2 (BPE)', String(modelType));
  const charsmap = normalizer.get(2) ?? new Uint8Array();
  if (typeof charsmap === 'number') throw wrong(file, 'bytes for the map of characters', 'a number');
  if ((trainer.get(24) ?? 0) !== 0)
    throw wrong(file, 'pieces that begin with a space', 'pieces that end with it (treat_whitespace_as_suffix)');
  if (hasBytes(denormalizer.get(2))) throw wrong(file, 'a model whose texts are decoded as they are', 'one with a map for decoding');
  const isSet = (fields: ReadonlyMap<number, number | Uint8Array>, field: number, unset: 0 | 1): boolean =>
    (fields.get(field) ?? unset) !== 0;
  return {
    pieces,
    modelType: modelType === 1 ? 'unigram' : 'bpe',
    byteFallback: isSet(trainer, 35, 0),
    charsmap,
    addDummyPrefix: isSet(normalizer, 3, 1),
    removeExtraWhitespaces: isSet(normalizer, 4, 1),
    escapeWhitespaces: isSet(normalizer, 5, 1),
  };
}

function hasBytes(value: number | Uint8Array | undefined): boolean {
  return value !== undefined && typeof value !== 'number' && value.length > 0;
}

function pieceOf(fields: ReadonlyMap<number, number | Uint8Array>, file: string): SentencePiece {
  const [text, score, type = 1] = [fields.get(1), fields.get(2), fields.get(3)];
  if (text === undefined || typeof text === 'number') throw wrong(file, 'a string for every piece', 'none');
  if (score !== undefined && (typeof score === 'number' || score.length !== 4))
    throw wrong(file, 'a float32 for the score of every piece', 'something else');
  const value = score === undefined ? 0 : new DataView(score.buffer, score.byteOffset, 4).getFloat32(0, true);
  const kind = typeof type === 'number' ? kTypes[type] : undefined;
  if (!Number.isFinite(value)) throw wrong(file, 'a finite score for every piece', String(value));
  if (kind === undefined) throw wrong(file, 'a type of 1 to 6 for every piece', typeof type === 'number' ? String(type) : 'bytes');
  try {
    return { text: kUtf8.decode(text), score: value, type: kind };
  } catch (cause) {
    throw unexpected('TOKENIZER', `UTF-8 for every piece of ${file}`, 'other bytes', { cause });
  }
}

/** The fields of a message by number; of one that stands there several times the last counts. */
function message(value: number | Uint8Array, file: string): Map<number, number | Uint8Array> {
  if (typeof value === 'number') throw wrong(file, 'a message', 'a number');
  const fields = new Map<number, number | Uint8Array>();
  for (const field of fieldsOf(value, file)) fields.set(field.number, field.value);
  return fields;
}

function* fieldsOf(bytes: Uint8Array, file: string): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1, length = 0; length < 10; length++, factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw wrong(file, 'a whole message', 'one that is cut off');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw wrong(file, 'numbers of at most ten bytes', 'a longer one');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw wrong(file, `fields of at most the ${bytes.length - at} bytes that are left`, `${length} bytes`);
    const taken = bytes.subarray(at, at + length);
    at += length;
    return taken;
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, kind] = [Math.floor(key / 8), key % 8];
    if (kind === 0) yield { number, value: varint() };
    else if (kind === 1) yield { number, value: take(8) };
    else if (kind === 2) yield { number, value: take(varint()) };
    else if (kind === 5) yield { number, value: take(4) };
    else throw wrong(file, 'fields of protocol buffers', `one of kind ${kind}`);
  }
}

function wrong(file: string, expected: string, got: string): BerthaError {
  return unexpected('TOKENIZER', `${expected} in ${file}`, got);
}
