import { unexpected } from '../../expected.js';
import { isUrl, type FilePath } from '../../file-path.js';
import type { Dataset } from './dataset.js';
import { fileBytes, fileDataset, firstBytes, type FileDataset } from './file-dataset.js';
import { readConll } from './read-conll.js';
import { readCsv, readJsonl, readLines, readTsv, type CsvFileOptions } from './read-records.js';
import { jsonArrayRows, squadRows } from './read-squad.js';
import type { Row } from './row.js';

/** How files of rows are written. */
export const datasetFormats = ['jsonl', 'json', 'csv', 'tsv', 'conll', 'squad', 'text'] as const;

/** One of them; `'json'` is an array of rows. */
export type DatasetFormat = (typeof datasetFormats)[number];

/** Formats by the ends of files' names. */
const extensions: Readonly<Record<string, DatasetFormat>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  conll: 'conll',
  iob: 'conll',
  iob2: 'conll',
  bio: 'conll',
  txt: 'text',
};

/** Files up to this size are held in memory: they can be shuffled and sorted by length as a whole. */
const kBytesInMemory = 1 << 28;

/** What reading a file of rows depends on. */
export interface OpenDatasetOptions extends CsvFileOptions {
  /** Default: by the name's end, and for .json by the contents. */
  readonly format?: DatasetFormat | undefined;
}

/**
 * The dataset that a file or its path means; what is a dataset already passes through. A file of up to 256 MiB becomes an array, a larger
 * one is counted and then read anew in every epoch.
 *
 * Errors: INVALID_ARG for a file whose name does not tell its format; those of the format's reader.
 */
export async function openDataset(source: FilePath | Dataset<Row>, options: OpenDatasetOptions = {}): Promise<Dataset<Row>> {
  if (typeof source !== 'string' && !isUrl(source)) return source;
  return held(await openFile(source, options));
}

/** The rows of a file of up to 256 MiB; of a larger one the file, counted. Errors: those of its reader. */
export async function held(file: FileDataset<Row>): Promise<Dataset<Row>> {
  if ((await fileBytes(file.path)) <= kBytesInMemory) return file.toArray();
  await file.count();
  return file;
}

async function openFile(source: FilePath, { format, ...csv }: OpenDatasetOptions): Promise<FileDataset<Row>> {
  const name = String(source);
  const chosen = format ?? extensions[/\.(\w+)$/.exec(name.toLowerCase())?.[1] ?? ''];
  if (chosen === undefined) {
    throw unexpected('INVALID_ARG', `a file whose name ends with ${Object.keys(extensions).join(', ')}, or a format`, name);
  }
  switch (chosen) {
    case 'jsonl':
      return readJsonl(source);
    case 'csv':
      return readCsv(source, csv);
    case 'tsv':
      return readTsv(source, csv);
    case 'conll':
      return readConll(source);
    case 'text':
      return readLines(source);
    case 'squad':
      return fileDataset('readSquad', source, squadRows);
    case 'json':
      return readJson(source);
  }
}

/** SQuAD's object, or an array of rows: the first bracket tells. */
async function readJson(source: FilePath): Promise<FileDataset<Row>> {
  const file = fileDataset<Row>('openDataset', source, jsonArrayRows);
  const begin = new TextDecoder().decode(await firstBytes(file.path)).trimStart();
  return begin.startsWith('{') ? fileDataset<Row>('openDataset', source, squadRows) : file;
}
