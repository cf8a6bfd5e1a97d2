import { availableParallelism, tmpdir } from 'node:os';
import { type FilePath, filePath } from '../../file-path.js';
import { wrongOption } from '../../expected.js';
import { abortSignal, callback, type Check, finite, flag, integer, type Options, readOptions } from '../../options.js';
import type { KeyedVectors } from '../queries/keyed-vectors.js';
import type { TrainingProgress } from './progress.js';

/** Options of every trainer of word vectors. */
export interface CorpusTrainingOptions {
  /** Numbers of a vector. Default 100. */
  readonly vectorSize?: number | undefined;
  /** Words seen more rarely are left out. Default 5. */
  readonly minCount?: number | undefined;
  /** Times that the corpus is read. Default 5 (GloVe 25). */
  readonly epochs?: number | undefined;
  /** Of every random number. Default 1. */
  readonly seed?: number | undefined;
  /** Threads of the pool that train. Default: all. */
  readonly threads?: number | undefined;
  /** Distinct words that are counted at once; above it the rarest are forgotten. Default 30 million. */
  readonly maxVocabSize?: number | undefined;
  /** Words of sentences that are given as text. Default: split at blanks. */
  readonly tokenizer?: ((text: string) => readonly string[]) | undefined;
  /** Folder of temporary files. Default: the system's. */
  readonly directory?: FilePath | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told at most ten times a second how far the training is. */
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** Options of `trainWord2Vec`; names and defaults are gensim's. */
export interface Word2VecOptions extends CorpusTrainingOptions {
  /** Skip-gram (default), or with false CBOW. */
  readonly sg?: boolean | undefined;
  /** Words on each side. Default 5. */
  readonly window?: number | undefined;
  /** Negative samples; 0 with `hs`. Default 5. */
  readonly negative?: number | undefined;
  /** Hierarchical softmax instead of negative sampling. Default false. */
  readonly hs?: boolean | undefined;
  /** Negatives are drawn by count to this power. Default 0.75. */
  readonly nsExponent?: number | undefined;
  /** Threshold above which frequent words are left out at random; 0: none. Default 1e-3. */
  readonly sample?: number | undefined;
  /** Learning rate at the begin. Default 0.025, of CBOW 0.05. */
  readonly alpha?: number | undefined;
  /** Learning rate at the end. Default 1e-4. */
  readonly minAlpha?: number | undefined;
  /** CBOW predicts from the mean of the window (default), or with false from its sum. */
  readonly cbowMean?: boolean | undefined;
  /** A window's size is drawn from 1 to `window` for each word. Default true. */
  readonly shrinkWindows?: boolean | undefined;
  /** One thread, and the same bits every time on one instruction set. Default false. */
  readonly deterministic?: boolean | undefined;
  /** Vectors to go on from: words that they know begin with theirs, and all of their words stay. */
  readonly initial?: KeyedVectors | undefined;
}

/** Options of `trainFastText`. */
export interface FastTextOptions extends Word2VecOptions {
  /** Characters of the shortest n-gram. Default 3. */
  readonly minN?: number | undefined;
  /** Characters of the longest n-gram; 0: none. Default 6. */
  readonly maxN?: number | undefined;
  /** Rows that n-grams share by their hash. Default 2 million. */
  readonly bucket?: number | undefined;
}

/** Options of `trainGloVe`; names and defaults are those of the authors' program. */
export interface GloveOptions extends CorpusTrainingOptions {
  /** Words on each side. Default 15. */
  readonly window?: number | undefined;
  /** Count both sides (default), or with false the left alone. */
  readonly symmetric?: boolean | undefined;
  /** Count a word at distance d as 1 / d (default), or with false as 1. */
  readonly distanceWeighting?: boolean | undefined;
  /** Counts above weigh no more. Default 100; 10 for corpora of some million words. */
  readonly xMax?: number | undefined;
  /** Exponent of the weights. Default 0.75. */
  readonly alpha?: number | undefined;
  /** Learning rate. Default 0.05. */
  readonly eta?: number | undefined;
  /** Memory for counting; what does not fit goes to `directory`. Default 1 GiB. */
  readonly memoryBytes?: number | undefined;
}

const positive: Check<number> = (value, name) => {
  if (finite(value, name) <= 0) throw wrongOption(`a number above 0 for ${name}`, value);
  return value as number;
};
const fromZero: Check<number> = (value, name) => {
  if (finite(value, name) < 0) throw wrongOption(`a number from 0 for ${name}`, value);
  return value as number;
};
const tokenizer: Check<(text: string) => readonly string[]> = (value, name) =>
  callback(value, name) as unknown as (text: string) => readonly string[];
const vectors: Check<KeyedVectors> = (value, name) => {
  if (typeof value !== 'object' || value === null || typeof (value as KeyedVectors).mostSimilar !== 'function') {
    throw wrongOption(`word vectors for ${name}`, value);
  }
  return value as KeyedVectors;
};

/** The checks of what all trainers take. */
export const corpusSchema = {
  vectorSize: integer(1, 4096),
  minCount: integer(1, 2 ** 31 - 1),
  epochs: integer(1, 1_000_000),
  seed: integer(0, Number.MAX_SAFE_INTEGER),
  threads: integer(1, 1024),
  maxVocabSize: integer(1, 2 ** 31 - 2),
  tokenizer,
  directory: filePath,
  signal: abortSignal,
  onProgress: callback,
} as const;

const word2VecSchema = {
  ...corpusSchema,
  sg: flag,
  window: integer(1, 10_000),
  negative: integer(0, 1000),
  hs: flag,
  nsExponent: finite,
  sample: fromZero,
  alpha: positive,
  minAlpha: fromZero,
  cbowMean: flag,
  shrinkWindows: flag,
  deterministic: flag,
  initial: vectors,
} as const;

const fastTextSchema = { ...word2VecSchema, minN: integer(1, 1000), maxN: integer(0, 1000), bucket: integer(1, 2 ** 30) } as const;

const gloveSchema = {
  ...corpusSchema,
  window: integer(1, 10_000),
  symmetric: flag,
  distanceWeighting: flag,
  xMax: positive,
  alpha: fromZero,
  eta: positive,
  memoryBytes: integer(1 << 20, Number.MAX_SAFE_INTEGER),
} as const;

/** Where a corpus goes and who hears of it. */
export interface RunSettings {
  readonly vectorSize: number;
  readonly minCount: number;
  readonly epochs: number;
  readonly seed: number;
  readonly threads: number;
  readonly maxVocabSize: number;
  readonly tokenizer: ((text: string) => readonly string[]) | undefined;
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: TrainingProgress) => void) | undefined;
}

