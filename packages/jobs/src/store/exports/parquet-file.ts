import { fileWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import type { Row, Store } from '../store.js';

const kRowGroup = 4096;

const text = (name: string): SchemaElement => ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' });
const whole = (name: string): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' });
const columns: readonly (readonly [SchemaElement, (row: Row) => unknown])[] = [
  [text('id'), ({ id }) => id],
  [text('doc_id'), ({ docId }) => docId],
  [whole('chunk_no'), ({ chunkNo }) => chunkNo],
  [text('content_hash'), ({ contentHash }) => contentHash],
  [text('text'), (row) => row.text],
  [whole('char_start'), ({ start }) => start],
  [whole('char_end'), ({ end }) => end],
  [text('metadata'), ({ metadata }) => JSON.stringify(metadata)],
];
const embedding: readonly SchemaElement[] = [
  { name: 'embedding', repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
];

/** Writes all rows of a store as Parquet: metadata as JSON, embeddings as lists of float32. */
export async function writeParquet(store: Store, path: string, signal?: AbortSignal): Promise<void> {
  const schema = [{ name: 'root', num_children: columns.length + 1 }, ...columns.map(([element]) => element), ...embedding];
  const writer = new ParquetWriter({ writer: fileWriter(path), schema });
  let rows: Row[] = [];
  const flush = async (): Promise<void> => {
    const data = columns.map(([{ name }, read]) => ({ name, data: rows.map(read) }));
    const vectors = rows.map((row) => Array.from(row.embedding));
    await writer.write({ columnData: [...data, { name: 'embedding', data: vectors }], rowGroupSize: kRowGroup });
    rows = [];
  };
  for await (const row of store.rows()) {
    signal?.throwIfAborted();
    if (rows.push(row) === kRowGroup) await flush();
  }
  if (rows.length > 0) await flush();
  await writer.finish();
}
