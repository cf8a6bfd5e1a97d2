import { unexpected } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { abortSignal, callback, flag, integer, readOptions, received, type Check } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { createTokenizer } from '../../architectures/create-tokenizer.js';
import type { Tokenizer, TokenizerFiles } from '../../tokenizer/index.js';
import { WordCounter } from '../../tokenizer/word-counter.js';
import { openCorpus, type Corpus, type TextSource } from '../corpus/text-source.js';
import { mergePieces } from './merge-pieces.js';
import { kBertTokens, kPrefix, tokenizerFiles, writeTokenizerFiles } from './tokenizer-files.js';

/** Options of `trainWordPiece`; names and defaults are those of tokenizers' BertWordPieceTokenizer. */
export interface TrainWordPieceOptions {
  /** Tokens that the vocabulary may have, special tokens and characters included. Default 30,000. */
  readonly vocabSize?: number | undefined;
  /** Neighbours that occur less often are not joined. Default 2. */
  readonly minFrequency?: number | undefined;
  /** Different characters that may be learned; the most frequent ones are. Default 1,000; for Chinese and Japanese some 6,000. */
  readonly limitAlphabet?: number | undefined;
  /** Characters that the vocabulary has in any case. */
  readonly initialAlphabet?: readonly string[] | undefined;
  /** The first tokens; [PAD], [UNK], [CLS], [SEP] and [MASK] must be among them. */
  readonly specialTokens?: readonly string[] | undefined;
  /** Default true. */
  readonly lowercase?: boolean | undefined;
  /** Default: as `lowercase`. */
  readonly stripAccents?: boolean | undefined;
  /** Makes each ideograph a word of its own. Default true. */
  readonly handleChineseChars?: boolean | undefined;
  /** `model_max_length` of tokenizer_config.json. Default 512. */
  readonly maxLength?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told at most ten times a second. */
  readonly onProgress?: ((progress: WordPieceProgress) => void) | undefined;
}

/** How far `trainWordPiece` is: `done` of `total` bytes counted, or tokens made. For texts that are no files `total` is unknown while counting. */
export interface WordPieceProgress {
  readonly phase: 'count' | 'merge';
  readonly done: number;
  readonly total: number | undefined;
}

/** A vocabulary that was learned. */
export interface WordPieceVocabulary {
  /** By their ids. */
  readonly tokens: readonly string[];
  /** Words of the text, and how many of them differ. */
  readonly words: { readonly total: number; readonly different: number };
  /** The contents of tokenizer.json, vocab.txt and tokenizer_config.json. */
  readonly files: TokenizerFiles;
  /** The tokenizer that these files make. */
  tokenizer(): Tokenizer;
  /** Writes the files into a directory. Errors: IO, INVALID_OPTION. */
  save(directory: FilePath): Promise<void>;
}

const kSchema = {
  vocabSize: integer(1, 1 << 23),
  minFrequency: integer(0, Number.MAX_SAFE_INTEGER),
  limitAlphabet: integer(1, 1 << 21),
  initialAlphabet: strings,
  specialTokens: strings,
  lowercase: flag,
  stripAccents: flag,
  handleChineseChars: flag,
  maxLength: integer(3, Number.MAX_SAFE_INTEGER),
  signal: abortSignal,
  onProgress: callback as Check<(progress: WordPieceProgress) => void>,
};

/** Units of text that are read between two looks at the clock, and merging's steps between two reports. */
const kUnitsPerTurn = 1 << 13;
const kReportMs = 100;

/**
 * Learns a WordPiece vocabulary from raw text of any size, as tokenizers' trainer does but with every order fixed: the same text always
 * gives the same vocabulary. Lines of files are read one after the other; words are held in memory, text is not.
 *
 * Errors: INVALID_ARG, INVALID_OPTION (also for a vocabulary smaller than the alphabet, and special tokens that lack one that BERT needs),
 * IO, INPUT_TOO_LARGE, EMPTY_INPUT; the signal's reason.
 */
