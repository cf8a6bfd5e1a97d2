import Papa from 'papaparse';
import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
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
  const itemOf = (text: string): readonly Item[] => {
    const place = `record ${++number} of ${name}`;
    if (text.trim() === '') return [];
    // One record: line ends within it are within quotes, so that the library need not guess which of them end one.
    const { data, errors } = Papa.parse<string[]>(text, { delimiter, newline: '\n' });
    if (errors.length > 0) {
      throw new BerthaError('USAGE', `Expected well-formed CSV in ${place} but received: ${errors[0]!.message}.`);
    }
    const record = data[0]!;
    if (names === undefined) {
      names = checkNames(record, place);
      return [];
    }
    if (record.length === names.length) return [fields.read(Object.fromEntries(names.map((field, i) => [field, record[i]!])), place)];
    throw unexpected('USAGE', `${names.length} fields in ${place}, as its first record names,`, record.length);
  };
  const splitter = new RecordSplitter(delimiter);
  for await (const text of decode(chunks)) {
    yield splitter.split(text).flatMap(itemOf);
    if (splitter.rest.length > kLongestLine) throw tooLong(name);
  }
  if (splitter.rest !== '') yield itemOf(splitter.rest.replace(/\r$/, ''));
}

/** Cuts text that comes in pieces into records: at line ends outside quotes. */
class RecordSplitter {
  /** What belongs to the record that goes on. */
  rest = '';
  readonly #delimiter: string;
  #state: 'start' | 'plain' | 'quoted' | 'after quote' = 'start';

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The records that end in the next piece, without their line ends. */
  split(text: string): string[] {
    const records: string[] = [];
    let begin = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if (this.#state === 'quoted') {
        if (c === '"') this.#state = 'after quote';
      } else if (c === '"' && this.#state !== 'plain') {
        this.#state = 'quoted';
      } else if (c === '\n') {
        records.push((this.rest + text.slice(begin, i)).replace(/\r$/, ''));
        this.rest = '';
        begin = i + 1;
        this.#state = 'start';
      } else {
        this.#state = c === this.#delimiter ? 'start' : 'plain';
      }
    }
    this.rest += text.slice(begin);
    return records;
  }
}

/** The names of the fields. Errors: USAGE for one that is empty or stands twice. */
function checkNames(record: readonly string[], place: string): readonly string[] {
  const wrong = record.findIndex((name, i) => name === '' || record.indexOf(name) < i);
  if (wrong < 0) return record;
  const got = record[wrong] === '' ? `an empty one in column ${wrong + 1}` : `${JSON.stringify(record[wrong])} twice`;
  throw unexpected('USAGE', `the names of the fields in ${place}`, got);
}
