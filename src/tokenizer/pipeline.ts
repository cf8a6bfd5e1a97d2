import { unexpected } from '../expected.js';
import { Bpe } from './bpe/bpe.js';
import type { ModelDefinition, TokenizerDefinition } from './definition/definition.js';
import { fuseSteps, normalizeString } from './normalizers/steps.js';
import { keepsStableText, searchTable } from './normalizers/stable-text.js';
import { type AddedToken, AddedTokenMatcher } from './scanning/added/added-tokens.js';
import { characterTable } from './scanning/character-table.js';
import type { Pipeline } from './scanning/sequence-encoder.js';
import { isOuterSpace, type OuterSpace, outerSpace } from './scanning/token-buffer.js';
import type { TokenTable } from './vocabulary/token-table.js';
import { textOf } from './vocabulary/vocabulary.js';
import type { WordModel } from './vocabulary/word-model.js';
import { Unigram } from './unigram/unigram.js';
import { WordLevel } from './wordpiece/word-level.js';
import { WordPiece } from './wordpiece/wordpiece.js';

/**
 * What turns texts into tokens, made of a definition. `decoded` is told the normalized form of every added token that is found in it.
 *
 * Errors: TOKENIZER (added tokens that normalizing makes nothing of, or the same; a model without the unknown token that it needs).
 */
export function makePipeline(definition: TokenizerDefinition, decoded: Map<number, string>): Pipeline {
  const { normalizer, preTokenizer, model, vocab, unkToken, trimOffsets } = definition;
  const inText = new Map<string, AddedToken>();
  const inNormalized = new Map<string, AddedToken>();
  for (const token of definition.addedTokens) {
    if (!token.normalized) {
      inText.set(token.content, token);
      continue;
    }
    // Of tokens that are equal once normalized the reference finds one by chance, another one in the next process.
    const pattern = normalizeString(token.content, normalizer);
    const other = inNormalized.get(pattern);
    if (pattern === '' || other !== undefined) {
      const why = other === undefined ? 'nothing' : `the same as ${JSON.stringify(other.content)}`;
      throw unexpected('TOKENIZER', `added token ${JSON.stringify(token.content)} to be distinct when normalized`, why);
    }
    inNormalized.set(pattern, token);
    if (pattern !== token.content) decoded.set(token.id, pattern);
  }
  const matcher = new AddedTokenMatcher(inText, definition.languageCodes);
  const options = preTokenizer.isTabular ? fuseSteps(normalizer) : undefined;
  return {
    steps: normalizer,
    fused: options && { normalizer: options, table: characterTable(options, matcher.firstUnits, preTokenizer) },
    preTokenizer,
    plainSearch: options === undefined && keepsStableText(normalizer) ? searchTable(normalizer, matcher.firstUnits) : undefined,
    model: makeModel(model, unkToken === undefined ? undefined : vocab.get(unkToken), preTokenizer.words?.isByteLevel === true),
    matcher,
    normalizedMatcher: inNormalized.size > 0 ? new AddedTokenMatcher(inNormalized) : undefined,
    trimOffsets: trimOffsets === undefined ? undefined : { ...trimOffsets, tokens: spacedTokens(vocab) },
  };
}

/** The one place that knows all models. */
function makeModel(definition: ModelDefinition, unkId: number | undefined, isByteLevel: boolean): WordModel {
  if (definition.type === 'BPE') return new Bpe({ unkId, isByteLevel, ...definition });
  if (definition.type === 'Unigram') return new Unigram(definition);
  if (unkId === undefined) throw unexpected('TOKENIZER', `an unknown token for the ${definition.type} model`, 'none');
  switch (definition.type) {
    case 'WordPiece':
      return new WordPiece({ unkId, ...definition });
    case 'WordLevel':
      return new WordLevel(definition.vocab, unkId);
  }
}

/** The tokens that begin or end with white space. */
function spacedTokens(vocab: TokenTable): Map<number, OuterSpace> {
  const spaced = new Map<number, OuterSpace>();
  vocab.forEach((units, from, length, id) => {
    if (length === 0 || !(isOuterSpace(units[from] as number) || isOuterSpace(units[from + length - 1] as number))) return;
    spaced.set(id, outerSpace(textOf(units.subarray(from, from + length))));
  });
  return spaced;
}
