import { mkdir } from 'node:fs/promises';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';

/** Makes a folder where there is none. Errors: IO. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw ioError(`make ${quotePath(folder)}`, error);
  });
}
