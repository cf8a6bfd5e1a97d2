import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import Papa from 'papaparse';
import { BerthaError } from 'bertha-encoder';
import { documentOf, type FieldNames } from './records.js';
import type { SourceItem } from './source.js';

/** A part of a file that begins and ends between two records. */
export interface CsvRange {
  /** In bytes. */
  readonly from: number;
  readonly to: number;
  /** Records before it, without empty lines. */
  readonly records: number;
}

const [kQuote, kLineEnd, kReturn, kSpace] = [34, 10, 13, 32];

/** Parts of at least `partBytes`: a line's end inside quotes is none, so the file is looked through once, without reading its fields. */
export async function* csvRanges(path: string, partBytes: number): AsyncGenerator<CsvRange> {
  const delimiter = delimiterOf(path).charCodeAt(0);
  let state: 'field' | 'plain' | 'quoted' | 'after quote' = 'field';
  let [at, from, records, before, isBlank] = [0, 0, 0, 0, true];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      at++;
      if (byte !== kLineEnd && byte !== kReturn) isBlank = false;
      if (state === 'quoted') state = byte === kQuote ? 'after quote' : 'quoted';
      else if (byte === kLineEnd) {
        state = 'field';
        if (!isBlank) records++;
        isBlank = true;
        if (at - from < partBytes) continue;
        yield { from, to: at, records: before };
        [from, before] = [at, records];
      } else if (byte === delimiter) state = 'field';
      else if (state === 'field') state = byte === kQuote ? 'quoted' : 'plain';
      // Two quotes are one; a quote that no field ends after is a sign like others.
      else if (state === 'after quote' && byte !== kSpace && byte !== kReturn) state = 'quoted';
    }
  }
  if (at > from) yield { from, to: at, records: before };
}

/** The documents of a part of comma- or tab-separated values; the first record of the file names the fields. Errors: DATASET for names that are none. */
export async function* readCsv(path: string, { from, to, records }: CsvRange, names: FieldNames): AsyncGenerator<SourceItem> {
  let header: readonly string[] | undefined;
  if (from > 0) for await (const fields of recordsOf(path)) header ??= headerOf(fields, path);
  let number = records;
  for await (const fields of recordsOf(path, from, to)) {
    const place = `record ${++number} of ${path}`;
    if (header === undefined) header = headerOf(fields, path);
    else if (fields.length !== header.length) {
      yield { bad: { place, problem: `expected ${header.length} fields but received ${fields.length}` } };
    } else if (!fields.every((field) => isUtf8(field))) {
      yield { bad: { place, problem: 'it is not UTF-8' } };
    } else {
      yield documentOf(Object.fromEntries(header.map((name, i) => [name, fields[i]!.toString('utf8')])), place, names);
    }
  }
}

/** The records of bytes from..to; without bytes, the first one. */
async function* recordsOf(path: string, from = 0, to?: number): AsyncGenerator<readonly Buffer[]> {
  // Read as Latin-1, a character a byte, so that each field is checked and decoded by itself: signs of CSV are ASCII, which UTF-8 leaves alone.
  const bytes = createReadStream(path, { encoding: 'latin1', start: from, ...(to === undefined ? {} : { end: to - 1 }) });
  const parsing = bytes.pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { delimiter: delimiterOf(path), skipEmptyLines: true }));
  bytes.once('error', (error) => parsing.destroy(error));
  for await (const record of parsing as AsyncIterable<readonly string[]>) {
    yield record.map((field) => Buffer.from(field, 'latin1'));
    if (to === undefined) break;
  }
  bytes.destroy();
}

function headerOf(fields: readonly Buffer[], path: string): readonly string[] {
  const header = fields.map((field) => field.toString('utf8').replace(/^\ufeff/, ''));
  if (new Set(header).size === header.length && !header.includes('')) return header;
  throw new BerthaError(
    'DATASET',
    `Expected the names of the fields in record 1 of ${path}, each once, but received ${JSON.stringify(header)}.`,
  );
}

function delimiterOf(path: string): string {
  return /\.tsv$/i.test(path) ? '\t' : ',';
}
