import type { AddedToken } from '../scanning/added-tokens.js';
import type { DecoderOptions } from '../definition/decoder.js';
import type { FilePadding, FileTruncation, ModelDefinition, TokenizerDefinition, TokenizerFiles } from '../definition/definition.js';
import { JsonNode, unsupported } from './json.js';
import { readNormalizer } from './normalizer-json.js';
import type { NormalizerStep } from '../normalizers/steps.js';
import { readPreTokenizer } from './pre-tokenizer-json.js';
import { bareTemplate, bertTemplate, robertaTemplate, type Template, type TemplatePiece } from '../definition/template.js';
import { readFlags, TokenizerConfig } from './tokenizer-config.js';
import { type ScannedVocabulary, scanVocabulary } from './scan-vocabulary.js';
import { MAX_VOCAB_SIZE, Vocabulary } from '../vocabulary/vocabulary.js';

const FILE = 'tokenizer.json';

/**
 * Reads a tokenizer.json of the Rust library "tokenizers", as far as BERT's pipeline goes: whatever else it asks for is an error that
 * names it. tokenizer_config.json has the last word on lowercasing, accents and ideographs, as in transformers.
 *
 * Errors: TOKENIZER, VOCAB.
 */
export function readTokenizerJson(tokenizerJson: string, files: TokenizerFiles): TokenizerDefinition {
  const { root, scanned } = parse(tokenizerJson);
  if (root.string('version', '1.0') !== '1.0') throw root.wrong('"1.0"', 'version', root.get('version'));
  const config = new TokenizerConfig(files);
  const model = root.child('model');
  if (model === undefined) throw root.wrong('a WordPiece or WordLevel model', 'model', undefined);
  const modelDefinition = readModel(model);
  const vocab = scanned?.vocab ?? readModelVocab(model);
  const listed = readAddedTokens(root, vocab);
  const addedTokens = [...listed.values(), ...config.missingTokens(listed, vocab, true)];
  const unkToken = model.string('unk_token', modelDefinition.type === 'WordLevel' ? '<unk>' : '[UNK]');
  if (!vocab.has(unkToken)) throw model.wrong('a token of the vocabulary', 'unk_token', unkToken);
  const preTokenizer = readPreTokenizer(root.child('pre_tokenizer'));
  const { template, trimOffsets } = readPostProcessor(root.child('post_processor'));
  const added = new Set(addedTokens.map((token) => token.content));
  return {
    normalizer: overrideNormalizer(readNormalizer(root.child('normalizer')), config),
    preTokenizer,
    model: modelDefinition,
    vocab,
    unkToken,
    addedTokens,
    template,
    trimOffsets,
    decoder: readDecoder(root.child('decoder')),
    cleanUpSpaces: config.flag('clean_up_tokenization_spaces') ?? false,
    specialTokens: config.specialTokens((token) => added.has(token) || vocab.has(token), unkToken),
    namedTokens: config.namedTokens,
    maxLength: config.maxLength,
    paddingSide: config.paddingSide,
    truncationSide: config.truncationSide,
    fileTruncation: readTruncation(root.child('truncation')),
    filePadding: readPadding(root.child('padding')),
  };
}

function readModel(model: JsonNode): ModelDefinition {
  // Old files leave the type out; then only WordPiece has this field.
  const type = model.has('type') ? model.get('type') : model.has('max_input_chars_per_word') ? 'WordPiece' : undefined;
  if (type === 'WordLevel') return { type };
  if (type !== 'WordPiece') throw unsupported(model, 'the WordPiece or WordLevel model');
  return {
    type,
    continuingSubwordPrefix: model.string('continuing_subword_prefix', '##'),
    maxInputCharsPerWord: model.integer('max_input_chars_per_word', 100, 0, Number.MAX_SAFE_INTEGER),
  };
}

/** The file, and its vocabulary if that could be read without JSON.parse. */
function parse(text: string): { root: JsonNode; scanned?: ScannedVocabulary } {
  const found = scanVocabulary(text);
  if (found !== undefined) {
    try {
      const root = JsonNode.parse(found.rest, FILE);
      const model = root.get('model');
      if (model !== undefined && new JsonNode(model, FILE).get('vocab') === found.placeholder) return { root, scanned: found };
    } catch {
      // The whole file gives the better message.
    }
  }
  return { root: JsonNode.parse(text, FILE) };
}

function readModelVocab(model: JsonNode): Vocabulary {
  const node = model.child('vocab');
  if (node === undefined) throw model.wrong('tokens with their ids', 'vocab', undefined);
  const vocab = new Vocabulary();
  node.forEach((token, value) => {
    const id = checkedId(node, token, value);
    if (vocab.hasId(id)) throw node.wrong('an id that no other token has', token, id);
    if (/[\ud800-\udfff]/u.test(token)) throw node.wrong('well-formed Unicode', token, id);
    vocab.set(token, id);
  });
  return vocab;
}

/** Ids of tokens outside the vocabulary go on where it ends: others would not be the ids that the reference gives them. */
function readAddedTokens(root: JsonNode, vocab: Vocabulary): Map<string, AddedToken> {
  const tokens = new Map<string, AddedToken>();
  let next = vocab.size;
  for (const node of root.children('added_tokens')) {
    const content = node.string('content', '');
    if (content === '') continue;
    const id = node.integer('id', undefined, 0, MAX_VOCAB_SIZE - 1);
    const expected = tokens.get(content)?.id ?? vocab.get(content) ?? next++;
    if (id !== expected) throw node.wrong(`${expected}, the id of ${JSON.stringify(content)}`, 'id', id);
    tokens.set(content, { id, content, ...readFlags(node) });
  }
  return tokens;
}

