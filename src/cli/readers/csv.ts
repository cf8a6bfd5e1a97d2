import Papa from 'papaparse';
import { BerthaError } from '../../errors.js';
import type { FieldReader } from './fields.js';
import type { Item } from './item.js';
import { decode, kLongestLine, tooLong } from './lines.js';

/**
 * Items of comma- or tab-separated values (RFC 4180: quotes may hold commas and line ends). The first record names the fields. Empty
 * records are passed over.
 *
 * Errors: USAGE for a record with more or fewer fields than names, or a quote that is not closed; the record is named.
 */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  delimiter: ',' | '\t',
  fields: FieldReader,
): AsyncGenerator<readonly Item[]> {
  let names: readonly string[] | undefined;
  let number = 0;
  const itemsOf = (records: readonly (readonly string[])[]): Item[] =>
    records.flatMap((record) => {
      number++;
      if (record.length === 1 && record[0]!.trim() === '') return [];
      const place = `record ${number} of ${name}`;
      if (names === undefined) {
        names = checkNames(record, place);
        return [];
      }
      if (record.length !== names.length) {
        throw new BerthaError(
          'USAGE',
          `Expected ${names.length} fields in ${place}, as its first record names, but received ${record.length}.`,
        );
      }
      return [fields.read(Object.fromEntries(names.map((field, i) => [field, record[i]!])), place)];
    });
  const parse = (text: string): readonly Item[] => {
    const { data, errors } = Papa.parse<string[]>(text, { delimiter });
    if (errors.length === 0) return itemsOf(data);
    const record = number + (errors[0]!.row ?? 0) + 1;
    throw new BerthaError('USAGE', `Expected well-formed CSV in record ${record} of ${name} but received: ${errors[0]!.message}.`);
  };
  const ends = new RecordEnds(delimiter);
  let open = '';
  for await (const text of decode(chunks)) {
    const end = ends.last(text);
    if (end < 0) {
      open += text;
      if (open.length > kLongestLine) throw tooLong(name);
      continue;
    }
    yield parse(open + text.slice(0, end).replace(/\r$/, ''));
    open = text.slice(end + 1);
  }
  if (open !== '') yield parse(open.replace(/\r?\n?$/, ''));
}

/** Finds, in text that comes in pieces, the line ends that end a record: those outside quotes. */
class RecordEnds {
  readonly #delimiter: string;
  #state: 'start' | 'plain' | 'quoted' | 'after quote' = 'start';

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The last end of a record in the next piece, or -1. */
  last(text: string): number {
    let end = -1;
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if (this.#state === 'quoted') {
        if (c === '"') this.#state = 'after quote';
      } else if (c === '"' && this.#state !== 'plain') {
        this.#state = 'quoted';
      } else if (c === '\n') {
        this.#state = 'start';
        end = i;
      } else {
        this.#state = c === this.#delimiter ? 'start' : 'plain';
      }
    }
    return end;
  }
}

/** The names of the fields. Errors: USAGE for one that is empty or stands twice. */
function checkNames(record: readonly string[], place: string): readonly string[] {
  const wrong = record.findIndex((name, i) => name === '' || record.indexOf(name) < i);
  if (wrong < 0) return record;
  const got = record[wrong] === '' ? `an empty one in column ${wrong + 1}` : `${JSON.stringify(record[wrong])} twice`;
  throw new BerthaError('USAGE', `Expected the names of the fields in ${place} but received ${got}.`);
}
