import { mkdir } from 'node:fs/promises';
import { quotePath } from './describe.js';
import { ioError } from './files.js';

/** Makes a folder and those above it; one that is there stays as it is. Errors: IO. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw ioError(`make the folder ${quotePath(folder)}`, error);
  });
}
