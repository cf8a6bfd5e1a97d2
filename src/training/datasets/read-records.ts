import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import { flag, readOptions, type Check } from '../../options.js';
import { wrongOption } from '../../expected.js';
import { readCsvRecords } from '../../text-files/csv.js';
import { readLines as linesOf } from '../../text-files/lines.js';
import { errorMessage } from '../../realms.js';
import { fileDataset, type FileDataset } from './file-dataset.js';
import { notePlace, type Row } from './row.js';

/** Options of `readCsv` and `readTsv`. */
export interface CsvFileOptions {
  /** Names of the columns, for a file whose first line is data. Default: the first line holds them. */
  readonly columns?: readonly string[] | undefined;
  /** Whether fields may be quoted, and then hold delimiters and line ends. Default true. */
  readonly quotes?: boolean | undefined;
}

/**
 * Rows of a file with one JSON object a line (JSON Lines); a line with a string is the row `{ text }`. Blank lines are passed over.
 *
 * Errors: while reading: DATASET (names file and line), EMPTY_INPUT, INPUT_TOO_LARGE, IO.
 */
export function readJsonl(file: FilePath): FileDataset<Row> {
  return fileDataset('readJsonl', file, async function* (chunks, name) {
    for await (const lines of linesOf(chunks, name)) {
      yield lines.filter(({ text }) => text.trim() !== '').map(({ text, number }) => parseLine(text, number, name));
    }
  });
}

/**
 * Rows of comma-separated values (RFC 4180). The first record names the columns; every value is text.
 *
 * Errors: INVALID_OPTION; while reading: DATASET (names file and line), EMPTY_INPUT, INPUT_TOO_LARGE, IO.
 */
export function readCsv(file: FilePath, options?: CsvFileOptions): FileDataset<Row> {
  return delimited('readCsv', file, ',', options);
}

/** As `readCsv`, with tabs between the values. */
export function readTsv(file: FilePath, options?: CsvFileOptions): FileDataset<Row> {
  return delimited('readTsv', file, '\t', options);
}

/** A row `{ text }` for each line that is not blank. Errors: while reading: EMPTY_INPUT, INPUT_TOO_LARGE, IO. */
export function readLines(file: FilePath): FileDataset<Row> {
  return fileDataset('readLines', file, async function* (chunks, name) {
    for await (const lines of linesOf(chunks, name)) {
      yield lines.filter(({ text }) => text.trim() !== '').map(({ text, number }) => notePlace({ text }, name, number));
    }
  });
}

/** A check for names of columns. */
export const columnNames: Check<readonly string[]> = (value, name) => {
  const isList = Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '');
  if (isList && new Set(value).size === value.length) return value as readonly string[];
  throw wrongOption(`an array of different names for ${name}`, value);
};

function delimited(call: string, file: FilePath, delimiter: ',' | '\t', options?: CsvFileOptions): FileDataset<Row> {
  const { columns: names, quotes } = readOptions(call, options, { columns: columnNames, quotes: flag });
  return fileDataset(call, file, async function* (chunks, name) {
    const place = (_: number, line: number): string => `line ${line} of ${name}`;
    for await (const records of readCsvRecords(chunks, { name, delimiter, code: 'DATASET', names, quotes, place })) {
      yield records.map(({ fields, line }) => notePlace(fields, name, line));
    }
  });
}

function parseLine(text: string, number: number, name: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unexpected('DATASET', `JSON in line ${number} of ${name}`, `${JSON.stringify(text.slice(0, 60))}: ${errorMessage(error)}`);
  }
  if (typeof value === 'string') return notePlace({ text: value }, name, number);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return notePlace(value as Row, name, number);
  throw unexpected('DATASET', `a JSON object or string in line ${number} of ${name}`, JSON.stringify(text.slice(0, 60)));
}