export async function trainWordPiece(source: TextSource, options?: TrainWordPieceOptions): Promise<WordPieceVocabulary> {
  const given = readOptions('trainWordPiece', options, kSchema);
  const { vocabSize = 30_000, minFrequency = 2, limitAlphabet = 1_000, initialAlphabet = [], lowercase = true, onProgress, signal } = given;
  const specialTokens = specialTokensOf(given.specialTokens);
  const normalization = { lowercase, stripAccents: given.stripAccents ?? lowercase, handleChineseChars: given.handleChineseChars ?? true };
  signal?.throwIfAborted();
  const corpus = await openCorpus('trainWordPiece', source);
  const budget = new Budget(signal, 'bulk');
  const progress = new Reporter(onProgress);

  const counter = new WordCounter({ cleanText: true, ...normalization });
  await countWords(corpus, counter, budget, progress);
  if (counter.size === 0) throw unexpected('EMPTY_INPUT', 'words in the text of trainWordPiece', 'none');

  const characters = initialAlphabet.map((text) => String.fromCodePoint(text.codePointAt(0)!));
  const merging = mergePieces(counter.counts(), {
    vocabSize,
    minFrequency,
    limitAlphabet,
    initialAlphabet: characters,
    specialTokens,
    prefix: kPrefix,
  });
  let step = merging.next();
  for (; step.done !== true; step = merging.next()) {
    progress.tell('merge', Math.min(step.value, vocabSize), vocabSize);
    if (budget.isSpent) await budget.yield();
  }
  const tokens = step.value;
  if (tokens.length > vocabSize) {
    throw unexpected(
      'INVALID_OPTION',
      `at least ${tokens.length} for vocabSize: special tokens and characters alone are as many`,
      vocabSize,
      {
        hint: 'limitAlphabet leaves rare characters out.',
      },
    );
  }
  progress.tell('merge', vocabSize, vocabSize, true);
  const files = tokenizerFiles(tokens, specialTokens, normalization, given.maxLength ?? 512);
  return {
    tokens,
    words: { total: counter.total, different: counter.size },
    files,
    tokenizer: () => createTokenizer(files),
    save: async (directory) => writeTokenizerFiles(filePath(directory, 'the directory of save'), files),
  };
}

async function countWords(corpus: Corpus, counter: WordCounter, budget: Budget, progress: Reporter): Promise<void> {
  for await (const text of corpus.texts()) {
    counter.begin(text);
    while (!counter.run(kUnitsPerTurn)) if (budget.isSpent) await budget.yield();
    progress.tell('count', corpus.readBytes, corpus.totalBytes);
    if (budget.isSpent) await budget.yield();
  }
  progress.tell('count', corpus.readBytes, corpus.totalBytes, true);
}

/** Tells how far it is, ten times a second at most. */
class Reporter {
  readonly #onProgress: ((progress: WordPieceProgress) => void) | undefined;
  #next = 0;

  constructor(onProgress: ((progress: WordPieceProgress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  tell(phase: WordPieceProgress['phase'], done: number, total: number | undefined, isLast = false): void {
    if (this.#onProgress === undefined || (!isLast && performance.now() < this.#next)) return;
    this.#next = performance.now() + kReportMs;
    this.#onProgress({ phase, done, total });
  }
}

function specialTokensOf(given: readonly string[] | undefined): readonly string[] {
  const needed: readonly string[] = Object.values(kBertTokens);
  if (given === undefined) return needed;
  const missing = needed.filter((token) => !given.includes(token));
  if (missing.length > 0) {
    throw unexpected('INVALID_OPTION', `${missing.join(', ')} among specialTokens, which BERT needs`, given.join(', ') || 'none');
  }
  if (new Set(given).size < given.length) throw unexpected('INVALID_OPTION', 'different specialTokens', given.join(', '));
  return given;
}

function strings(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string' && each !== '' && !/\p{Cs}/u.test(each))) {
    throw unexpected('INVALID_OPTION', `an array of non-empty strings for ${name}`, received(value));
  }
  return value as readonly string[];
}
