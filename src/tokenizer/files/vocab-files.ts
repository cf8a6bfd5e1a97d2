import { unexpected } from '../../expected.js';
import { received } from '../../options.js';
import type { AddedToken, AddedTokenFlags } from '../scanning/added/added-tokens.js';
import type { SpecialTokens, TokenizerDefinition, TokenizerFiles } from '../definition/definition.js';
import { wordPieceDecoder } from '../definition/decoder.js';
import { bertPreTokenizer } from '../scanning/pre-tokenizer.js';
import type { VocabKind } from '../definition/vocab-kind.js';
import { settingsOf, TokenizerConfig } from './tokenizer-config.js';
import { forEachLine } from './scan-vocabulary.js';
import { MAX_VOCAB_SIZE, Vocabulary } from '../vocabulary/vocabulary.js';

const SPECIAL_NAMES = ['unk', 'pad', 'cls', 'sep', 'mask'] as const;

/**
 * The tokens of a vocab.txt with their ids: one a line, the id its line number from 0. Repaired as the reference reads it: CRLF and a
 * byte order mark are dropped, of equal tokens the last counts.
 *
 * Errors: VOCAB.
 */
export function readVocab(text: string): Vocabulary {
  const vocab = new Vocabulary(text.length >> 3);
  forEachLine(text, (units, length, hash, id) => {
    if (id >= MAX_VOCAB_SIZE) throw unexpected('VOCAB', `at most ${MAX_VOCAB_SIZE} lines for vocab.txt`, 'more');
    vocab.setUnits(units, 0, length, hash, id);
  });
  return vocab;
}

/**
 * A tokenizer from vocab.txt, with what tokenizer_config.json and special_tokens_map.json add. Of `kinds` that one is read whose class they
 * name, else the one with their CLS token, else the first.
 *
 * Errors: VOCAB, TOKENIZER.
 */
export function readVocabFiles(vocabText: string, files: TokenizerFiles, kinds: readonly [VocabKind, ...VocabKind[]]): TokenizerDefinition {
  const vocab = readVocab(vocabText);
  if (vocab.size === 0) throw unexpected('VOCAB', 'one token a line for vocab.txt', 'an empty file');
  const bad = /^.*[\ud800-\udfff].*$/mu.exec(vocabText);
  if (bad !== null) throw unexpected('VOCAB', 'well-formed Unicode for vocab.txt', received(bad[0]));
  const config = new TokenizerConfig(files);
  const specialTokens = config.specialTokens((token) => vocab.has(token));
  const require = (name: keyof SpecialTokens): number => {
    const id = vocab.get(specialTokens[name] ?? '');
    if (id === undefined) throw unexpected('VOCAB', `a ${name} token such as ${usual(name)} in vocab.txt`, 'none');
    return id;
  };
  require('unk');
  const [clsId, sepId] = [require('cls'), require('sep')];
  const kind = kindOf(config.tokenizerClass, specialTokens, kinds);
  const lowercase = config.flag('do_lower_case') ?? true;
  return {
    normalizer: [
      {
        type: 'BertNormalizer',
        cleanText: true,
        handleChineseChars: config.flag('tokenize_chinese_chars') ?? true,
        stripAccents: config.stripAccents ?? lowercase,
        lowercase,
      },
    ],
    vocab,
    unkToken: specialTokens.unk,
    preTokenizer: bertPreTokenizer,
    model: { type: 'WordPiece', vocab, continuingSubwordPrefix: '##', maxInputCharsPerWord: 100 },
    addedTokens: addedTokens(vocab, specialTokens, config, kind),
    template: kind.template(clsId, sepId),
    trimOffsets: undefined,
    decoder: wordPieceDecoder('##', true),
    specialTokens,
    ...settingsOf(config),
    fileTruncation: undefined,
    filePadding: undefined,
  };
}

/** Errors: TOKENIZER, for a class of another kind; some names of classes mean nothing. */
function kindOf(tokenizerClass: string | undefined, { cls }: SpecialTokens, kinds: readonly [VocabKind, ...VocabKind[]]): VocabKind {
  const name = /^(.*)Tokenizer$/.exec(tokenizerClass ?? '')?.[1];
  const named = kinds.find(({ classes }) => name !== undefined && classes.includes(name));
  if (named !== undefined) return named;
  if (name !== undefined && name !== 'PreTrained')
    throw unexpected('TOKENIZER', `a tokenizer_class of BERT's kind in tokenizer_config.json`, received(tokenizerClass));
  const known = tokenizerClass === undefined ? kinds.find(({ clsToken }) => clsToken === cls) : undefined;
  return known ?? kinds[0];
}

function usual(name: keyof SpecialTokens): string {
  return `[${name.toUpperCase()}]`;
}

/** The special tokens, with the properties that the files give them, and the tokens that tokenizer_config.json adds. */
export function addedTokens(vocab: Vocabulary, special: SpecialTokens, config: TokenizerConfig, kind: VocabKind): AddedToken[] {
  const tokens = new Map<string, AddedToken>();
  for (const name of SPECIAL_NAMES) {
    const content = special[name];
    const id = content === undefined ? undefined : vocab.get(content);
    if (content === undefined || id === undefined) continue;
    const plain: AddedTokenFlags = {
      singleWord: false,
      lstrip: kind.maskTakesSpace && name === 'mask',
      rstrip: false,
      normalized: false,
      special: true,
    };
    tokens.set(content, { id, content, ...(config.flagsOf(name) ?? plain) });
  }
  return withListedTokens(tokens, vocab, config);
}

/** `tokens` with those that tokenizer_config.json lists or names besides. Errors: TOKENIZER, for a token that has another id. */
export function withListedTokens(tokens: Map<string, AddedToken>, vocab: Vocabulary, config: TokenizerConfig): AddedToken[] {
  let next = vocab.size;
  for (const token of config.addedTokens()) {
    const expected = tokens.get(token.content)?.id ?? vocab.get(token.content) ?? next++;
    if (token.id !== expected) {
      const name = JSON.stringify(token.content);
      throw unexpected('TOKENIZER', `id ${expected} for ${name} in tokenizer_config.json`, token.id);
    }
    tokens.set(token.content, token);
  }
  return [...tokens.values(), ...config.missingTokens(tokens, vocab, false)];
}
