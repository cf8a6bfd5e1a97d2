import type { AddedToken } from '../scanning/added/added-tokens.js';
import type { FilePadding, FileTruncation, TokenizerDefinition, TokenizerFiles } from '../definition/definition.js';
import { readDecoder } from './decoder-json.js';
import { JsonNode } from './json.js';
import { readModel, SUPPORTED_MODELS } from './model-json.js';
import { readNormalizer } from './normalizer-json.js';
import { withoutTypes } from '../definition/template.js';
import type { NormalizerStep } from '../normalizers/steps.js';
import { readPreTokenizer } from './pre-tokenizer-json.js';
import { readPostProcessor } from './post-processor-json.js';
import { readFlags, settingsOf, TokenizerConfig } from './tokenizer-config.js';
import { type ScannedVocabulary, scanVocabulary } from './scan-vocabulary.js';
import type { TokenTable } from '../vocabulary/token-table.js';
import { MAX_VOCAB_SIZE } from '../vocabulary/vocabulary.js';

const FILE = 'tokenizer.json';

/**
 * Reads a tokenizer.json of the Rust library "tokenizers", whose `model.type` says which model it is; what is not supported is an error
 * that names it. tokenizer_config.json has the last word on lowercasing, accents and ideographs, as in transformers.
 *
 * Errors: TOKENIZER, VOCAB.
 */
export function readTokenizerJson(tokenizerJson: string, files: TokenizerFiles): TokenizerDefinition {
  const { root, scanned } = parse(tokenizerJson);
  if (root.string('version', '1.0') !== '1.0') throw root.wrong('"1.0"', 'version', root.get('version'));
  const config = new TokenizerConfig(files);
  const model = root.child('model');
  if (model === undefined) throw root.wrong(SUPPORTED_MODELS, 'model', undefined);
  const { model: modelDefinition, vocab, unkToken } = readModel(model, scanned);
  const listed = readAddedTokens(root, vocab);
  const addedTokens = [...listed.values(), ...config.missingTokens(listed, vocab, true)];
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
    template: config.givesTypes ? template : withoutTypes(template),
    trimOffsets,
    decoder: readDecoder(root.child('decoder')),
    specialTokens: config.specialTokens((token) => added.has(token) || vocab.has(token), unkToken),
    ...settingsOf(config),
    fileTruncation: readTruncation(root.child('truncation')),
    filePadding: readPadding(root.child('padding')),
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

/** Ids of tokens outside the vocabulary go on where it ends: others would not be the ids that the reference gives them. */
function readAddedTokens(root: JsonNode, vocab: TokenTable): Map<string, AddedToken> {
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
