import { unexpected } from '../../expected.js';
import { isUrl, type FilePath } from '../../file-path.js';
import { isUsualName, type ColumnNames } from '../datasets/columns.js';
import type { Dataset } from '../datasets/dataset.js';
import { firstBytes } from '../datasets/file-dataset.js';
import { held, openDataset } from '../datasets/open-dataset.js';
import { readParallel } from '../datasets/read-parallel.js';
import { readTsv } from '../datasets/read-records.js';
import type { Row } from '../datasets/row.js';

/** Two files of equally many lines: line by line a text and what is to be written of it. */
export interface ParallelFiles {
  readonly source: FilePath;
  readonly target: FilePath;
}

/** Where pairs of texts come from. */
export type PairSource = FilePath | Dataset<Row> | ParallelFiles;

/**
 * Opens pairs of texts: rows, a file of them, or two files line by line. A TSV file whose first line names neither column has pairs from that line on: a text,
 * what is to be written of it, and what else there is.
 *
 * Errors: those of `openDataset`, `readParallel`.
 */
export async function openPairs(source: PairSource, columns: ColumnNames = {}): Promise<Dataset<Row>> {
  if (isParallel(source)) return held(readParallel(source.source, source.target));
  const isPath = typeof source === 'string' || isUrl(source);
  if (!isPath || !String(source).toLowerCase().endsWith('.tsv')) return openDataset(source);
  const names = await unnamedColumns(readTsv(source).path, columns);
  return names === undefined ? openDataset(source) : openDataset(source, { columns: names, quotes: false });
}

function isParallel(source: PairSource): source is ParallelFiles {
  if (typeof source !== 'object' || source === null || Symbol.iterator in source || Symbol.asyncIterator in source) return false;
  return 'source' in source && 'target' in source;
}

/** Names for the columns of a TSV file that has none; undefined where its first line names them. Errors: DATASET, IO. */
async function unnamedColumns(path: string, columns: ColumnNames): Promise<readonly string[] | undefined> {
  const text = new TextDecoder().decode(await firstBytes(path)).replace(/^\ufeff/, '');
  const first = text.split(/\r?\n/, 1)[0]!.split('\t');
  const isNamed = (['source', 'target'] as const).every((role) =>
    first.some((name) => (columns[role] === undefined ? isUsualName(role, name) : name === columns[role])),
  );
  if (isNamed) return undefined;
  if (columns.source !== undefined || columns.target !== undefined || first.length < 2) {
    const wanted = `columns for ${columns.source ?? 'source'} and ${columns.target ?? 'target'} in line 1 of ${path}`;
    throw unexpected('DATASET', wanted, JSON.stringify(first.map((name) => name.slice(0, 40)).join(', ')));
  }
  return first.map((_, i) => ['source', 'target'][i] ?? `column ${i + 1}`);
}
