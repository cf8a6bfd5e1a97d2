import type { FileHandle } from 'node:fs/promises';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { ioError, openRegularFile, readFully, requireContents } from '../files.js';
import { bytesPerFloat, widenToFloat32 } from '../float32.js';
import { isWeightDtype, type WeightDtype } from '../safetensors/dtype.js';
import type { TensorHeader } from '../safetensors/safetensors-header.js';

/** A tensor and where its bytes lie: `file.fd`, `byteOffset`, `byteLength`. */
export interface TensorInfo extends TensorHeader {
  readonly file: TensorFile;
  /** Of rows of another tensor: that tensor, and the first of them. */
  readonly rowsOf?: { readonly tensor: TensorInfo; readonly begin: number };
  /** The shape in files, where `shape` is another one of the same numbers. */
  readonly storedShape?: readonly number[];
  /** Of integers (I8) that stand for numbers: what turns them into those. */
  readonly scales?: RowScales;
}

/** The number at [row, column] is code · row[row] / input[column], without the division where there are no input scales. */
export interface RowScales {
  /** [rows] F32, of the same file. */
  readonly row: TensorInfo;
  /** [columns] F32, of the same file: what the columns were multiplied by before they were rounded, and inputs are divided by. */
  readonly input?: TensorInfo;
}

/** A file that was opened, and what it looked like then. */
export interface OpenedFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** In bytes. */
  readonly size: number;
  readonly modifiedNs: bigint;
}

/** Size of the pieces in which tensors are converted: the memory used is the result plus this. */
const kPieceBytes = 1 << 20;

/** Files up to here may be a git-lfs pointer. */
const kSmallFile = 1024;

/**
 * An open file of tensors, each stored end to end in C order. It holds a file descriptor and what the file says about the tensors, never their values:
 * native code reads those by offset, `read` and `readFloat32` copy single ones.
 *
 * The file is read, not mapped, so that a file that is cut while in use is an error and not a SIGBUS.
 */
export class TensorFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #opened: OpenedFile;
  #closed = false;

  /** Whoever calls it has checked that the tensors lie inside the file. */
  constructor(opened: OpenedFile, tensors: readonly TensorHeader[], metadata: ReadonlyMap<string, string> = new Map()) {
    this.path = opened.path;
    this.#opened = opened;
    this.metadata = metadata;
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, { ...tensor, file: this }]));
  }

  /** The file descriptor, valid until `close`. Throws DISPOSED afterwards. */
  get fd(): number {
    return this.#open().fd;
  }

  /**
   * A copy of the stored bytes of one tensor.
   *
   * Errors: MODEL_MISMATCH (no such tensor), IO, OUT_OF_MEMORY, DISPOSED.
   */
  async read(name: string): Promise<Uint8Array> {
    const tensor = this.#find(name);
    const bytes = allocate(tensor.byteLength, `tensor ${quote(name)}`);
    await readFully(this.#open(), bytes, tensor.byteOffset, this.path);
    return bytes;
  }

  /**
   * One tensor as float32, flat in C order: F32 as stored, F16 and BF16 exactly, F64 rounded to nearest, ties to even.
   *
   * Errors: DTYPE_UNSUPPORTED for any other type; those of `read`.
   */
  async readFloat32(name: string): Promise<Float32Array> {
    const tensor = this.#find(name);
    const { dtype } = tensor;
    if (!isWeightDtype(dtype)) {
      throw unexpected('DTYPE_UNSUPPORTED', `F32, F16, BF16 or F64 for tensor ${quote(name)} of ${quotePath(this.path)}`, dtype);
    }
    const length = tensor.byteLength / bytesPerFloat(dtype);
    const values = new Float32Array(allocate(length * Float32Array.BYTES_PER_ELEMENT, `tensor ${quote(name)}`).buffer);
    await this.#convert(tensor, dtype, values);
    return values;
  }

  /**
   * Requires that the file still has the size and modification time it had when it was opened. Call it after the tensors have been
   * read: then none of them can come from a file that was being rewritten.
   *
   * Errors: IO, DISPOSED.
   */
  async verifyUnchanged(): Promise<void> {
    const { size, modifiedNs } = this.#opened;
    const now = await identify(this.#open(), this.path);
    if (now.size !== size || now.modifiedNs !== modifiedNs) {
      throw unexpected(
        'IO',
        `${quotePath(this.path)} to stay as it was (${size} bytes) while it is read`,
        `a changed file (${now.size} bytes)`,
      );
    }
  }

  /** Closes the file; a second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#opened.handle.close();
  }

  #open(): FileHandle {
    if (this.#closed) throw unexpected('DISPOSED', `an open file for ${quotePath(this.path)}`, 'a closed one');
    return this.#opened.handle;
  }

  #find(name: string): TensorInfo {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw unexpected('MODEL_MISMATCH', `tensor ${quote(name)} in ${quotePath(this.path)}`, 'a file without it');
    return tensor;
  }

  async #convert(tensor: TensorInfo, dtype: WeightDtype, values: Float32Array): Promise<void> {
    const { byteOffset, byteLength } = tensor;
    const piece = new Uint8Array(Math.min(kPieceBytes, byteLength));
    for (let done = 0; done < byteLength; done += piece.byteLength) {
      const bytes = piece.subarray(0, Math.min(piece.byteLength, byteLength - done));
      await readFully(this.#open(), bytes, byteOffset + done, this.path);
      const first = done / bytesPerFloat(dtype);
      widenToFloat32(bytes, dtype, values.subarray(first, first + bytes.byteLength / bytesPerFloat(dtype)));
    }
  }
}

/**
 * Opens a file that should hold tensors. Whoever gets it closes its handle.
 *
 * Errors: IO (missing, unreadable, not a regular file), LFS_POINTER.
 */
export async function openTensorFile(path: string): Promise<OpenedFile> {
  const { handle } = await openRegularFile(path);
  try {
    const identity = await identify(handle, path);
    if (identity.size <= kSmallFile) await requireTensors(handle, identity.size, path);
    return { path, handle, ...identity };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What a file looks like now. Errors: IO. */
export async function identify(handle: FileHandle, path: string): Promise<Pick<OpenedFile, 'size' | 'modifiedNs'>> {
  try {
    const stats = await handle.stat({ bigint: true });
    return { size: Number(stats.size), modifiedNs: stats.mtimeNs };
  } catch (error) {
    throw ioError(`stat ${quotePath(path)}`, error);
  }
}

/** Memory for bytes of an open file: never more than its size, or twice that for a float32 copy of a 16-bit tensor. Errors: OUT_OF_MEMORY. */
export function allocate(bytes: number, what: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    throw unexpected('OUT_OF_MEMORY', `${bytes} bytes of memory for ${what}`, 'none', { cause: error });
  }
}

/** Errors: LFS_POINTER, IO. */
async function requireTensors(handle: FileHandle, size: number, path: string): Promise<void> {
  const bytes = new Uint8Array(size);
  await readFully(handle, bytes, 0, path);
  requireContents(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), size, path);
}
