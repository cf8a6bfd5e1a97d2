import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { SafetensorsFile } from '../../checkpoint/safetensors/safetensors.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { callNative } from '../../runtime/native-error.js';
import type { NativeWordVectors } from '../../runtime/words/native-words.js';
import { checkVectors, dequantizeVectors, type QuantizedVectors } from '../../vectors/quantize-vectors.js';
import { nativeWords } from '../native-words.js';

/** Numbers that are looked at, and copied, in one go: below a millisecond. */
const kNumbersAtOnce = 1 << 14;
/** Words that are cut out between two looks at the clock. */
const kWordsAtOnce = 1 << 12;

/** What a file holds besides its words; rows are made when they are asked for. */
interface StoredRows {
  readonly dimensions: number;
  /** Rows `begin` to `end`, [end - begin, dimensions]. */
  rows(begin: number, end: number): Float32Array;
}

/**
 * Reads what `save` wrote: `vectors` [words, dimensions], or `codes` and `scales`; `words`, each ended by a zero byte; `counts`.
 *
 * Errors: IO, VECTORS_FORMAT, the signal's reason.
 */
export async function readSafetensors(path: string, limit: number, signal: AbortSignal | undefined): Promise<NativeWordVectors> {
  const file = await SafetensorsFile.open(path).catch((error: unknown) => {
    if (error instanceof BerthaError && error.code !== 'IO') throw formatError(path, 'a safetensors file', error.message, error);
    throw error;
  });
  const budget = new Budget(signal);
  try {
    const bytes = await file.read(requireTensor(file, 'words'));
    signal?.throwIfAborted();
    const lengths = await wordLengths(bytes, budget);
    const stored = await storedRows(file, lengths.length);
    signal?.throwIfAborted();
    const counts = file.tensors.has('counts') ? await countsOf(file, lengths.length) : undefined;
    await file.verifyUnchanged();
    const size = Math.min(limit, lengths.length);
    const { dimensions } = stored;
    const native = nativeWords();
    const vectors = callNative(() => native.newVectors(size, dimensions, bytes.length));
    const atOnce = Math.max(1, Math.floor(kNumbersAtOnce / dimensions));
    for (let begin = 0, from = 0; begin < size; begin += atOnce) {
      const end = Math.min(size, begin + atOnce);
      const own = lengths.subarray(begin, end);
      const values = stored.rows(begin, end);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) throw formatError(path, 'finite numbers', `${values[bad]} in row ${begin + Math.floor(bad / dimensions)}`);
      const text = withoutEnds(bytes, from, own);
      from += text.length + own.length;
      const seen = counts === undefined ? null : Float64Array.from(counts.subarray(begin, end), Number);
      callNative(() => native.addVectors(vectors, text, own, values, seen));
      if (budget.isSpent) await budget.yield();
    }
    return vectors;
  } finally {
    await file.close();
  }
}

function requireTensor(file: SafetensorsFile, name: string): string {
  if (file.tensors.has(name)) return name;
  throw formatError(
    file.path,
    `a tensor "${name}", as KeyedVectors.save writes it,`,
    [...file.tensors.keys()].slice(0, 5).join(', ') || 'none',
  );
}

/** Lengths of words that each end with a zero byte. */
async function wordLengths(bytes: Uint8Array, budget: Budget): Promise<Int32Array> {
  const lengths: number[] = [];
  for (let begin = 0, end: number; (end = bytes.indexOf(0, begin)) >= 0; begin = end + 1) {
    lengths.push(end - begin);
    if (lengths.length % kWordsAtOnce === 0 && budget.isSpent) await budget.yield();
  }
  return Int32Array.from(lengths);
}

/** The words from byte `from` on, without the zero bytes between them. */
function withoutEnds(bytes: Uint8Array, from: number, lengths: Int32Array): Uint8Array {
  const text = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let to = 0;
  for (const length of lengths) {
    text.set(bytes.subarray(from, from + length), to);
    [from, to] = [from + length + 1, to + length];
  }
  return text;
}

async function storedRows(file: SafetensorsFile, words: number): Promise<StoredRows> {
  const quantized = file.metadata.get('quantized');
  const name = requireTensor(file, quantized === undefined ? 'vectors' : 'codes');
  const { shape } = file.tensors.get(name)!;
  if (shape.length !== 2 || shape[0] !== words || words === 0 || shape[1] === 0) {
    throw formatError(file.path, `"${name}" of [${words}, dimensions]`, `[${shape.join(', ')}]`);
  }
  if (quantized !== undefined) return rowsOfCodes(await quantizedOf(file, quantized, words));
  const values = await file.readFloat32(name);
  const dimensions = shape[1]!;
  return { dimensions, rows: (begin, end) => values.subarray(begin * dimensions, end * dimensions) };
}

function rowsOfCodes(stored: QuantizedVectors): StoredRows {
  const { dimensions, codes, count } = checkVectors(stored, 'loadWordVectors');
  const stride = codes.length / count;
  const part = (begin: number, end: number): QuantizedVectors => {
    const own = { count: end - begin, dimensions };
    if (stored.format === 'binary') return { ...own, format: 'binary', codes: stored.codes.subarray(begin * stride, end * stride) };
    const scales = stored.scales.subarray(begin, end);
    return { ...own, format: 'int8', codes: stored.codes.subarray(begin * stride, end * stride), scales };
  };
  return { dimensions, rows: (begin, end) => flat(dequantizeVectors(part(begin, end)), dimensions) };
}

async function quantizedOf(file: SafetensorsFile, format: string, count: number): Promise<QuantizedVectors> {
  const dimensions = Number(file.metadata.get('dimensions'));
  const codes = await file.read('codes');
  const expected = count * (format === 'int8' ? dimensions : Math.ceil(dimensions / 8));
  if (!(dimensions >= 1) || codes.length !== expected || (format !== 'int8' && format !== 'binary')) {
    throw formatError(file.path, 'codes of int8 or binary vectors', `${codes.length} bytes of ${format}`);
  }
  if (format === 'binary') return { format, count, dimensions, codes };
  const scales = await file.readFloat32(requireTensor(file, 'scales'));
  if (scales.length !== count) throw formatError(file.path, `${count} scales`, String(scales.length));
  return { format: 'int8', count, dimensions, codes: new Int8Array(codes.buffer, codes.byteOffset, codes.length), scales };
}

async function countsOf(file: SafetensorsFile, words: number): Promise<BigInt64Array> {
  const { dtype, shape } = file.tensors.get('counts')!;
  if (dtype !== 'I64' || shape.length !== 1 || shape[0] !== words)
    throw formatError(file.path, `"counts" of I64 [${words}]`, `${dtype} [${shape.join(', ')}]`);
  const bytes = await file.read('counts');
  return new BigInt64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, words);
}

function flat(rows: readonly Float32Array[], dimensions: number): Float32Array {
  const values = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => values.set(row, i * dimensions));
  return values;
}

function formatError(path: string, wanted: string, got: string, cause?: unknown): BerthaError {
  return unexpected('VECTORS_FORMAT', `${wanted} in ${path}`, got, { cause });
}
