import type { JsonObject } from '../checkpoint/json-fields.js';
import { unexpected } from '../expected.js';
import { filePath, type FilePath } from '../file-path.js';
import type { ModelPath } from '../hub/index.js';
import { abortSignal, callback, finite, flag, integer, oneOf, readOptions, received, type Check } from '../options.js';
import type { MaskingOptions } from '../training/collators/masking.js';
import {
  trainingArguments,
  type TrainerCallback,
  type TrainingArguments,
  type TrainingArgumentsOptions,
  type TrainOptions,
} from '../training/index.js';
import type { CorpusFormat } from './corpus/documents.js';
import type { TextSource } from './corpus/text-source.js';
import type { ModelSize } from './model-sizes.js';
import type { WordPieceVocabulary } from './vocabulary/train-wordpiece.js';

/** What is learned: masked words, and whether B follows A (`nsp`) or stands behind it (`sop`); or which tokens a generator, which learns too, has replaced (ELECTRA). */
export type PretrainingObjective = 'mlm' | 'mlm+nsp' | 'mlm+sop' | 'replaced-tokens';

/** Options of `pretrain`: what is learned from which text, masking, and all training arguments. */
export interface PretrainOptions extends TrainingArgumentsOptions, TrainOptions, MaskingOptions {
  readonly corpus: TextSource;
  /** Held-out text, for MLM loss, accuracy, perplexity and the accuracy of pairs. */
  readonly evalCorpus?: TextSource;
  /** 'sentences' (default for files): one a line, blank lines between documents; 'documents' (default for iterables): one a line or item. */
  readonly corpusFormat?: CorpusFormat;
  /** A model to go on with: a directory or an id on the Hub. */
  readonly model?: ModelPath;
  /** A new model instead: a size of BERT, or fields of config.json. */
  readonly config?: ModelSize | JsonObject;
  /** Of a new model: a directory, or what `trainWordPiece` gave. */
  readonly tokenizer?: FilePath | WordPieceVocabulary;
  /** Default 'mlm+nsp'. */
  readonly objective?: PretrainingObjective;
  /** Of replaced-tokens: the generator's share of the discriminator's heads and width. Default 0.25. */
  readonly generatorSize?: number;
  /** Of replaced-tokens: what the discriminator's loss is multiplied by. Default 50. */
  readonly discriminatorWeight?: number;
  /** Longest sequence in tokens. Default 128, and never more than the model has positions. */
  readonly maxLength?: number;
  /** Share of examples that aim at a random shorter length. Default 0.1, as google-research's BERT. */
  readonly shortSeqProb?: number;
  /** Masks the same words in every epoch. Default false. */
  readonly staticMasks?: boolean;
  readonly callbacks?: readonly TrainerCallback[];
  /** Bytes of the corpus that have been read, while it is tokenized. */
  /**
   * Where the examples of files are kept, some three bytes a token, to be used again by runs with the same files, tokenizer and options. Default:
   * .bertha-corpus in outputDir, until the run is at its end; without outputDir, and for iterables, a temporary file.
   */
  readonly corpusDir?: FilePath;
  readonly onProgress?: (bytes: number, totalBytes: number | undefined) => void;
}

/** The options as they were read. */
export type PretrainSettings = Omit<PretrainOptions, 'corpusDir'> & { readonly corpusDir?: string };

const anything: Check<unknown> = (value) => value;
const share: Check<number> = (value, name) => {
  const number = finite(value, name);
  if (number >= 0 && number <= 1) return number;
  throw unexpected('INVALID_OPTION', `a number from 0 to 1 for ${name}`, received(value));
};
function aboveZero(most: number): Check<number> {
  return (value, name) => {
    const number = finite(value, name);
    if (number > 0 && number <= most) return number;
    throw unexpected('INVALID_OPTION', `a number above 0 and at most ${most} for ${name}`, received(value));
  };
}

const schema = {
  corpus: anything,
  evalCorpus: anything,
  corpusFormat: oneOf(['sentences', 'documents']),
  model: anything,
  config: anything,
  tokenizer: anything,
  objective: oneOf(['mlm', 'mlm+nsp', 'mlm+sop', 'replaced-tokens']),
  generatorSize: aboveZero(1),
  discriminatorWeight: aboveZero(1e6),
  maxLength: integer(4, 1 << 20),
  shortSeqProb: share,
  staticMasks: flag,
  maskingRule: oneOf(['transformers', 'google']),
  mlmProbability: share,
  maskReplaceProb: share,
  randomReplaceProb: share,
  wholeWordMask: flag,
  maxPredictionsPerSequence: integer(1, 1 << 20),
  callbacks: anything,
  signal: abortSignal,
  resumeFromCheckpoint: anything,
  corpusDir: filePath,
  onProgress: callback,
};
/** Reads the options of `pretrain`, and the training arguments among them. Errors: INVALID_OPTION. */
export function readPretrainOptions(options: PretrainOptions): { readonly own: PretrainSettings; readonly args: TrainingArguments } {
  const given = Object.entries(options ?? {});
  const own = readOptions(
    'pretrain',
    Object.fromEntries(given.filter(([name]) => Object.hasOwn(schema, name))),
    schema,
  ) as unknown as PretrainSettings;
  const args = trainingArguments(Object.fromEntries(given.filter(([name]) => !Object.hasOwn(schema, name))));
  if (own.corpus === undefined) throw unexpected('INVALID_OPTION', 'text for pretrain option corpus', 'none');
  if ((own.model === undefined) === (own.config === undefined)) {
    const what = own.model === undefined ? 'neither' : 'both';
    throw unexpected('INVALID_OPTION', 'model (to go on with) or config (of a new one) for pretrain', what);
  }
  return { own, args };
}
