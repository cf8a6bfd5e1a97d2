export type { Dataset, RowStream } from './dataset.js';
export type { FileDataset } from './file-dataset.js';
export { openDataset, type DatasetFormat, type OpenDatasetOptions } from './open-dataset.js';
export { readConll, type ConllOptions, type TaggedRow } from './read-conll.js';
export { readCsv, readJsonl, readLines, readTsv, type CsvFileOptions } from './read-records.js';
export { readSquad, type QuestionRow } from './read-squad.js';
export type { Row } from './row.js';
export { shuffledRows, type ShuffleOptions } from './shuffle.js';
