import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BerthaError, formatVectors } from 'bertha-encoder';
import { errorMessage } from '../../shared/failures.js';
import type { Row, Store } from '../store.js';
import { writeParquet } from './parquet-file.js';

/** The endings of exports. */
export const exportPattern = /\.(?:jsonl|npy|parquet)$/i;

/**
 * Writes all rows of a store to a file of JSON lines, NumPy or Parquet, by its ending, in the order of ids; a .npy file has the vectors alone, and a file
 * `.npy.jsonl` beside it the rest. The file is there whole or not at all. Errors: IO.
 */
export async function exportRows(store: Store, path: string, signal?: AbortSignal): Promise<void> {
  if (/\.parquet$/i.test(path)) return replaced(path, (file) => writeParquet(store, file, signal));
  if (/\.npy$/i.test(path)) {
    await written(path, matrixOf(store), signal);
    return written(`${path}.jsonl`, linesOf(store, lineOf), signal);
  }
  return written(
    path,
    linesOf(store, (row) => `${lineOf(row).slice(0, -1)},"embedding":${vectorText(row)}}`),
    signal,
  );
}

async function* matrixOf(store: Store): AsyncGenerator<Uint8Array> {
  const { rows } = await store.size();
  yield npyHeader(rows, store.model!.dimensions);
  for await (const { embedding } of store.rows()) yield new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength);
}

async function* linesOf(store: Store, format: (row: Row) => string): AsyncGenerator<string> {
  for await (const row of store.rows()) yield `${format(row)}\n`;
}

function lineOf({ embedding: _embedding, run: _run, ...row }: Row): string {
  return JSON.stringify(row);
}

function vectorText({ embedding }: Row): string {
  return Buffer.from(formatVectors(embedding)).toString('latin1');
}

/** The header of a matrix of float32 in NumPy's format, version 1.0, which is a multiple of 64 bytes long. */
function npyHeader(rows: number, columns: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const header = Buffer.alloc(128, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(118, 8);
  header.write(text, 10);
  header.write('\n', 127);
  return header;
}

/** Writes what comes, no faster than the disk. */
function written(path: string, parts: AsyncIterable<Uint8Array | string>, signal?: AbortSignal): Promise<void> {
  return replaced(path, (file) => pipeline(parts, createWriteStream(file), signal === undefined ? {} : { signal }));
}

/** Lets `work` write a file beside the other one, and puts it in its place. */
async function replaced(path: string, work: (file: string) => Promise<void>): Promise<void> {
  const file = `${path}.${process.pid}.part`;
  try {
    await work(file);
    await rename(file, path);
  } catch (cause) {
    await rm(file, { force: true });
    if (cause instanceof BerthaError || typeof (cause as { code?: unknown }).code !== 'string') throw cause;
    throw new BerthaError('IO', `Expected to write ${path} but received ${errorMessage(cause)}.`, { cause });
  }
}
