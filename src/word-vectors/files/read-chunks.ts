import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { BerthaError } from '../../errors.js';
import { errorMessage } from '../../realms.js';

const kChunkBytes = 1 << 18;

/** The bytes of a file, piece by piece. Errors: IO, with the path, also where the file changes meanwhile. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const failed = (error: unknown): never => {
    throw new BerthaError('IO', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  };
  const handle = await open(path).catch(failed);
  try {
    const before = await handle.stat({ bigint: true }).catch(failed);
    for (;;) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(kChunkBytes), 0, kChunkBytes, null).catch(failed);
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
    const now = await handle.stat({ bigint: true }).catch(failed);
    if (before.isFile() && (now.size !== before.size || now.mtimeNs !== before.mtimeNs)) {
      throw new BerthaError('IO', `${path} changed while it was read`);
    }
  } finally {
    await handle.close();
  }
}

/** Whether a path names anything. */
export function isThere(path: string): boolean {
  return existsSync(path);
}
