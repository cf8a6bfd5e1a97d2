import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { BerthaError } from 'bertha-encoder';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, type Compressors } from 'hyparquet';
import { errorMessage } from '../shared/failures.js';
import { documentOf, type FieldNames } from './records.js';
import type { SourceItem } from './source.js';

type Decompress = (input: Uint8Array) => Uint8Array;
/** Node.js has it from 22.15 on. */
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Decompress };

/** What Node.js decompresses; the package brings Snappy. */
const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ...(zstdDecompressSync === undefined ? {} : { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) }),
};

/** The first rows of a file's row groups, and the number of all rows. Errors: DATASET for what is no Parquet. */
export async function rowGroups(path: string): Promise<readonly number[]> {
  try {
    const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    const ends = [0];
    for (const group of groups) ends.push(ends.at(-1)! + Number(group.num_rows));
    return ends;
  } catch (cause) {
    throw new BerthaError('DATASET', `Expected a file of Parquet in ${path} but received ${errorMessage(cause)}.`, { cause });
  }
}

/** The documents of rows from..to of a file. Errors: DATASET for what cannot be decoded. */
export async function* readParquet(path: string, from: number, to: number, names: FieldNames): AsyncGenerator<SourceItem> {
  let rows: Record<string, unknown>[];
  try {
    rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), rowStart: from, rowEnd: to, compressors });
  } catch (cause) {
    throw new BerthaError('DATASET', `Expected rows ${from} to ${to} of ${path} but received ${errorMessage(cause)}.`, { cause });
  }
  for (const [i, row] of rows.entries()) yield documentOf(row, `row ${from + i} of ${path}`, names);
}
