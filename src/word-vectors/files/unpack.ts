import { randomBytes } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { errorMessage } from '../../realms.js';
import { nativeWords } from '../native-words.js';
import { readChunks } from './read-chunks.js';

/** The bytes of a gzip file, unpacked. Errors: IO, with the path. */
export async function* unpackedChunks(path: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const packed = Readable.from(readChunks(path));
  packed.on('error', (error) => gunzip.destroy(error));
  packed.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof BerthaError) throw error;
    throw unexpected('IO', `gzip data in ${path}`, errorMessage(error), { cause: error });
  } finally {
    packed.destroy();
    gunzip.destroy();
  }
}

/** A file without a name, to be read by its path until it is closed; nothing is left of it however the process ends. */
export interface UnpackedFile {
  readonly path: string;
  close(): Promise<void>;
}

/** Unpacks a gzip file. Errors: IO, the signal's reason. */
export async function unpackedFile(path: string, signal: AbortSignal | undefined): Promise<UnpackedFile> {
  await nativeWords().removeAbandoned(tmpdir());
  const name = join(tmpdir(), `bertha-words-${process.pid}-${randomBytes(6).toString('hex')}`);
  const handle = await open(name, 'wx+').catch((error: unknown) => {
    throw unexpected('IO', `a temporary file in ${tmpdir()}`, errorMessage(error), { cause: error });
  });
  const full = (error: unknown): never => {
    throw unexpected('IO', `room for ${path}, unpacked, in ${tmpdir()}`, errorMessage(error), { cause: error });
  };
  try {
    await unlink(name);
    for await (const chunk of unpackedChunks(path)) {
      signal?.throwIfAborted();
      await handle.writeFile(chunk).catch(full);
    }
    return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
