import { randomBytes } from 'node:crypto';
import { access, constants, open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { unexpected } from '../expected.js';
import { quotePath } from './describe.js';
import { ioError, isMissing } from './files.js';

/**
 * Writes a file. The bytes go to a temporary file beside it, are flushed, and take its name in one step: whoever reads `file` sees the
 * old file or the whole new one, also after a crash, and also when the old file is the one being read.
 *
 * Errors: IO (disk full, no permission, `file` is not a regular file), and what `chunks` throws; they leave an existing file as it was.
 */
export async function replaceFile(file: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const target = await resolveTarget(file);
  const temporary = `${target}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, 'wx');
    for await (const bytes of chunks) await handle.writeFile(bytes);
    await handle.sync();
    await handle.close();
    await rename(temporary, target);
  } catch (error) {
    if (handle !== undefined) {
      await handle.close().catch(() => undefined);
      await unlink(temporary).catch(() => undefined);
    }
    throw ioError(`write ${quotePath(file)}`, error);
  }
}

/** The file to replace: behind a link, the file it points to. Replacing a device or a FIFO by a file would be a surprise. Errors: IO. */
export async function resolveTarget(file: string): Promise<string> {
  try {
    const target = await realpath(file);
    if (!(await stat(target)).isFile()) throw unexpected('IO', `a regular file to write for ${quotePath(file)}`, 'something else');
    return target;
  } catch (error) {
    if (isMissing(error)) return file;
    throw ioError(`write ${quotePath(file)}`, error);
  }
}

/** Says before long work that its file could not be written: no folder, a folder without permission, something that is no file. Errors: IO. */
export async function requireWritable(file: string): Promise<void> {
  const target = await resolveTarget(file);
  await access(path.dirname(target), constants.W_OK).catch((error: unknown) => {
    throw ioError(`write ${quotePath(file)}`, error);
  });
}
