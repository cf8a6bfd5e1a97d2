import { readCsvRecords } from '../../text-files/csv.js';
import type { FieldReader } from './fields.js';
import type { Item } from './item.js';

/** Items of comma- or tab-separated values. Errors: USAGE names the record; INPUT_TOO_LARGE. */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  delimiter: ',' | '\t',
  fields: FieldReader,
): AsyncGenerator<readonly Item[]> {
  const place = (number: number): string => `record ${number} of ${name}`;
  for await (const records of readCsvRecords(chunks, { name, delimiter, code: 'USAGE', place })) {
    yield records.map((record) => fields.read(record.fields, record.place));
  }
}
