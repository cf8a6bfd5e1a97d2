import { type FilePath, filePath, readFilePath } from '../../file-path.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { resolveTarget } from '../../checkpoint/replace-file.js';
import { writeSafetensors } from '../../checkpoint/safetensors/safetensors.js';
import { abortSignal, oneOf, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { callNative } from '../../runtime/native-error.js';
import type { VectorFormat } from '../../vectors/quantize-vectors.js';
import { nativeWords, untilAborted } from '../native-words.js';
import { quantizeRows } from '../queries/copy-rows.js';
import type { WordMatrix } from '../queries/word-matrix.js';

/** How files of word vectors are written. */
export type SavedFormat = 'word2vec' | 'word2vec-binary' | 'glove' | 'fasttext' | 'safetensors';

/** Options of `save`. */
export interface SaveOptions {
  /**
   * `word2vec`: text with a header; `word2vec-binary`; `glove`: text without one; `fasttext`: a model, of vectors that have n-grams;
   * `safetensors`: this library's own, which is read fastest. Default by the name: `.bin`, `.safetensors`, `.txt` (GloVe), else word2vec.
   */
  readonly format?: SavedFormat | undefined;
  /** Of safetensors: store each number in 8 bits, or its sign in one. Default: as it is. */
  readonly quantize?: VectorFormat | undefined;
  /** Write the words with their counts there, as word2vec's vocab.txt. */
  readonly vocabulary?: FilePath | undefined;
  readonly signal?: AbortSignal | undefined;
}

const schema = {
  format: oneOf(['word2vec', 'word2vec-binary', 'glove', 'fasttext', 'safetensors']),
  quantize: oneOf(['int8', 'binary']),
  vocabulary: filePath,
  signal: abortSignal,
} as const;

/** Writes word vectors. Errors: IO, INVALID_OPTION, INVALID_ARG, the signal's reason. */
export async function saveVectors(matrix: WordMatrix, file: FilePath, options?: SaveOptions): Promise<void> {
  const path = readFilePath(file);
  if (path === undefined) throw wrongArgument('a path or a file URL for save', file);
  const { format = formatOf(path, matrix), quantize, vocabulary, signal } = readOptions('save', options, schema);
  if (quantize !== undefined && format !== 'safetensors') {
    throw unexpected('INVALID_OPTION', 'format "safetensors" with option quantize', JSON.stringify(format));
  }
  signal?.throwIfAborted();
  if (quantize === undefined) await write(matrix, path, format, signal);
  else await writeQuantized(matrix, path, quantize, signal);
  if (vocabulary !== undefined) await write(matrix, vocabulary, 'vocabulary', signal);
}

function formatOf(path: string, { isFastText }: WordMatrix): SavedFormat {
  if (path.endsWith('.safetensors')) return 'safetensors';
  if (path.endsWith('.bin')) return isFastText ? 'fasttext' : 'word2vec-binary';
  return path.endsWith('.txt') ? 'glove' : 'word2vec';
}

async function write(
  { handle }: WordMatrix,
  path: string,
  format: SavedFormat | 'vocabulary',
  signal: AbortSignal | undefined,
): Promise<void> {
  const native = nativeWords();
  const target = await resolveTarget(path);
  const writing = callNative(() => native.newWriting(handle, target, format));
  const stop = (): void => native.cancelWriting(writing);
  await untilAborted(signal, stop, () => native.write(writing));
}

/** Words that are taken in one go. */
const kWordsAtOnce = 1 << 10;

/** The quantisers' codes and scales beside the words, each ended by a zero byte, and their counts; in short turns of the event loop. */
async function writeQuantized(matrix: WordMatrix, path: string, format: VectorFormat, signal: AbortSignal | undefined): Promise<void> {
  const budget = new Budget(signal);
  const words: Buffer[] = [];
  const counts = new BigInt64Array(matrix.size);
  for (let begin = 0; begin < matrix.size; begin += kWordsAtOnce) {
    const texts = matrix.words(begin, Math.min(matrix.size, begin + kWordsAtOnce));
    const wrong = texts.find((word) => word.includes('\0'));
    if (wrong !== undefined)
      throw unexpected('INVALID_ARG', 'words without zero bytes for safetensors', JSON.stringify(wrong.slice(0, 60)));
    words.push(Buffer.from(`${texts.join('\0')}\0`));
    texts.forEach((_, i) => (counts[begin + i] = BigInt(matrix.count(begin + i))));
    if (budget.isSpent) await budget.yield();
  }
  const quantized = await quantizeRows(matrix, format, signal);
  const { codes, count, dimensions } = quantized;
  const text = Buffer.concat(words);
  const scales =
    quantized.format === 'int8' ? [{ name: 'scales', dtype: 'F32' as const, shape: [count], bytes: bytesOf(quantized.scales) }] : [];
  await writeSafetensors(
    path,
    [
      { name: 'codes', dtype: format === 'int8' ? 'I8' : 'U8', shape: [count, codes.length / count], bytes: bytesOf(codes) },
      ...scales,
      { name: 'counts', dtype: 'I64', shape: [count], bytes: bytesOf(counts) },
      { name: 'words', dtype: 'U8', shape: [text.length], bytes: text },
    ],
    new Map([
      ['quantized', format],
      ['dimensions', String(dimensions)],
    ]),
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
