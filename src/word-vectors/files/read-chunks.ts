import { createReadStream, existsSync } from 'node:fs';
import { BerthaError } from '../../errors.js';
import { errorMessage } from '../../realms.js';

/** The bytes of a file, piece by piece. Errors: IO, with the path. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new BerthaError('IO', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Whether a path names anything. */
export function isThere(path: string): boolean {
  return existsSync(path);
}
