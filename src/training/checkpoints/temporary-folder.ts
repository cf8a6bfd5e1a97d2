import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ioError } from '../../checkpoint/files.js';

/** Runs `use` with a new folder that is removed afterwards. Errors: IO, those of `use`. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bertha-')).catch((error: unknown) => {
    throw ioError('make a temporary folder', error);
  });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
