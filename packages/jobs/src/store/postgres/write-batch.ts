import type { SendQuery } from '../../postgres/connection.js';
import { planBatch, type Change } from '../plan.js';
import type { Batch, DocumentWrite, StoredDocument, WriteResult } from '../store.js';
import type { Names } from './schema.js';
import { storable } from '../records.js';
import { storableJson, vectorArray } from './values.js';

/** Rows that go in one statement. */
const kRowsAtOnce = 512;
/** The run of a document whose row is made to be locked. */
const kNoRun = -1;

/** What stands of documents. */
export async function documentsOf(
  send: SendQuery,
  { documents }: Names,
  docIds: readonly string[],
  isLocked = false,
): Promise<ReadonlyMap<string, StoredDocument>> {
  const sql = `select doc_id, content_hash, run, position from ${documents} where doc_id = any($1::text[])`;
  const { rows } = await send(isLocked ? `${sql} order by doc_id for update` : sql, [docIds]);
  return new Map(
    rows.map(({ doc_id: docId, content_hash: contentHash, run, position }) => [
      docId as string,
      { contentHash: contentHash as string, run: run as number, position: position as number },
    ]),
  );
}

/** The hashes of documents' rows, in order. */
export async function hashesOf(
  send: SendQuery,
  { rows: table }: Names,
  docIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const sql = `select doc_id, array_agg(content_hash order by chunk_no) as hashes from ${table} where doc_id = any($1::text[]) group by doc_id`;
  const { rows } = await send(sql, [docIds]);
  const found = new Map(rows.map(({ doc_id: docId, hashes }) => [docId as string, hashes as readonly string[]]));
  return new Map(docIds.map((docId) => [docId, found.get(docId) ?? []]));
}

/** Writes a batch in the transaction of `send`, as `Store.write` says. Documents are locked in the order of their ids, so that no two writers wait for each other. */
export async function writeBatch(send: SendQuery, names: Names, vectorType: number, batch: Batch): Promise<WriteResult> {
  const { run, position, unchanged, doneUnit } = batch;
  const ids = batch.documents.map(({ docId }) => docId);
  if (ids.length > 0)
    await send(
      `insert into ${names.documents} (doc_id, content_hash, run, position)
       select id, '', ${kNoRun}, 0 from unnest($1::text[]) id order by id collate "C" on conflict (doc_id) do nothing`,
      [ids],
    );
  const stored = await documentsOf(send, names, [...ids, ...unchanged], true);
  const hashes = await hashesOf(send, names, ids);
  const { written, changes, stale } = planBatch(batch, stored, hashes);
  for (let i = 0; i < changes.length; i += kRowsAtOnce) await writeRows(send, names, vectorType, run, changes.slice(i, i + kRowsAtOnce));
  const rowsDeleted = await writeDocuments(send, names, batch, written);
  if (stale.length > 0) await send(`delete from ${names.documents} where doc_id = any($1::text[]) and run = ${kNoRun}`, [stale]);
  if (unchanged.length > 0)
    await send(
      `update ${names.documents} set run = $1, position = $2 where doc_id = any($3::text[]) and (run < $1 or (run = $1 and position > $2))`,
      [run, position, unchanged],
    );
  if (doneUnit !== undefined && stale.length === 0)
    await send(`insert into ${names.units} (run, unit) values ($1, $2) on conflict do nothing`, [run, doneUnit]);
  return { rowsWritten: changes.length, rowsDeleted, stale };
}

async function writeRows(send: SendQuery, { rows }: Names, vectorType: number, run: number, changes: readonly Change[]): Promise<void> {
  const column = (read: (change: Change) => unknown): unknown[] => changes.map(read);
  await send(
    `insert into ${rows} (id, doc_id, chunk_no, content_hash, run, text, char_start, char_end, metadata, embedding)
     select doc_id || '#' || chunk_no, doc_id, chunk_no, content_hash, $1, text, char_start, char_end, metadata, embedding
     from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[], $8::jsonb[], $9::vector[])
       as new (doc_id, chunk_no, content_hash, text, char_start, char_end, metadata, embedding)
     on conflict (id) do update set content_hash = excluded.content_hash, run = excluded.run, text = excluded.text,
       char_start = excluded.char_start, char_end = excluded.char_end, metadata = excluded.metadata, embedding = excluded.embedding`,
    [
      run,
      column(({ docId }) => docId),
      column(({ chunkNo }) => chunkNo),
      column(({ chunk }) => chunk.contentHash),
      column(({ chunk }) => storable(chunk.text)),
      column(({ chunk }) => chunk.start),
      column(({ chunk }) => chunk.end),
      column(({ chunk }) => storableJson(chunk.metadata)),
      vectorArray(changes.map(({ chunk }) => chunk.embedding!), vectorType), // prettier-ignore
    ],
  );
}

/** Deletes rows beyond documents' ends, and writes what is known of the documents. Returns how many rows were deleted. */
async function writeDocuments(
  send: SendQuery,
  { rows, documents }: Names,
  { run, position }: Batch,
  written: readonly DocumentWrite[],
): Promise<number> {
  if (written.length === 0) return 0;
  const ids = written.map(({ docId }) => docId);
  const { changes } = await send(
    `delete from ${rows} r using unnest($1::text[], $2::int[]) as d (doc_id, length) where r.doc_id = d.doc_id and r.chunk_no >= d.length`,
    [ids, written.map(({ chunks }) => chunks.length)],
  );
  await send(
    `update ${documents} d set content_hash = new.content_hash, run = $3, position = $4
     from unnest($1::text[], $2::text[]) as new (doc_id, content_hash) where d.doc_id = new.doc_id`,
    [ids, written.map(({ contentHash }) => contentHash), run, position],
  );
  return changes;
}
