import { createHash, randomBytes, type Hash } from 'node:crypto';
import { copyFile, open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../checkpoint/describe.js';
import { ioError } from '../checkpoint/files.js';
import type { RemoteFile } from './client.js';

const kReadBytes = 1 << 20;

/**
 * A blob that is still coming: a file `<blob>.<random>.incomplete` that only this object writes to, so that whatever other processes do
 * the finished blob holds the bytes whose hash was checked.
 */
export class PartialFile {
  /** Bytes so far. */
  size = 0;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #file: RemoteFile;
  #hash: Hash;

  private constructor(name: string, handle: FileHandle, file: RemoteFile) {
    this.#path = name;
    this.#handle = handle;
    this.#file = file;
    this.#hash = newHash(file);
  }

  /** Begins with a copy of the longest piece that an earlier download left behind, and removes all pieces. Errors: IO. */
  static async open(blob: string, file: RemoteFile): Promise<PartialFile> {
    const own = `${blob}.${randomBytes(4).toString('hex')}.incomplete`;
    try {
      const pieces = await leftovers(blob, file.bytes);
      if (pieces[0] !== undefined) await copyFile(pieces[0], own);
      const partial = new PartialFile(own, await open(own, 'a+'), file);
      await partial.#readBack();
      for (const piece of pieces) await unlink(piece).catch(() => undefined);
      return partial;
    } catch (error) {
      await unlink(own).catch(() => undefined);
      throw ioError(`write ${quotePath(own)}`, error);
    }
  }

  /** Errors: IO. */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      await this.#handle.appendFile(chunk);
    } catch (error) {
      throw ioError(`write ${quotePath(this.#path)}`, error);
    }
    this.#hash.update(chunk);
    this.size += chunk.length;
  }

  /** Begins anew. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = newHash(this.#file);
    this.size = 0;
  }

  /** Of what has come so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Gives the finished file its name. Errors: IO. */
  async publish(blob: string): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#path, blob);
    } catch (error) {
      throw ioError(`write ${quotePath(blob)}`, error);
    }
  }

  /** Closes it; what has come stays for the next download, unless `keep` is false. A second call does nothing. */
  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (!keep || this.size === 0) await unlink(this.#path).catch(() => undefined);
  }

  async #readBack(): Promise<void> {
    for await (const chunk of chunksOf(this.#handle)) {
      this.#hash.update(chunk);
      this.size += chunk.length;
    }
  }
}

/** Whether a file holds just what it should; without `verify` only its size is looked at. */
export async function isIntact(name: string, file: RemoteFile, verify: boolean): Promise<boolean> {
  const stats = await stat(name).catch(() => undefined);
  if (stats === undefined || !stats.isFile() || stats.size !== file.bytes) return false;
  if (!verify) return true;
  const hash = newHash(file);
  const handle = await open(name);
  try {
    for await (const chunk of chunksOf(handle)) hash.update(chunk);
  } finally {
    await handle.close();
  }
  return hash.digest('hex') === file.hash;
}

/** The hash that names a blob: files in git's large file storage go by SHA-256, others by git's own. */
function newHash({ hash, bytes }: RemoteFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(kReadBytes);
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Pieces of a blob, longest first. */
async function leftovers(blob: string, limit: number): Promise<string[]> {
  const prefix = `${path.basename(blob)}.`;
  const folder = path.dirname(blob);
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(prefix) && /^[0-9a-f]{8}\.incomplete$/.test(name.slice(prefix.length)),
  );
  const pieces: { readonly file: string; readonly size: number }[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const size = await stat(file).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size <= limit) pieces.push({ file, size });
  }
  return pieces.sort((a, b) => b.size - a.size).map(({ file }) => file);
}
