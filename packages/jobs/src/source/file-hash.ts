import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BerthaError } from 'bertha-encoder';
import { errorMessage } from '../shared/failures.js';

/** A hash of the files of a directory and its folders whose names match, by name and contents, in hexadecimal. Errors: IO. */
export async function hashFiles(directory: string, names: RegExp): Promise<string> {
  const whole = createHash('sha256');
  try {
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = found
      .filter((entry) => !entry.isDirectory() && names.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      whole.update(`${file.slice(directory.length)}\0${hash.digest('hex')}\0`);
    }
  } catch (cause) {
    throw new BerthaError('IO', `Expected to read the files of ${directory} but received ${errorMessage(cause)}.`, { cause });
  }
  return whole.digest('hex');
}
