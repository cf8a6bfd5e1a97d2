import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import Papa from 'papaparse';
import { BerthaError } from 'bertha-encoder';
import { documentOf, type FieldNames } from './records.js';
import type { SourceItem } from './source.js';

/** The documents of comma- or tab-separated values; the first record names the fields. */
export async function* readCsv(path: string, names: FieldNames): AsyncGenerator<SourceItem> {
  // Read as Latin-1, a character a byte, so that each field is checked and decoded by itself: signs of CSV are ASCII, which UTF-8 leaves alone.
  const delimiter = /\.tsv$/i.test(path) ? '\t' : ',';
  const parsing = createReadStream(path, 'latin1').pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { delimiter, skipEmptyLines: true }));
  let header: readonly string[] | undefined;
  let number = 0;
  for await (const record of parsing as AsyncIterable<readonly string[]>) {
    const place = `record ${++number} of ${path}`;
    const fields = record.map((field) => Buffer.from(field, 'latin1'));
    if (header === undefined) {
      header = fields.map((field) => field.toString('utf8').replace(/^\ufeff/, ''));
      if (new Set(header).size < header.length || header.includes(''))
        throw new BerthaError(
          'DATASET',
          `Expected the names of the fields in ${place}, each once, but received ${JSON.stringify(header)}.`,
        );
    } else if (fields.length !== header.length) {
      yield { bad: { place, problem: `expected ${header.length} fields but received ${fields.length}` } };
    } else if (!fields.every((field) => isUtf8(field))) {
      yield { bad: { place, problem: 'it is not UTF-8' } };
    } else {
      yield documentOf(Object.fromEntries(header.map((name, i) => [name, fields[i]!.toString('utf8')])), place, names);
    }
  }
}
