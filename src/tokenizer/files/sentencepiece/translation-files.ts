import { unexpected } from '../../../expected.js';
import { received } from '../../../options.js';
import type { DecoderStep } from '../../definition/decoder.js';
import type { SpecialTokens, TokenizerDefinition, TokenizerFiles } from '../../definition/definition.js';
import { bareTemplate, type Template, withoutTypes } from '../../definition/template.js';
import type { AddedToken, AddedTokenFlags } from '../../scanning/added/added-tokens.js';
import { PreTokenizer } from '../../scanning/pre-tokenizer.js';
import type { Vocabulary } from '../../vocabulary/vocabulary.js';
import { JsonNode } from '../json.js';
import { readTokenIds } from '../model-json.js';
import { settingsOf, TokenizerConfig } from '../tokenizer-config.js';
import { withListedTokens } from '../vocab-files.js';
import { type LoadedSentencePiece, loadSentencePiece, normalizerOf, unigramOf, vocabularyOf } from './model-tokenizer.js';

const kPlain: AddedTokenFlags = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** The files of Marian's tokenizer. */
export type MarianFiles = TokenizerFiles & Required<Pick<TokenizerFiles, 'sourceSpm' | 'vocabJson'>>;

/**
 * Marian's tokenizer: pieces by source.spm, ids by their spelling in vocab.json, `</s>` at the end. Its `target` reads by target.spm and, where the
 * vocabularies are separate, target_vocab.json; ids are decoded by what the model writes.
 *
 * Errors: TOKENIZER, VOCAB.
 */
export function readMarianFiles(files: MarianFiles): TokenizerDefinition {
  const config = new TokenizerConfig(files);
  expectClass(config, 'Marian', 'source.spm');
  const source = loadSentencePiece(files.sourceSpm, 'source.spm');
  const target = files.targetSpm === undefined ? source : loadSentencePiece(files.targetSpm, 'target.spm');
  const vocab = readIds(files.vocabJson, 'vocab.json');
  if (files.targetVocabJson === undefined) {
    // Python decodes by the model of the source where both languages share their ids.
    const written = marianDefinition(target, vocab, 'vocab.json', config, source);
    return { ...marianDefinition(source, vocab, 'vocab.json', config, source), target: written };
  }
  const written = marianDefinition(target, readIds(files.targetVocabJson, 'target_vocab.json'), 'target_vocab.json', config, target);
  return { ...marianDefinition(source, vocab, 'vocab.json', config, target), target: written };
}

/**
 * BertGeneration's tokenizer: ids are places in spiece.model, and no special tokens are added.
 *
 * Errors: TOKENIZER, VOCAB.
 */
export function readBertGenerationFiles(files: TokenizerFiles & { readonly spiece: Uint8Array }): TokenizerDefinition {
  const config = new TokenizerConfig(files);
  expectClass(config, 'BertGeneration', 'spiece.model');
  const pieces = loadSentencePiece(files.spiece, 'spiece.model');
  const vocab = vocabularyOf(pieces);
  const names = { bos: '<s>', eos: '</s>', unk: '<unk>', sep: '<::::>', pad: '<pad>' };
  const template = withoutTypes(bareTemplate);
  return definitionOf({ pieces, vocab, file: 'spiece.model', config, names, template, decoder: [{ type: 'VisibleSpace' }] });
}

function marianDefinition(
  pieces: LoadedSentencePiece,
  vocab: Vocabulary,
  file: string,
  config: TokenizerConfig,
  decodedBy: LoadedSentencePiece,
): TokenizerDefinition {
  const eos = config.named('eos') ?? '</s>';
  const eosId = vocab.get(eos);
  if (eosId === undefined) throw unexpected('VOCAB', `the token ${JSON.stringify(eos)} that ends a text in ${file}`, 'none');
  const end = { kind: 'special', id: eosId, typeId: 0 } as const;
  const text = (sequence: 0 | 1) => ({ kind: 'sequence', sequence, typeId: 0 }) as const;
  const template: Template = { single: [text(0), end], pair: [text(0), text(1), end] };
  const { types, model } = decodedBy;
  const leading = model.removeExtraWhitespaces ? 'all' : model.addDummyPrefix ? 'first' : 'none';
  const names = { eos: '</s>', unk: '<unk>', pad: '<pad>' };
  const { specialTokens, ...definition } = definitionOf({ pieces, vocab, file, config, names, template, decoder: [] });
  const special = new Set(definition.addedTokens.flatMap((token) => (token.special ? [token.content] : [])));
  const unkId = vocab.get(specialTokens.unk as string) as number;
  return {
    ...definition,
    specialTokens,
    languageCodes: (code) => vocab.get(code) ?? unkId,
    decoder: [{ type: 'SentencePiece', special, types, leading }] satisfies readonly DecoderStep[],
  };
}

interface Parts {
  readonly pieces: LoadedSentencePiece;
  readonly vocab: Vocabulary;
  /** Of the ids. */
  readonly file: string;
  readonly config: TokenizerConfig;
  /** Special tokens unless the files name others. */
  readonly names: Readonly<Partial<Record<'bos' | 'eos' | 'unk' | 'sep' | 'pad', string>>>;
  readonly template: Template;
  readonly decoder: readonly DecoderStep[];
}

function definitionOf({ pieces, vocab, file, config, names, template, decoder }: Parts): TokenizerDefinition {
  const named = Object.fromEntries(
    Object.entries(names).map(([name, usual]) => [name, config.named(name as keyof typeof names) ?? usual]),
  ) as Partial<Record<keyof typeof names, string>>;
  const unkToken = named.unk as string;
  const unkId = vocab.get(unkToken);
  if (unkId === undefined) throw unexpected('VOCAB', `the unknown token ${JSON.stringify(unkToken)} in ${file}`, 'none');
  const tokens = new Map<string, AddedToken>();
  for (const [name, content] of Object.entries(named)) {
    const id = vocab.get(content);
    if (id !== undefined) tokens.set(content, { id, content, ...(config.flagsOf(name as keyof typeof names) ?? kPlain), special: true });
  }
  const specialTokens: SpecialTokens = { unk: unkToken, pad: named.pad, sep: named.sep, cls: undefined, mask: undefined };
  const settings = settingsOf(config);
  return {
    normalizer: [normalizerOf(pieces)],
    vocab,
    unkToken,
    preTokenizer: new PreTokenizer([]),
    model: unigramOf(pieces, vocab, unkId),
    // Python finds all of them in the text as it is.
    addedTokens: withListedTokens(tokens, vocab, config).map((token) => ({ ...token, normalized: false })),
    template,
    trimOffsets: undefined,
    decoder,
    specialTokens,
    ...settings,
    namedTokens: { ...settings.namedTokens, bos: named.bos, eos: named.eos },
    fileTruncation: undefined,
    filePadding: undefined,
  };
}

function readIds(json: string, file: string): Vocabulary {
  const vocab = readTokenIds(JsonNode.parse(json, file));
  if (vocab.size === 0) throw unexpected('VOCAB', `tokens with their ids for ${file}`, 'none');
  return vocab;
}

/** Errors: TOKENIZER, for files of another kind of tokenizer. */
function expectClass({ tokenizerClass }: TokenizerConfig, name: string, file: string): void {
  if (tokenizerClass === undefined || tokenizerClass === `${name}Tokenizer` || tokenizerClass === 'PreTrainedTokenizer') return;
  throw unexpected('TOKENIZER', `${name}Tokenizer for ${file} without tokenizer.json`, received(tokenizerClass));
}
