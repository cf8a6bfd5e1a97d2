import { unexpected } from '../../expected.js';
import { received } from '../../options.js';
import type { SpecialTokens, TokenizerDefinition, TokenizerFiles } from '../definition/definition.js';
import { bertTemplate, robertaTemplate } from '../definition/template.js';
import type { VocabKind } from '../definition/vocab-kind.js';
import { gpt2Pattern } from '../scanning/patterns/word-pattern.js';
import { PreTokenizer } from '../scanning/pre-tokenizer.js';
import { JsonNode } from './json.js';
import { mergeTokens, readMergesFile } from './merges.js';
import { readTokenIds } from './model-json.js';
import { settingsOf, TokenizerConfig } from './tokenizer-config.js';
import { addedTokens } from './vocab-files.js';

/** Whose vocab.json and merges.txt hold byte-level tokens, cut by GPT-2's pattern, and whose special tokens are known. */
const CLASSES: readonly string[] = ['Roberta', 'Longformer', 'Bart', 'LED', 'Deberta', 'PreTrained'];

/**
 * A byte-level BPE tokenizer from vocab.json and merges.txt, with what tokenizer_config.json and special_tokens_map.json add, as
 * transformers makes a tokenizer.json of them: RoBERTa's, or with a [CLS] DeBERTa's.
 *
 * Errors: VOCAB, TOKENIZER.
 */
export function readBpeFiles(vocabJson: string, mergesText: string, files: TokenizerFiles): TokenizerDefinition {
  const config = new TokenizerConfig(files);
  const name = /^(.*?)(?:Tokenizer)?$/.exec(config.tokenizerClass ?? 'PreTrained')?.[1] as string;
  if (!CLASSES.includes(name)) {
    const known = CLASSES.map((known) => `${known}Tokenizer`).join(', ');
    throw unexpected('TOKENIZER', `${known} for a vocab.json without tokenizer.json`, received(config.tokenizerClass));
  }
  const vocab = readTokenIds(JsonNode.parse(vocabJson, 'vocab.json'));
  if (vocab.size === 0) throw unexpected('VOCAB', 'tokens with their ids for vocab.json', 'none');
  const merges = mergeTokens(readMergesFile(mergesText), vocab, '', 'merges.txt');
  const specialTokens = config.specialTokens((token) => vocab.has(token));
  const require = (special: keyof SpecialTokens): number => {
    const id = vocab.get(specialTokens[special] ?? '');
    if (id === undefined) throw unexpected('VOCAB', `a ${special} token such as <s> or </s> in vocab.json`, 'none');
    return id;
  };
  const [clsId, sepId] = [require('cls'), require('sep')];
  const isRoberta = specialTokens.cls !== '[CLS]';
  const kind: VocabKind = {
    classes: CLASSES,
    clsToken: specialTokens.cls as string,
    template: isRoberta ? robertaTemplate : bertTemplate,
    maskTakesSpace: true,
  };
  const addPrefixSpace = config.flag('add_prefix_space') ?? false;
  return {
    normalizer: [],
    vocab,
    unkToken: undefined,
    preTokenizer: new PreTokenizer([], { pattern: gpt2Pattern, isByteLevel: true, addPrefixSpace }),
    model: {
      type: 'BPE',
      vocab,
      merges,
      continuingSubwordPrefix: '',
      endOfWordSuffix: '',
      byteFallback: false,
      fuseUnk: false,
      ignoreMerges: false,
    },
    addedTokens: addedTokens(vocab, specialTokens, config, kind),
    template: kind.template(clsId, sepId),
    trimOffsets: isRoberta ? { addPrefixSpace } : undefined,
    decoder: [{ type: 'ByteLevel' }],
    specialTokens,
    ...settingsOf(config),
    fileTruncation: undefined,
    filePadding: undefined,
  };
}
