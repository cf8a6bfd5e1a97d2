import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { unexpected } from '../../expected.js';
import { readFilePath, type FilePath } from '../../file-path.js';
import { received } from '../../options.js';
import { errorMessage } from '../../realms.js';
import { readLines } from '../../text-files/lines.js';

/**
 * Raw text: a UTF-8 file or several (a string, a URL, or an array of them), or any other iterable of texts, such as a generator, a `Set`,
 * or `texts.values()`.
 */
export type TextSource = FilePath | readonly FilePath[] | Iterable<string> | AsyncIterable<string>;

/** Texts that are read in their order. */
export interface Corpus {
  /** Bytes of all files; undefined for an iterable. */
  readonly totalBytes: number | undefined;
  /** What tells files from others without reading them: paths, sizes and times of change; undefined for an iterable. */
  readonly identity: string | undefined;
  /** Bytes that have been read in this pass. */
  readonly readBytes: number;
  /** The lines of files, without their ends, or the texts of an iterable; a pass from the first. Errors: IO, INPUT_TOO_LARGE, INVALID_ARG. */
  texts(): AsyncGenerator<string, void, undefined>;
}

/** Bytes that are read at once. */
const kChunkBytes = 1 << 16;

/** Opens the texts that a call was given. Errors: INVALID_ARG for what is none, IO for a file that is not there. */
export async function openCorpus(call: string, source: TextSource): Promise<Corpus> {
  const files = filesOf(call, source);
  if (files === undefined) return iterableCorpus(call, source as Iterable<string> | AsyncIterable<string>);
  let totalBytes = 0;
  const identity: string[] = [];
  for (const file of files) {
    const { size, mtimeMs } = await statFile(file);
    totalBytes += size;
    identity.push(JSON.stringify([resolve(file), size, mtimeMs]));
  }
  return new Files(files, totalBytes, identity.join());
}

/** The paths that a source means; undefined for an iterable of texts. */
function filesOf(call: string, source: unknown): readonly string[] | undefined {
  const isList = Array.isArray(source);
  const files = (isList ? (source as readonly unknown[]) : [source]).map(readFilePath);
  const none = files.indexOf(undefined);
  if (none < 0 && files.length > 0) return files as string[];
  if (!isList && isIterable(source)) return undefined;
  throw unexpected(
    'INVALID_ARG',
    `a file, an array of files or an iterable of texts for the text of ${call}`,
    isList && none >= 0 ? `an array with ${received(source[none])}` : received(source),
    { hint: 'An array holds paths; texts in an array are given as texts.values().' },
  );
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

async function statFile(file: string): Promise<{ readonly size: number; readonly mtimeMs: number }> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) throw unexpected('IO', `a file for ${file}`, 'a directory');
    return stats;
  } catch (error) {
    throw readError(file, error);
  }
}

class Files implements Corpus {
  readBytes = 0;
  readonly #files: readonly string[];
  readonly totalBytes: number;
  readonly identity: string;

  constructor(files: readonly string[], totalBytes: number, identity: string) {
    this.#files = files;
    this.totalBytes = totalBytes;
    this.identity = identity;
  }

  async *texts(): AsyncGenerator<string, void, undefined> {
    this.readBytes = 0;
    for (const file of this.#files) {
      for await (const lines of readLines(this.#chunks(file), file)) for (const { text } of lines) yield text;
    }
  }

  async *#chunks(file: string): AsyncGenerator<Uint8Array> {
    const handle = await open(file).catch((error: unknown) => {
      throw readError(file, error);
    });
    try {
      for (;;) {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(kChunkBytes), 0, kChunkBytes);
        if (bytesRead === 0) return;
        this.readBytes += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      throw readError(file, error);
    } finally {
      await handle.close();
    }
  }
}

function iterableCorpus(call: string, source: Iterable<string> | AsyncIterable<string>): Corpus {
  return {
    totalBytes: undefined,
    identity: undefined,
    readBytes: 0,
    async *texts() {
      let index = 0;
      for await (const text of source) {
        if (typeof text !== 'string') throw unexpected('INVALID_ARG', `a string for text ${index} of ${call}`, received(text));
        yield text;
        index++;
      }
    },
  };
}

function readError(file: string, error: unknown): Error {
  return unexpected('IO', `to read ${file}`, errorMessage(error), { cause: error });
}
