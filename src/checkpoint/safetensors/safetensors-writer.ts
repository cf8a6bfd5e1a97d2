import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { dtypeBits, type Dtype } from './dtype.js';
import { replaceFile } from '../replace-file.js';
import { MAX_HEADER_BYTES, PREFIX_BYTES } from './safetensors-header.js';

/** A tensor to be stored: `bytes` holds its values in C order, little-endian. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  /** Outermost first; the product must fit `bytes`. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file. The bytes go to a temporary file beside it, are flushed, and take its name in one step: whoever reads
 * `path` sees the old file or the whole new one, also after a crash, and also when the old file is the one being read.
 *
 * Tensors are stored by descending element size, then name, so that each is aligned to its element.
 *
 * Errors: DUPLICATE_KEY, NAME, TENSOR_INFO, HEADER_TOO_LARGE; IO (disk full, no permission, `path` is not a regular file), which leaves
 * an existing file as it was.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata?: ReadonlyMap<string, string>,
): Promise<void> {
  const sorted = [...tensors].sort((a, b) => dtypeBits(b.dtype) - dtypeBits(a.dtype) || (a.name < b.name ? -1 : 1));
  await replaceFile(path, [safetensorsHead(sorted, metadata ?? new Map()), ...sorted.map(({ bytes }) => bytes)]);
}

/** What the header says of a tensor. */
export type TensorHead = Omit<TensorToWrite, 'bytes'> & { readonly bytes: { readonly byteLength: number } };

/** The header of a file whose tensors lie end to end in this order. Errors: DUPLICATE_KEY, NAME, TENSOR_INFO, HEADER_TOO_LARGE. */
export function safetensorsHead(tensors: readonly TensorHead[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const fields: string[] = [];
  for (const text of [...metadata].flat()) requireUnicode(text, 'metadata');
  if (metadata.size > 0) fields.push(`"__metadata__":${JSON.stringify(Object.fromEntries(metadata))}`);
  const names = new Set(['__metadata__']);
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    if (names.has(name)) throw unexpected('DUPLICATE_KEY', 'every tensor name once, and none "__metadata__",', quote(name));
    requireUnicode(name, 'a tensor name');
    names.add(name);
    const bits = shape.reduce((product, dimension) => product * dimension, dtypeBits(dtype));
    if (!shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) || bits !== bytes.byteLength * 8) {
      throw unexpected('TENSOR_INFO', `the bytes of ${dtype} [${shape.join(', ')}] for tensor ${quote(name)}`, `${bytes.byteLength} bytes`);
    }
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + bytes.byteLength] })}`);
    offset += bytes.byteLength;
  }
  const json = Buffer.from(`{${fields.join(',')}}`);
  // Trailing spaces are part of the format: with them the tensors start at a multiple of eight.
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw unexpected('HEADER_TOO_LARGE', `at most ${MAX_HEADER_BYTES} bytes for the safetensors header`, length);
  }
  const head = Buffer.alloc(PREFIX_BYTES + length, ' ');
  head.writeBigUInt64LE(BigInt(length), 0);
  json.copy(head, PREFIX_BYTES);
  return head;
}

function requireUnicode(text: string, what: string): void {
  if (/\p{Surrogate}/u.test(text)) throw unexpected('NAME', `valid Unicode for ${what}`, quote(text));
}