/** What all trainers take, with defaults. */
export function runSettings(options: Options<typeof corpusSchema>, defaults: { readonly epochs: number }): RunSettings {
  return {
    vectorSize: options.vectorSize ?? 100,
    minCount: options.minCount ?? 5,
    epochs: options.epochs ?? defaults.epochs,
    seed: options.seed ?? 1,
    threads: options.threads ?? availableParallelism(),
    maxVocabSize: options.maxVocabSize ?? 30_000_000,
    tokenizer: options.tokenizer,
    directory: options.directory ?? tmpdir(),
    signal: options.signal,
    onProgress: options.onProgress as ((progress: TrainingProgress) => void) | undefined,
  };
}

/** Options of word2vec and fastText with every default. */
export interface Word2VecSettings extends RunSettings {
  readonly native: {
    readonly sg: boolean;
    readonly hs: boolean;
    readonly cbowMean: boolean;
    readonly shrinkWindows: boolean;
    readonly window: number;
    readonly negative: number;
    readonly nsExponent: number;
    readonly sample: number;
    readonly alpha: number;
    readonly minAlpha: number;
    readonly isFastText: boolean;
    readonly minN: number;
    readonly maxN: number;
    readonly bucket: number;
  };
  readonly initial: KeyedVectors | undefined;
}

/** Reads the options of `trainWord2Vec`. Errors: INVALID_OPTION. */
export function readWord2VecOptions(options: Word2VecOptions | undefined): Word2VecSettings {
  return word2VecSettings(readOptions('trainWord2Vec', options, word2VecSchema), undefined);
}

/** Reads the options of `trainFastText`. Errors: INVALID_OPTION. */
export function readFastTextOptions(options: FastTextOptions | undefined): Word2VecSettings {
  const read = readOptions('trainFastText', options, fastTextSchema);
  const { minN = 3, maxN = 6, bucket = 2_000_000 } = read;
  if (maxN > 0 && minN > maxN) throw wrongOption(`a number up to maxN, ${maxN}, for trainFastText option minN`, minN);
  return word2VecSettings(read, { minN, maxN, bucket });
}

interface Ngrams {
  readonly minN: number;
  readonly maxN: number;
  readonly bucket: number;
}

function word2VecSettings(read: Options<typeof word2VecSchema>, ngrams: Ngrams | undefined): Word2VecSettings {
  const { sg = true, hs = false } = read;
  const { negative = hs ? 0 : 5, alpha = sg ? 0.025 : 0.05 } = read;
  const { minAlpha = Math.min(1e-4, alpha) } = read;
  if (hs && negative > 0) throw wrongOption('negative 0 with hs: one of hierarchical softmax and negative sampling', negative);
  if (!hs && negative === 0) throw wrongOption('negative samples, or hs: true, for option negative', negative);
  if (minAlpha > alpha) throw wrongOption(`a number up to alpha, ${alpha}, for option minAlpha`, minAlpha);
  const settings = runSettings(read, { epochs: 5 });
  const { initial } = read;
  if (initial !== undefined && initial.dimensions !== settings.vectorSize) {
    throw wrongOption(`vectors of ${settings.vectorSize} numbers (vectorSize) for option initial`, `vectors of ${initial.dimensions}`);
  }
  return {
    ...settings,
    threads: read.deterministic === true ? 1 : settings.threads,
    native: {
      ...{ sg, hs, negative, alpha, minAlpha, window: read.window ?? 5 },
      cbowMean: read.cbowMean ?? true,
      shrinkWindows: read.shrinkWindows ?? true,
      nsExponent: read.nsExponent ?? 0.75,
      sample: read.sample ?? 1e-3,
      isFastText: ngrams !== undefined,
      ...(ngrams ?? { minN: 0, maxN: 0, bucket: 0 }),
    },
    initial,
  };
}

/** Options of GloVe with every default. */
export interface GloveSettings extends RunSettings {
  readonly native: {
    readonly window: number;
    readonly symmetric: boolean;
    readonly distanceWeighting: boolean;
    readonly xMax: number;
    readonly alpha: number;
    readonly eta: number;
    readonly memoryBytes: number;
  };
}

/** Reads the options of `trainGloVe`. Errors: INVALID_OPTION. */
export function readGloveOptions(options: GloveOptions | undefined): GloveSettings {
  const read = readOptions('trainGloVe', options, gloveSchema);
  const { window = 15, symmetric = true, distanceWeighting = true, xMax = 100, alpha = 0.75, eta = 0.05, memoryBytes = 2 ** 30 } = read;
  return { ...runSettings(read, { epochs: 25 }), native: { window, symmetric, distanceWeighting, xMax, alpha, eta, memoryBytes } };
}
