import { availableParallelism } from 'node:os';
import { type FilePath, filePath, readFilePath } from '../../file-path.js';
import { wrongArgument, wrongOption } from '../../expected.js';
import { abortSignal, callback, type Check, integer, oneOf, readOptions } from '../../options.js';
import { callNative } from '../../runtime/native-error.js';
import type { NativeReadingOptions, NativeReadVectors } from '../../runtime/words/native-words.js';
import { nativeWords, untilAborted } from '../native-words.js';
import { KeyedVectors } from '../queries/keyed-vectors.js';
import { readSafetensors } from './read-safetensors.js';
import { readVocabulary } from './vocabulary-file.js';
import { unpackedFile } from './unpack.js';

/** How files of word vectors are read. */
export type LoadedFormat = 'auto' | 'word2vec' | 'word2vec-binary' | 'glove' | 'fasttext' | 'safetensors';

/** Bytes of a file. */
export interface LoadProgress {
  readonly done: number;
  readonly of: number;
}

/** Options of `loadWordVectors`. */
export interface LoadOptions {
  /** Default `auto`: by the file's begin. */
  readonly format?: LoadedFormat | undefined;
  /** Whether a text begins with a line "words dimensions". Default `auto`; a file of single numbers cannot be told. */
  readonly header?: 'auto' | boolean | undefined;
  /** Read so many words from the front. Default: all. */
  readonly limit?: number | undefined;
  /** Bytes of words that are not UTF-8 become U+FFFD (`replace`, default), or are refused. */
  readonly errors?: 'replace' | 'strict' | undefined;
  /** Of a fastText model: keep its n-grams, for words that were never seen. Default true. */
  readonly subwords?: boolean | undefined;
  /** A file of words and their counts, as word2vec's vocab.txt. */
  readonly vocabulary?: FilePath | undefined;
  /** Threads of the pool that read. Default: all. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told at most ten times a second how far the reading is. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Told what was not as it should be: words that stood twice, or were not UTF-8. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const headerCheck: Check<'auto' | boolean> = (value, name) => {
  if (value === 'auto' || typeof value === 'boolean') return value;
  throw wrongOption(`"auto", true or false for ${name}`, value);
};
const schema = {
  format: oneOf(['auto', 'word2vec', 'word2vec-binary', 'glove', 'fasttext', 'safetensors']),
  header: headerCheck,
  limit: integer(1, 2 ** 31 - 1),
  errors: oneOf(['replace', 'strict']),
  subwords: ((value, name) => {
    if (typeof value === 'boolean') return value;
    throw wrongOption(`true or false for ${name}`, value);
  }) as Check<boolean>,
  vocabulary: filePath,
  threads: integer(1, 1024),
  signal: abortSignal,
  onProgress: callback,
  onWarning: callback,
} as const;

const kReportEveryMs = 100;

/**
 * Reads word vectors: text and binary files of word2vec, GloVe's text, models of fastText, this library's safetensors; texts whose name
 * ends in `.gz` are unpacked. Text is parsed on the library's pool straight into the matrix. Nothing is allocated for what a header
 * promises before the file's size allows it; what a file holds beyond its promise is an error too.
 *
 * Errors: IO; VECTORS_FORMAT with line or byte; UNSAFE_FORMAT for pickles; DTYPE_UNSUPPORTED for quantized models of fastText;
 * INVALID_OPTION; OUT_OF_MEMORY; the signal's reason; what `onProgress` throws.
 *
 * @example
 * const kv = await loadWordVectors('glove.6B.100d.txt', { limit: 50_000 });
 * console.log(kv.size, kv.dimensions, kv.get('the'));
 */
export async function loadWordVectors(file: FilePath, options?: LoadOptions): Promise<KeyedVectors> {
  const path = readFilePath(file);
  if (path === undefined) throw wrongArgument('a path or a file URL for loadWordVectors', file);
  const read = readOptions('loadWordVectors', options, schema);
  const { format = 'auto', header = 'auto', limit = 2 ** 31 - 1, errors = 'replace', subwords = true, vocabulary, signal } = read;
  signal?.throwIfAborted();
  if (format === 'safetensors' || (format === 'auto' && path.endsWith('.safetensors'))) {
    const vectors = await readSafetensors(path, limit, signal);
    if (vocabulary !== undefined) await readVocabulary(vocabulary, vectors, signal);
    return new KeyedVectors(vectors);
  }
  const threads = read.threads ?? availableParallelism();
  const own = {
    format,
    header: String(header) as 'auto',
    limit,
    refusesBadUtf8: errors === 'strict',
    withSubwords: subwords,
    threads,
    name: path,
  };
  const unpacked = path.endsWith('.gz') ? await unpackedFile(path, signal) : undefined;
  try {
    const { vectors, duplicates, repairedWords } = await readNative(unpacked?.path ?? path, own, read);
    if (duplicates > 0) read.onWarning?.(`${duplicates} words stood twice: the first of each was kept`);
    if (repairedWords > 0) read.onWarning?.(`${repairedWords} words were not UTF-8: U+FFFD stands for what was wrong`);
    if (vocabulary !== undefined) await readVocabulary(vocabulary, vectors, signal);
    return new KeyedVectors(vectors);
  } finally {
    await unpacked?.close();
  }
}

async function readNative(
  path: string,
  options: NativeReadingOptions,
  { signal, onProgress }: { readonly signal?: AbortSignal; readonly onProgress?: (...values: unknown[]) => void },
): Promise<NativeReadVectors> {
  const native = nativeWords();
  const reading = callNative(() => native.newReading(path, options));
  const stop = (): void => native.cancelReading(reading);
  let failure: { readonly error: unknown } | undefined;
  const tell = (): void => {
    try {
      if (failure === undefined) onProgress?.(native.readingProgress(reading));
    } catch (error) {
      failure = { error };
      stop();
    }
  };
  const timer = onProgress === undefined ? undefined : setInterval(tell, kReportEveryMs);
  try {
    return await untilAborted(signal, stop, () => native.read(reading));
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    clearInterval(timer);
  }
}