/** What transformers' BERT classes do when both files speak. */
function overrideNormalizer(steps: readonly NormalizerStep[], config: TokenizerConfig): readonly NormalizerStep[] {
  const [normalizer, ...others] = steps;
  if (normalizer?.type !== 'BertNormalizer' || others.length > 0 || !normalizer.cleanText) return steps;
  if (config.tokenizerClass === 'PreTrainedTokenizer' || config.tokenizerClass === 'TokenizersBackend') return steps;
  const lowercase = config.flag('do_lower_case') ?? normalizer.lowercase;
  // Where accents simply follow the case in tokenizer.json they go on doing so.
  const followed = normalizer.stripAccents === normalizer.lowercase ? lowercase : normalizer.stripAccents;
  return [
    {
      type: 'BertNormalizer',
      cleanText: true,
      handleChineseChars: config.flag('tokenize_chinese_chars') ?? normalizer.handleChineseChars,
      stripAccents: config.stripAccents === undefined ? followed : (config.stripAccents ?? lowercase),
      lowercase,
    },
  ];
}

function readPostProcessor(node: JsonNode | undefined): Pick<TokenizerDefinition, 'template' | 'trimOffsets'> {
  if (node === undefined) return { template: bareTemplate, trimOffsets: undefined };
  switch (node.get('type')) {
    case 'BertProcessing':
      return { template: bertTemplate(tokenId(node, 'cls'), tokenId(node, 'sep')), trimOffsets: undefined };
    case 'RobertaProcessing': {
      const trimOffsets = node.boolean('trim_offsets', true) ? { addPrefixSpace: node.boolean('add_prefix_space', true) } : undefined;
      return { template: robertaTemplate(tokenId(node, 'cls'), tokenId(node, 'sep')), trimOffsets };
    }
    case 'TemplateProcessing':
      return { template: readTemplate(node), trimOffsets: undefined };
    case 'Sequence': {
      const steps = node.children('processors');
      if (steps.length <= 1) return readPostProcessor(steps[0]);
    }
  }
  throw unsupported(node, 'TemplateProcessing, BertProcessing, RobertaProcessing or none');
}

/** The id of a `["[CLS]", 101]`. */
function tokenId(node: JsonNode, name: string): number {
  const value = node.get(name);
  if (!Array.isArray(value)) throw node.wrong('a token and its id', name, value);
  return checkedId(node, name, value[1]);
}

function checkedId(node: JsonNode, name: string, id: unknown): number {
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCAB_SIZE) throw node.wrong('a token id', name, id);
  return id as number;
}

function readTemplate(node: JsonNode): Template {
  const special = new Map<string, number[]>();
  const tokens = node.child('special_tokens');
  for (const name of tokens?.keys ?? []) {
    const token = tokens?.child(name);
    const ids = token?.get('ids');
    if (token === undefined || !Array.isArray(ids)) throw node.wrong('special tokens with ids', name, ids);
    special.set(
      name,
      ids.map((id) => checkedId(token, 'ids', id)),
    );
  }
  const pieces = (name: 'single' | 'pair'): TemplatePiece[] =>
    node.children(name).flatMap((piece): TemplatePiece[] => {
      const part = piece.child('Sequence') ?? piece.child('SpecialToken');
      if (part === undefined) throw piece.wrong('a Sequence or SpecialToken', 'type', piece.keys.join());
      const typeId = part.integer('type_id', 0, 0, 255);
      if (piece.has('Sequence')) {
        const sequence = part.oneOf('id', name === 'pair' ? ['A', 'B'] : ['A'], 'A') === 'A' ? 0 : 1;
        return [{ kind: 'sequence', sequence, typeId }];
      }
      const ids = special.get(part.string('id', ''));
      if (ids === undefined) throw part.wrong('one of the special tokens', 'id', part.get('id'));
      return ids.map((id) => ({ kind: 'special', id, typeId }));
    });
  const template = { single: pieces('single'), pair: pieces('pair') };
  for (const name of ['single', 'pair'] as const) {
    const parts = template[name].flatMap((piece) => (piece.kind === 'sequence' ? [piece.sequence] : []));
    if (new Set(parts).size < parts.length) throw node.wrong('each sequence once', name, node.get(name));
  }
  return template;
}

function readDecoder(node: JsonNode | undefined): DecoderOptions | null | string {
  if (node === undefined) return null;
  if (node.get('type') === 'WordPiece') return { prefix: node.string('prefix', '##'), cleanup: node.boolean('cleanup', true) };
  if (node.get('type') === 'Sequence') {
    const steps = node.children('decoders');
    if (steps.length <= 1) return readDecoder(steps[0]);
  }
  return node.string('type', 'unknown');
}

function readTruncation(node: JsonNode | undefined): FileTruncation | undefined {
  if (node === undefined) return undefined;
  const strategies = { LongestFirst: 'longest_first', OnlyFirst: 'only_first', OnlySecond: 'only_second' } as const;
  const strategy = strategies[node.oneOf('strategy', ['LongestFirst', 'OnlyFirst', 'OnlySecond'], 'LongestFirst')];
  const side = node.oneOf('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right';
  const limit = Number.MAX_SAFE_INTEGER;
  return { strategy, side, maxLength: node.integer('max_length', 512, 0, limit), stride: node.integer('stride', 0, 0, limit) };
}

function readPadding(node: JsonNode | undefined): FilePadding | undefined {
  if (node === undefined) return undefined;
  const fixed = node.get('strategy') === 'BatchLongest' ? undefined : node.child('strategy');
  return {
    length: fixed === undefined ? 'longest' : fixed.integer('Fixed', undefined, 0, 1 << 24),
    padToMultipleOf: node.integer('pad_to_multiple_of', 1, 0, 1 << 24) || 1,
    side: node.oneOf('direction', ['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right',
  };
}
