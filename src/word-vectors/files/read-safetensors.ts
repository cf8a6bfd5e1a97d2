import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { SafetensorsFile } from '../../checkpoint/safetensors/safetensors.js';
import { callNative } from '../../runtime/native-error.js';
import type { NativeWordVectors } from '../../runtime/words/native-words.js';
import { dequantizeVectors, type QuantizedVectors } from '../../vectors/quantize-vectors.js';
import { nativeWords } from '../native-words.js';

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
  try {
    const bytes = await file.read(requireTensor(file, 'words'));
    signal?.throwIfAborted();
    const lengths = wordLengths(bytes);
    const { values, dimensions } = await valuesOf(file, lengths.length);
    signal?.throwIfAborted();
    const counts = file.tensors.has('counts') ? await countsOf(file, lengths.length) : null;
    await file.verifyUnchanged();
    const size = Math.min(limit, lengths.length);
    const own = lengths.subarray(0, size);
    return callNative(() =>
      nativeWords().newVectors(
        withoutEnds(bytes, own),
        own,
        values.subarray(0, size * dimensions),
        dimensions,
        counts?.subarray(0, size) ?? null,
      ),
    );
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
function wordLengths(bytes: Uint8Array): Int32Array {
  const lengths: number[] = [];
  for (let begin = 0, end: number; (end = bytes.indexOf(0, begin)) >= 0; begin = end + 1) lengths.push(end - begin);
  return Int32Array.from(lengths);
}

function withoutEnds(bytes: Uint8Array, lengths: Int32Array): Uint8Array {
  const text = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let [from, to] = [0, 0];
  for (const length of lengths) {
    text.set(bytes.subarray(from, from + length), to);
    [from, to] = [from + length + 1, to + length];
  }
  return text;
}

async function valuesOf(file: SafetensorsFile, words: number): Promise<{ readonly values: Float32Array; readonly dimensions: number }> {
  const quantized = file.metadata.get('quantized');
  const name = requireTensor(file, quantized === undefined ? 'vectors' : 'codes');
  const { shape } = file.tensors.get(name)!;
  if (shape.length !== 2 || shape[0] !== words || words === 0 || shape[1] === 0) {
    throw formatError(file.path, `"${name}" of [${words}, dimensions]`, `[${shape.join(', ')}]`);
  }
  const stored = quantized === undefined ? undefined : await quantizedOf(file, quantized, words);
  const values = stored === undefined ? await file.readFloat32(name) : flat(dequantizeVectors(stored), stored.dimensions);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  const dimensions = stored?.dimensions ?? shape[1]!;
  if (bad >= 0) throw formatError(file.path, 'finite numbers', `${values[bad]} in row ${Math.floor(bad / dimensions)}`);
  return { values, dimensions };
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

async function countsOf(file: SafetensorsFile, words: number): Promise<Float64Array> {
  const { dtype, shape } = file.tensors.get('counts')!;
  if (dtype !== 'I64' || shape.length !== 1 || shape[0] !== words)
    throw formatError(file.path, `"counts" of I64 [${words}]`, `${dtype} [${shape.join(', ')}]`);
  const bytes = await file.read('counts');
  return Float64Array.from(new BigInt64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, words), Number);
}

function flat(rows: readonly Float32Array[], dimensions: number): Float32Array {
  const values = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => values.set(row, i * dimensions));
  return values;
}

function formatError(path: string, wanted: string, got: string, cause?: unknown): BerthaError {
  return unexpected('VECTORS_FORMAT', `${wanted} in ${path}`, got, { cause });
}
