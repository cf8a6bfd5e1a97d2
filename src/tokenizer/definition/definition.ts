import type { AddedToken, LanguageCodes } from '../scanning/added/added-tokens.js';
import type { Decoder } from './decoder.js';
import type { NormalizerStep } from '../normalizers/steps.js';
import type { PreTokenizer } from '../scanning/pre-tokenizer.js';
import type { Template } from './template.js';
import type { PieceTable } from '../unigram/piece-table.js';
import type { SentencePieceTokens } from '../unigram/sentencepiece-tokens.js';
import type { Side, TruncationStrategy } from './truncation.js';
import type { TokenTable } from '../vocabulary/token-table.js';
import type { Vocabulary } from '../vocabulary/vocabulary.js';

/** Contents of a model's tokenizer files; what is absent is absent. */
export interface TokenizerFiles {
  readonly tokenizerJson?: string;
  /** vocab.txt. */
  readonly vocab?: string;
  /** vocab.json and merges.txt, of byte-level BPE. */
  readonly vocabJson?: string;
  readonly merges?: string;
  /** Of a pair of languages: source.spm, target.spm and target_vocab.json, beside vocab.json. */
  readonly sourceSpm?: Uint8Array;
  readonly targetSpm?: Uint8Array;
  readonly targetVocabJson?: string;
  /** spiece.model of BertGeneration. */
  readonly spiece?: Uint8Array;
  readonly tokenizerConfig?: string;
  readonly specialTokensMap?: string;
}

/** Everything that makes a tokenizer, whichever files it came from. */
export interface TokenizerDefinition {
  /** In their order. */
  readonly normalizer: readonly NormalizerStep[];
  readonly vocab: TokenTable;
  /** Undefined for a model that knows no unknown token. */
  readonly unkToken: string | undefined;
  readonly preTokenizer: PreTokenizer;
  readonly model: ModelDefinition;
  readonly addedTokens: readonly AddedToken[];
  /** Of a model for several target languages whose texts begin with `>>xx<<`. */
  readonly languageCodes?: LanguageCodes;
  /** How texts are read that the model is to write, and its ids are decoded, where that differs. */
  readonly target?: TokenizerDefinition;
  readonly template: Template;
  /** Of RobertaProcessing or ByteLevel: leave white space at a token's ends out of its offsets. */
  readonly trimOffsets: { readonly addPrefixSpace: boolean } | undefined;
  /** A decoder that is not supported is its name. */
  readonly decoder: Decoder | string;
  /** Whether `decode` takes back spaces in the whole text too. */
  readonly cleanUpSpaces: boolean;
  /** Names of the special tokens, as far as the vocabulary has them. */
  readonly specialTokens: SpecialTokens;
  /** Further special tokens that the files name. */
  readonly namedTokens: NamedTokens;
  readonly maxLength: number | undefined;
  readonly paddingSide: Side;
  readonly truncationSide: Side;
  /** The truncation and padding entries of tokenizer.json. */
  readonly fileTruncation: FileTruncation | undefined;
  readonly filePadding: FilePadding | undefined;
}

/** What makes tokens of words. */
export type ModelDefinition =
  | {
      readonly type: 'WordPiece';
      readonly vocab: Vocabulary;
      readonly continuingSubwordPrefix: string;
      readonly maxInputCharsPerWord: number;
    }
  | { readonly type: 'WordLevel'; readonly vocab: Vocabulary }
  | {
      readonly type: 'BPE';
      readonly vocab: Vocabulary;
      /** [merges, 3]: left, right and merged token, the merge of the lowest rank first. */
      readonly merges: Int32Array;
      readonly continuingSubwordPrefix: string;
      readonly endOfWordSuffix: string;
      readonly byteFallback: boolean;
      readonly fuseUnk: boolean;
      readonly ignoreMerges: boolean;
    }
  | {
      readonly type: 'Unigram';
      readonly pieces: PieceTable;
      /** The id of the unknown token. */
      readonly unkId: number;
      readonly byteFallback: boolean;
      /** Of a SentencePiece model's own file, whose pieces are not the tokens themselves. */
      readonly sentencePiece?: SentencePieceTokens;
    };

export interface SpecialTokens {
  readonly unk: string | undefined;
  readonly pad: string | undefined;
  readonly cls: string | undefined;
  readonly sep: string | undefined;
  readonly mask: string | undefined;
}

/** Special tokens that BERT's own texts do without. */
export interface NamedTokens {
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  /** Those without a name of their own. */
  readonly additional: readonly string[];
}

export interface FileTruncation {
  readonly strategy: TruncationStrategy;
  readonly maxLength: number;
  readonly stride: number;
  readonly side: Side;
}

export interface FilePadding {
  /** 'longest' of a batch, or to this length. */
  readonly length: 'longest' | number;
  readonly padToMultipleOf: number;
  readonly side: Side;
}
