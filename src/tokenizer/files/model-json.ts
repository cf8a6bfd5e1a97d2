import type { ModelDefinition } from '../definition/definition.js';
import type { TokenTable } from '../vocabulary/token-table.js';
import { MAX_VOCAB_SIZE, Vocabulary } from '../vocabulary/vocabulary.js';
import { type JsonNode, unsupported } from './json.js';
import type { ScannedTokens } from './scan-vocabulary.js';
import { readUnigram } from './unigram/unigram-json.js';
import { mergeTokens, readMerges } from './merges.js';

/** What the `model` of a tokenizer.json says. */
export interface ReadModel {
  readonly model: ModelDefinition;
  readonly vocab: TokenTable;
  /** Undefined for a model without an unknown token. */
  readonly unkToken: string | undefined;
}

/** What `readModel` takes, for messages. */
export const SUPPORTED_MODELS = 'a WordPiece, WordLevel, BPE or Unigram model';

/**
 * Reads the model of a tokenizer.json; `scanned` is its vocabulary if that was read before.
 *
 * Errors: TOKENIZER.
 */
export function readModel(node: JsonNode, scanned: ScannedTokens | undefined): ReadModel {
  const type = typeOf(node, scanned);
  if (type === 'Unigram') return readUnigram(node, scanned?.pieces);
  if (scanned?.pieces !== undefined) throw node.wrong('tokens with their ids', 'vocab', []);
  return readWordModel(node, type, scanned?.vocab);
}

function readWordModel(node: JsonNode, type: unknown, scanned: Vocabulary | undefined): ReadModel {
  switch (type) {
    case 'WordLevel': {
      const words = readWords(node, scanned, node.string('unk_token', '<unk>'));
      return { model: { type, vocab: words.vocab }, ...words };
    }
    case 'WordPiece': {
      const words = readWords(node, scanned, node.string('unk_token', '[UNK]'));
      const model = {
        type,
        vocab: words.vocab,
        continuingSubwordPrefix: node.string('continuing_subword_prefix', '##'),
        maxInputCharsPerWord: node.integer('max_input_chars_per_word', 100, 0, Number.MAX_SAFE_INTEGER),
      };
      return { model, ...words };
    }
    case 'BPE':
      return readBpe(node, scanned);
  }
  throw unsupported(node, SUPPORTED_MODELS);
}

/** Old files leave the type out: it is that of the model that has such fields. */
function typeOf(node: JsonNode, scanned: ScannedTokens | undefined): unknown {
  if (node.has('type')) return node.get('type');
  if (node.has('merges')) return 'BPE';
  if (node.has('max_input_chars_per_word')) return 'WordPiece';
  if (node.has('unk_id') || scanned?.pieces !== undefined || Array.isArray(node.get('vocab'))) return 'Unigram';
  return node.has('unk_token') ? 'WordLevel' : undefined;
}

/** A vocabulary and its unknown token. */
interface Words {
  readonly vocab: Vocabulary;
  readonly unkToken: string | undefined;
}

function readWords(node: JsonNode, scanned: Vocabulary | undefined, unkToken: string | undefined): Words {
  const vocab = scanned ?? readVocabulary(node);
  if (unkToken !== undefined && !vocab.has(unkToken)) throw node.wrong('a token of the vocabulary', 'unk_token', unkToken);
  return { vocab, unkToken };
}

function readBpe(node: JsonNode, scanned: Vocabulary | undefined): ReadModel {
  const dropout = node.get('dropout');
  if (dropout !== undefined && dropout !== 0) throw node.wrong('null: encoding at random is not supported', 'dropout', dropout);
  const continuingSubwordPrefix = node.string('continuing_subword_prefix', '');
  const endOfWordSuffix = node.string('end_of_word_suffix', '');
  const byteFallback = node.boolean('byte_fallback', false);
  if (byteFallback && continuingSubwordPrefix + endOfWordSuffix !== '') {
    throw node.wrong('false with continuing_subword_prefix or end_of_word_suffix', 'byte_fallback', true);
  }
  const words = readWords(node, scanned, node.string('unk_token'));
  const merges = readMerges(node.get('merges'), `${node.path}: merges`);
  const model = {
    type: 'BPE' as const,
    vocab: words.vocab,
    merges: mergeTokens(merges, words.vocab, continuingSubwordPrefix, `${node.path}: merges`),
    continuingSubwordPrefix,
    endOfWordSuffix,
    byteFallback,
    fuseUnk: node.boolean('fuse_unk', false),
    ignoreMerges: node.boolean('ignore_merges', false),
  };
  return { model, ...words };
}

/** `{ "token": id, … }` of a model, or of a vocab.json. Errors: TOKENIZER. */
export function readTokenIds(node: JsonNode): Vocabulary {
  const vocab = new Vocabulary();
  node.forEach((token, value) => {
    const id = checkedId(node, token, value);
    if (vocab.hasId(id)) throw node.wrong('an id that no other token has', token, id);
    if (/[\ud800-\udfff]/u.test(token)) throw node.wrong('well-formed Unicode', token, id);
    vocab.set(token, id);
  });
  return vocab;
}

function readVocabulary(model: JsonNode): Vocabulary {
  const node = model.child('vocab');
  if (node === undefined) throw model.wrong('tokens with their ids', 'vocab', undefined);
  return readTokenIds(node);
}

/** Errors: TOKENIZER for what is no id. */
export function checkedId(node: JsonNode, name: string, id: unknown): number {
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCAB_SIZE) throw node.wrong('a token id', name, id);
  return id as number;
}
