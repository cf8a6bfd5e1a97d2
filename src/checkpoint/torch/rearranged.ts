import { randomUUID } from 'node:crypto';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { quotePath, quote } from '../describe.js';
import { ioError, readFully } from '../files.js';
import type { TensorHeader } from '../safetensors/safetensors-header.js';
import { allocate, identify, TensorFile, type OpenedFile } from '../weights/tensor-file.js';
import { bytesPerValue, countOf, type View } from './state-dict.js';

/** A tensor whose values do not lie end to end, and the first byte of its storage. */
export interface ScatteredTensor {
  readonly name: string;
  readonly view: View;
  readonly storageOffset: number;
}

/** Values that are laid out before they are written. */
const kPieceBytes = 1 << 20;

/**
 * Tensors that are transposed or cut out of others, laid end to end in a temporary file that nobody else can open and that is gone when it is closed.
 * One storage is in memory at a time. `source` names the file in errors.
 *
 * Errors: IO (no room, the file became shorter), OUT_OF_MEMORY.
 */
export async function rearrange(source: OpenedFile, scattered: readonly ScatteredTensor[]): Promise<TensorFile> {
  const handle = await openTemporary();
  try {
    const headers: TensorHeader[] = [];
    let byteOffset = 0;
    for (const tensor of scattered) {
      const { storage, shape } = tensor.view;
      const byteLength = countOf(shape) * bytesPerValue(storage.dtype);
      await writeInOrder(source, tensor, handle);
      headers.push({ name: tensor.name, dtype: storage.dtype, shape, byteOffset, byteLength });
      byteOffset += byteLength;
    }
    return new TensorFile({ path: source.path, handle, ...(await identify(handle, source.path)) }, headers);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openTemporary(): Promise<FileHandle> {
  const name = path.join(tmpdir(), `bertha-tensors-${randomUUID()}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(name, 'wx+', 0o600);
    await unlink(name);
    return handle;
  } catch (error) {
    await handle?.close();
    throw ioError(`make the temporary file ${quotePath(name)}`, error);
  }
}

async function writeInOrder(source: OpenedFile, { name, view, storageOffset }: ScatteredTensor, target: FileHandle): Promise<void> {
  const { storage, shape, strides, offset } = view;
  const bytes = bytesPerValue(storage.dtype);
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 0);
  const stored = allocate((last + 1) * bytes, `tensor ${quote(name)}`);
  await readFully(source.handle, stored, storageOffset + offset * bytes, source.path);
  for (const piece of inOrder(stored, bytes, shape, strides)) {
    // A handle's own writeFile goes on where the last one ended, and writes all of it.
    await target.writeFile(piece).catch((error: unknown) => {
      throw ioError(`write tensor ${quote(name)} of ${quotePath(source.path)} to a temporary file in ${quotePath(tmpdir())}`, error);
    });
  }
}

/** The values of a view, whose first one is `stored`'s, in C order. Values of eight bytes are moved as two of four. */
function* inOrder(
  stored: Uint8Array<ArrayBuffer>,
  bytes: number,
  shape: readonly number[],
  strides: readonly number[],
): Generator<Uint8Array> {
  const unit = Math.min(bytes, 4);
  const parts = bytes / unit;
  const sizes = parts === 1 ? shape : [...shape, parts];
  const steps = parts === 1 ? strides : [...strides.map((stride) => stride * parts), 1];
  const Units = unit === 4 ? Uint32Array : unit === 2 ? Uint16Array : Uint8Array;
  const from = new Units(stored.buffer);
  const count = countOf(sizes);
  const piece = new Units(Math.min(count, kPieceBytes / unit));
  const index = new Array<number>(sizes.length).fill(0);
  let at = 0;
  let filled = 0;
  for (let done = 0; done < count; done++) {
    piece[filled++] = from[at]!;
    if (filled === piece.length || done === count - 1) {
      yield new Uint8Array(piece.buffer, 0, filled * unit);
      filled = 0;
    }
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      at -= sizes[axis]! * steps[axis]!;
      index[axis] = 0;
    }
  }
}
