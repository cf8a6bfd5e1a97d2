import { constants, type Stats } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { BerthaError, type ErrorCode } from '../errors.js';
import { unexpected } from '../expected.js';
import { isCodedError } from '../realms.js';
import { quote, quotePath } from './describe.js';

// Absent on Windows. With it, opening a FIFO returns at once instead of waiting for a writer.
const kNonBlocking: number = constants.O_NONBLOCK ?? 0;
/** One read() moves at most this much: libuv and Linux cut a request near 2^31 bytes. */
const kLargestRead = 1 << 30;

/** Largest config.json that is read; classifiers with 100,000 labels need a few MiB. */
export const MAX_CONFIG_BYTES = 16 << 20;

/**
 * Opens a regular file for reading. A directory, FIFO, device or socket is an error, never a wait.
 *
 * Errors: IO, with the system's error as `cause`.
 */
export async function openRegularFile(file: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | kNonBlocking);
    const stats = await handle.stat();
    if (!stats.isFile()) throw unexpected('IO', `a regular file for ${quotePath(file)}`, kindOf(stats));
    return { handle, size: stats.size };
  } catch (error) {
    await handle?.close();
    throw ioError(`open ${quotePath(file)}`, error);
  }
}

/**
 * Fills `target` from `position` on.
 *
 * Errors: IO, also when the file ends early.
 */
export async function readFully(handle: FileHandle, target: Uint8Array, position: number, file: string): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(target.byteLength - done, kLargestRead);
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(target, done, length, position + done));
    } catch (error) {
      throw ioError(`read ${quotePath(file)}`, error);
    }
    if (bytesRead === 0) {
      throw unexpected('IO', `${target.byteLength} bytes at offset ${position} of ${quotePath(file)}`, `${done}: the file became shorter`);
    }
    done += bytesRead;
  }
}

/**
 * Reads a small text file as strict UTF-8, a byte order mark included, or returns undefined where there is none. `code` is the error
 * for a file that is too large or not UTF-8.
 *
 * Errors: IO, LFS_POINTER, `code`.
 */
export async function readTextFile(file: string, maxBytes: number, code: ErrorCode): Promise<string | undefined> {
  const bytes = await readSmallFile(file, maxBytes, code);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unexpected(code, `UTF-8 for ${quotePath(file)}`, 'other bytes', { cause });
  }
}

/**
 * Reads a small file, or returns undefined where there is none. `code` is the error for one that is too large.
 *
 * Errors: IO, LFS_POINTER, `code`.
 */
export async function readSmallFile(file: string, maxBytes: number, code: ErrorCode): Promise<Uint8Array | undefined> {
  let opened;
  try {
    opened = await openRegularFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const { handle, size } = opened;
  try {
    if (size > maxBytes) throw unexpected(code, `at most ${maxBytes} bytes for ${quotePath(file)}`, size);
    const bytes = new Uint8Array(size);
    await readFully(handle, bytes, 0, file);
    if (size <= kLargestPointer) requireContents(Buffer.from(bytes).toString('utf8'), size, file);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Pointers have about 130 bytes; git-lfs itself takes nothing of 1024 bytes for one. */
const kLargestPointer = 1023;
/** The first line, by its present and its former name. */
const kPointer = /^\ufeff?version https:\/\/(?:git-lfs|hawser)\.github\.com\/spec\/\S+\r?\n(?:ext-[^\n]*\n)*oid /;

/**
 * Requires that what begins with `start` (the whole of a small file) is no git-lfs pointer: the text file that a clone without git-lfs
 * leaves in place of a large one.
 *
 * Errors: LFS_POINTER.
 */
export function requireContents(start: string, size: number, file: string): void {
  if (size > kLargestPointer || !kPointer.test(start)) return;
  throw unexpected(
    'LFS_POINTER',
    `the contents of ${quotePath(file)}`,
    `a git-lfs pointer of ${size} bytes, which a clone without git-lfs leaves in their place`,
    { hint: 'Run "git lfs install" and "git lfs pull" in the clone, or load the model by its id.' },
  );
}

/** Whether an IO error says that the file, or a folder on the way to it, does not exist. */
export function isMissing(error: unknown): boolean {
  const cause = error instanceof BerthaError ? error.cause : error;
  return isCodedError(cause) && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}

/** Wraps a system error as IO; passes a BerthaError through. */
export function ioError(what: string, error: unknown): BerthaError {
  if (error instanceof BerthaError) return error;
  const reason = isCodedError(error) ? `${error.code} (${error.message})` : String(error);
  return unexpected('IO', `to ${what}`, reason, { cause: error });
}

/**
 * The folder whose files a model directory may name: itself, or, for a snapshot in the Hub's cache
 * (`models--org--name/snapshots/<commit>`), the repository's folder, since snapshot files are links to `../../blobs`.
 */
export function containmentRoot(realDirectory: string): string {
  const parts = realDirectory.split(path.sep);
  const snapshots = parts.lastIndexOf('snapshots');
  const isHubCache = snapshots > 0 && /^models--./.test(parts[snapshots - 1]!);
  return isHubCache ? parts.slice(0, snapshots).join(path.sep) : realDirectory;
}

/**
 * Resolves `name`, which came out of the file `source` and is not to be trusted, against `folder`. Absolute names, `..`, backslashes
 * and links that leave the model directory `root` (a real path; see `containmentRoot`) are errors. The file need not exist.
 *
 * Errors: INDEX_PATH, IO.
 */
export async function resolveInside(folder: string, name: string, source: string, root = folder): Promise<string> {
  const expected = `a path inside the model directory for an entry of ${quote(source)}`;
  const isAbsolute = name.startsWith('/') || path.isAbsolute(name) || /^[a-z]:/i.test(name);
  if (isAbsolute || name.includes('\0') || name.includes('\\') || name.split('/').includes('..')) {
    throw unexpected('INDEX_PATH', expected, quote(name));
  }
  const joined = path.join(folder, name);
  let real: string;
  try {
    real = await realpath(joined);
  } catch (error) {
    if (isMissing(error)) return joined;
    throw ioError(`resolve ${quotePath(joined)}`, error);
  }
  const container = containmentRoot(root);
  if (real !== container && !real.startsWith(container.endsWith(path.sep) ? container : container + path.sep)) {
    throw unexpected('INDEX_PATH', expected, `${quote(name)}, a link to ${quotePath(real)}`);
  }
  return joined;
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'something else';
}
