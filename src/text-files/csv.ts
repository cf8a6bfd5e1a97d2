import Papa from 'papaparse';
import { type ErrorCode } from '../errors.js';
import { unexpected } from '../expected.js';
import { decode, kLongestLine, tooLong } from './lines.js';

/** One record: its fields by the names that the first record gives them. */
export interface CsvRecord {
  readonly fields: Readonly<Record<string, string>>;
  readonly place: string;
  /** The line that it begins on, from 1. */
  readonly line: number;
}

/** What reading records depends on. */
export interface CsvOptions {
  /** What errors call the file. */
  readonly name: string;
  readonly delimiter: ',' | '\t';
  /** The code of errors about the contents. */
  readonly code: ErrorCode;
  /** The names of the fields, where the first record does not hold them. */
  readonly names?: readonly string[] | undefined;
  /** Whether fields may be quoted. Default true. */
  readonly quotes?: boolean | undefined;
  /** The name of a record by its number and the line that it begins on, both counted from 1. */
  place(number: number, line: number): string;
}

/**
 * Records of comma- or tab-separated values (RFC 4180: quotes may hold commas and line ends). The first record names the fields. Empty
 * records are passed over.
 *
 * Errors: `code` for a record with more or fewer fields than names, or a quote that is not closed; the record is named. INPUT_TOO_LARGE.
 */
export async function* readCsvRecords(chunks: AsyncIterable<Uint8Array>, options: CsvOptions): AsyncGenerator<readonly CsvRecord[]> {
  const { name, delimiter, code, quotes = true } = options;
  let { names } = options;
  let number = 0;
  let line = 1;
  const recordsOf = (text: string): readonly CsvRecord[] => {
    const begin = line;
    const place = options.place(++number, begin);
    line += 1 + countLineEnds(text);
    if (text.trim() === '') return [];
    // One record: line ends within it are within quotes, so that the library need not guess which of them end one.
    const quoteChar = quotes ? '"' : '';
    const { data, errors } = Papa.parse<string[]>(text, { delimiter, newline: '\n', quoteChar });
    if (errors.length > 0) throw unexpected(code, `well-formed CSV in ${place}`, errors[0]!.message);
    const record = data[0]!;
    if (names === undefined) {
      names = checkNames(record, place, code);
      return [];
    }
    const own = names;
    if (record.length === own.length)
      return [{ fields: Object.fromEntries(own.map((field, i) => [field, record[i]!])), place, line: begin }];
    throw unexpected(code, `${own.length} fields in ${place}, as its first record names,`, record.length);
  };
  const splitter = new RecordSplitter(delimiter, quotes);
  for await (const text of decode(chunks)) {
    yield splitter.split(text).flatMap(recordsOf);
    if (splitter.rest.length > kLongestLine) throw tooLong(name);
  }
  if (splitter.rest !== '') yield recordsOf(splitter.rest.replace(/\r$/, ''));
}

function countLineEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Cuts text that comes in pieces into records: at line ends outside quotes. */
class RecordSplitter {
  /** What belongs to the record that goes on. */
  rest = '';
  readonly #delimiter: string;
  readonly #quotes: boolean;
  #state: 'start' | 'plain' | 'quoted' | 'after quote' = 'start';

  constructor(delimiter: string, quotes: boolean) {
    this.#delimiter = delimiter;
    this.#quotes = quotes;
  }

  /** The records that end in the next piece, without their line ends. */
  split(text: string): string[] {
    const records: string[] = [];
    let begin = 0;
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if (this.#state === 'quoted') {
        if (c === '"') this.#state = 'after quote';
      } else if (c === '"' && this.#quotes && this.#state !== 'plain') {
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

/** The names of the fields. Errors: `code` for one that is empty or stands twice. */
function checkNames(record: readonly string[], place: string, code: ErrorCode): readonly string[] {
  const wrong = record.findIndex((name, i) => name === '' || record.indexOf(name) < i);
  if (wrong < 0) return record;
  const got = record[wrong] === '' ? `an empty one in column ${wrong + 1}` : `${JSON.stringify(record[wrong])} twice`;
  throw unexpected(code, `the names of the fields in ${place}`, got);
}
