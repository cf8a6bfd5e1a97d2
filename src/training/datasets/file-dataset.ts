import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { unexpected } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { errorMessage } from '../../realms.js';

/** Rows of a file: read from the disk in every iteration, a chunk at a time. */
export interface FileDataset<R> extends AsyncIterable<R> {
  readonly path: string;
  /** How many rows there are, once that is known. */
  readonly length?: number | undefined;
  /** How many rows there are, which takes a whole reading; afterwards `length` is known. */
  count(): Promise<number>;
  /** All rows, for what fits into memory. */
  toArray(): Promise<R[]>;
}

/** Reads blocks of rows from chunks of bytes; `name` is what errors call the file. */
export type ReadRows<R> = (chunks: AsyncIterable<Uint8Array>, name: string) => AsyncIterable<readonly R[]>;

/** The dataset of a file. Errors: INVALID_OPTION for what is no path; while reading: IO, EMPTY_INPUT for a file without rows, those of `read`. */
export function fileDataset<R>(call: string, file: FilePath, read: ReadRows<R>): FileDataset<R> {
  return new Rows(filePath(file, `the file of ${call}`), read);
}

/** Bytes of a file. Errors: IO. */
export async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw readError(path, error);
  }
}

/** Bytes that are parsed at once, in one to two milliseconds. */
const kChunkBytes = 1 << 15;

class Rows<R> implements FileDataset<R> {
  readonly path: string;
  length: number | undefined;
  readonly #read: ReadRows<R>;

  constructor(path: string, read: ReadRows<R>) {
    this.path = path;
    this.#read = read;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    let isEmpty = true;
    for await (const rows of this.#read(chunksOf(this.path), this.path)) {
      if (rows.length > 0) isEmpty = false;
      yield* rows;
    }
    if (isEmpty) throw unexpected('EMPTY_INPUT', `rows in ${this.path}`, 'none');
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const rows of this.#read(chunksOf(this.path), this.path)) count += rows.length;
    return (this.length = count);
  }

  async toArray(): Promise<R[]> {
    const all: R[] = [];
    for await (const row of this) all.push(row);
    this.length = all.length;
    return all;
  }
}

/** The bytes of a file, in pieces. Errors: IO. */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: kChunkBytes });
  } catch (error) {
    throw readError(path, error);
  }
}

/** The first bytes of a file. Errors: IO. */
export async function firstBytes(path: string): Promise<Uint8Array> {
  for await (const chunk of chunksOf(path)) return chunk;
  return new Uint8Array();
}

function readError(path: string, error: unknown): Error {
  return unexpected('IO', `to read ${path}`, errorMessage(error), { cause: error });
}
