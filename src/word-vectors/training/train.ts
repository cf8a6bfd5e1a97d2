import { nativeWords } from '../native-words.js';
import { KeyedVectors } from '../queries/keyed-vectors.js';
import type { Corpus } from './corpus.js';
import { availableBytes, runTraining, type TrainingReport } from './run-training.js';
import {
  type FastTextOptions,
  type GloveOptions,
  readFastTextOptions,
  readGloveOptions,
  readWord2VecOptions,
  type Word2VecOptions,
  type Word2VecSettings,
} from './train-options.js';

/** Bytes of a row of a table: whole cache lines. */
export function rowBytes(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 64;
}

/**
 * Trains word2vec: skip-gram or CBOW, with negative sampling or hierarchical softmax.
 *
 * Differences to gensim: one set of negatives serves a centre word and its whole window, negatives are drawn by Walker's alias method, the
 * sigmoid is computed, not looked up. A model is therefore compared by its quality, not number by number.
 *
 * Errors: INVALID_OPTION, INVALID_ARG, EMPTY_INPUT, IO, OUT_OF_MEMORY, NON_FINITE, the signal's reason.
 */
export async function trainWord2Vec(
  corpus: Corpus,
  options?: Word2VecOptions,
): Promise<{ readonly vectors: KeyedVectors; readonly report: TrainingReport }> {
  const { handle, report } = await trainNative('word2vec', corpus, readWord2VecOptions(options));
  return { vectors: new KeyedVectors(handle), report };
}

/**
 * Trains fastText: word2vec in which a word's vector is the mean of its own row and those of its character n-grams, so that words which
 * were never seen have vectors too.
 *
 * Errors: those of `trainWord2Vec`.
 */
export async function trainFastText(
  corpus: Corpus,
  options?: FastTextOptions,
): Promise<{ readonly vectors: KeyedVectors; readonly report: TrainingReport }> {
  const { handle, report } = await trainNative('fastText', corpus, readFastTextOptions(options));
  return { vectors: new KeyedVectors(handle), report };
}

/**
 * Trains GloVe: vectors whose products fit the logarithms of how often words stand near each other. Co-occurrences are counted in
 * `memoryBytes` and the rest on disk. The result has the same bits for any number of threads.
 *
 * Errors: those of `trainWord2Vec`.
 */
export async function trainGloVe(
  corpus: Corpus,
  options?: GloveOptions,
): Promise<{ readonly vectors: KeyedVectors; readonly report: TrainingReport }> {
  const settings = readGloveOptions(options);
  const { native, vectorSize, epochs, threads, seed, minCount, directory } = settings;
  const { handle, report } = await runTraining(corpus, settings, {
    name: 'GloVe',
    // Each occurrence makes records with the words of its window; a record takes two slots of 16 bytes while they are counted.
    tableBytes: (words, occurrences) =>
      4 * words * rowBytes(vectorSize + 1) + Math.min(native.memoryBytes, 64 * native.window * occurrences),
    remedy: 'a larger minCount, or a smaller vectorSize or memoryBytes',
    create: ({ handle: read }) => nativeWords().newGlove(read, minCount, { ...native, directory, vectorSize, epochs, threads, seed }),
  });
  return { vectors: new KeyedVectors(handle), report };
}

function trainNative(name: string, corpus: Corpus, settings: Word2VecSettings): ReturnType<typeof runTraining> {
  const { native, vectorSize, epochs, threads, seed, minCount, initial } = settings;
  const buckets = native.isFastText && native.maxN > 0 ? native.bucket : 0;
  return runTraining(corpus, settings, {
    name,
    // Those of n-grams come on top: which there are is known when the words are.
    tableBytes: (words) => (native.isFastText ? 3 : 2) * words * rowBytes(vectorSize),
    remedy: `a larger minCount, or a smaller vectorSize${buckets > 0 ? ' or bucket' : ''}`,
    create: ({ handle }) =>
      nativeWords().newWord2Vec(
        handle,
        minCount,
        { ...native, vectorSize, epochs, threads, seed, availableBytes: availableBytes() },
        initial?.handle ?? null,
      ),
    warnings: (words) =>
      words <= native.negative ? [`${words} words are fewer than ${native.negative} negative samples: most draws are the word itself`] : [],
  });
}
