import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthaError, type JsonObject } from 'bertha-encoder';
import { errorMessage, storeFailure, storeMismatch } from '../../shared/failures.js';
import { planBatch, Turns, type Change } from '../plan.js';
import { rowOfRecord, storable } from '../records.js';
import { openDatabase, type SqliteDatabase } from '../sqlite/driver.js';
import { Transactions } from '../sqlite/transactions.js';
import type { Batch, Row, Store, StoredDocument, StoredModel, StoreQuery, StoreSize, WriteResult } from '../store.js';
import { wordsOf } from '../words.js';
import { loadLance, rowColumns, schemaOf, type LanceConnection, type LancePackages, type LanceRecord, type LanceTable } from './package.js';
import { LanceState } from './state.js';

/** How a store in LanceDB is opened. */
export interface LanceOptions {
  /** A folder, `notes.lancedb`. */
  readonly path: string;
  readonly table: string;
  /** How long another writer is waited for. */
  readonly lockTimeoutMs: number;
}

/** Whether an address is a folder of LanceDB. */
export const lancePattern = /^(?!\w+:\/\/).*\.lancedb\/?$/i;

/** Documents whose rows are read, or removed, in one go. */
const kDocumentsAtOnce = 256;
/** What LanceDB's float32 sums may be off by: everything within it of the last place is a candidate, so that the exact ranking misses none. */
const kSlack = 1e-5;
/** Candidates beyond `topK`: so many equal texts, and the last places are left to chance. */
const kMostTies = 1000;

/** Opens a store in LanceDB. Errors: STORE, IO, LOCKED, STORE_MISMATCH. */
export async function openLanceStore({ path, table, lockTimeoutMs }: LanceOptions): Promise<Store> {
  const packages = await loadLance();
  const store = new LanceStore(packages, { path: path.replace(/\/$/, ''), table, lockTimeoutMs });
  try {
    await store.open();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * A store in LanceDB, which has one writer: two that merge rows at once leave some twice, so that a lock is held from `prepare` to `close`. Rows are in LanceDB, what is known of
 * documents, units and runs in SQLite beside it; a document has no hash there while its rows are being written.
 */
class LanceStore implements Store {
  readonly url: string;
  readonly hasOneWriter = true;
  readonly #packages: LancePackages;
  readonly #options: LanceOptions;
  readonly #turns = new Turns();
  #connection: LanceConnection | undefined;
  #table: LanceTable | undefined;
  #state: LanceState | undefined;
  #lock: SqliteDatabase | undefined;
  #model: StoredModel | undefined;
  #hasIndexes = false;

  constructor(packages: LancePackages, options: LanceOptions) {
    [this.#packages, this.#options, this.url] = [packages, options, options.path];
  }

  get model(): StoredModel | undefined {
    return this.#model;
  }

  async open(): Promise<void> {
    const { path, table, lockTimeoutMs } = this.#options;
    if (!existsSync(path)) return;
    const connection = await this.#connect();
    const hasTable = (await this.#do(() => connection.tableNames())).includes(table);
    if (!existsSync(this.#statePath)) {
      if (hasTable) throw this.#otherShape('which another program made');
      return;
    }
    this.#state = await LanceState.open(this.#statePath, lockTimeoutMs);
    if (!hasTable) return;
    this.#table = await this.#do(() => connection.openTable(table));
    const present = new Set((await this.#table.schema()).fields.map(({ name }) => name));
    const missing = rowColumns.filter((name) => !present.has(name));
    if (missing.length > 0) throw this.#otherShape(`without ${missing.join(', ')}`);
    this.#model = await this.#state.model();
  }

  async prepare(model: StoredModel): Promise<void> {
    const { path, table, lockTimeoutMs } = this.#options;
    await mkdir(path, { recursive: true }).catch((cause: unknown) => {
      throw new BerthaError('IO', `Expected to make ${path} but received ${errorMessage(cause)}.`, { cause });
    });
    await this.#lockOut();
    this.#state ??= await LanceState.open(this.#statePath, lockTimeoutMs);
    const stored = await this.#state.prepare(model, this.url);
    const connection = await this.#connect();
    const names = await this.#do(() => connection.tableNames());
    this.#table ??= await this.#do(() =>
      names.includes(table) ? connection.openTable(table) : connection.createEmptyTable(table, schemaOf(this.#packages, model.dimensions)),
    );
    this.#model = stored;
  }

  beginRun(parameters: string): Promise<number> {
    return this.#opened.state.beginRun(parameters);
  }

  doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#opened.state.doneUnits(run, units);
  }

  documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>> {
    return this.#opened.state.documents(docIds);
  }

  async rowHashes(docIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map(docIds.map((docId): [string, string[]] => [docId, []]));
    const known = [...(await this.documents(docIds)).keys()];
    for (const { doc_id: docId, chunk_no: chunkNo, content_hash: hash } of await this.#recordsOf(known, [
      'doc_id',
      'chunk_no',
      'content_hash',
    ]))
      found.get(docId as string)![chunkNo as number] = hash as string;
    // A writer that broke off may have left a gap.
    return new Map([...found].map(([docId, hashes]) => [docId, Array.from(hashes, (hash) => hash ?? '')]));
  }

  write(batch: Batch, signal?: AbortSignal): Promise<WriteResult> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted();
      const { state, table } = this.#opened;
      const ids = batch.documents.map(({ docId }) => docId);
      const stored = await state.documents([...ids, ...batch.unchanged]);
      const hashes = await this.rowHashes(ids);
      const { written, changes, stale } = planBatch(batch, stored, hashes);
      const shorter = written.filter(({ docId, chunks }) => hashes.get(docId)!.length > chunks.length);
      if (changes.length > 0 || shorter.length > 0) await state.open(batch, written);
      if (changes.length > 0) {
        const records = changes.map((change) => recordOf(change, batch.run));
        await this.#do(() => table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(records));
        this.#hasIndexes ||= await this.#do(() => this.#makeIndexes());
      }
      const beyond = shorter.map(({ docId, chunks }) => `(doc_id = ${quoted(docId)} AND chunk_no >= ${chunks.length})`);
      if (beyond.length > 0) await this.#do(() => table.delete(beyond.join(' OR ')));
      await state.settle(batch, written, stored, batch.doneUnit !== undefined && stale.length === 0);
      const rowsDeleted = shorter.reduce((sum, { docId, chunks }) => sum + hashes.get(docId)!.length - chunks.length, 0);
      return { rowsWritten: changes.length, rowsDeleted, stale };
    });
  }

  finishRun(run: number, { prune = false, signal }: { prune?: boolean; signal?: AbortSignal } = {}): Promise<{ documentsPruned: number }> {
    return this.#turns.take(async () => {
      const { state, table } = this.#opened;
      const unseen = prune ? await state.idsBefore(run) : [];
      for (let i = 0; i < unseen.length; i += kDocumentsAtOnce) {
        signal?.throwIfAborted();
        const some = unseen.slice(i, i + kDocumentsAtOnce);
        await this.#do(() => table.delete(oneOf('doc_id', some)));
        await state.removeDocuments(some);
      }
      await state.finish(run);
      // Joins the files of many small writes, and takes their rows into the indexes.
      await this.#do(() => table.optimize());
      return { documentsPruned: unseen.length };
    });
  }

  readState(key: string): Promise<string | undefined> {
    return this.#opened.state.read(`state ${key}`);
  }

  async *rows(): AsyncGenerator<Row> {
    const { state } = this.#opened;
    for (let last = ''; ;) {
      const ids = await state.idsBeyond(last, kDocumentsAtOnce);
      const places = new Map(ids.map((id, i) => [id, i]));
      const rows = (await this.#recordsOf(ids, rowColumns)).map(rowOf);
      yield* rows.sort((a, b) => places.get(a.docId)! - places.get(b.docId)! || a.chunkNo - b.chunkNo);
      if (ids.length < kDocumentsAtOnce) return;
      last = ids.at(-1)!;
    }
  }

  async size(): Promise<StoreSize> {
    if (this.#model === undefined) return { documents: 0, rows: 0 };
    const { state, table } = this.#opened;
    return { documents: await state.count(), rows: await this.#do(() => table.countRows()) };
  }

  writeState(key: string, value: string): Promise<void> {
    return this.#opened.state.write(`state ${key}`, value);
  }

  async nearest(vector: Float32Array, { topK, filter, signal }: StoreQuery): Promise<readonly Row[]> {
    const where = await this.#fitting(filter);
    if (where === 'none') return [];
    signal?.throwIfAborted();
    const { table } = this.#opened;
    const near = await this.#do(() => {
      // Of vectors of length 1 it is the cosine, and it is there for those of zeros too.
      const distance = this.#model!.isNormalized ? 'dot' : 'cosine';
      const all = table
        .vectorSearch(Array.from(vector))
        .column('embedding')
        .distanceType(distance)
        .limit(topK + kMostTies);
      return (where === undefined ? all : all.where(where)).select(['id', '_distance']).toArray();
    });
    const last = (near[topK - 1]?.['_distance'] ?? Infinity) as number;
    const ids = near.filter(({ _distance: distance }) => (distance as number) <= last + kSlack).map(({ id }) => id as string);
    return (await this.#select(oneOf('id', ids), rowColumns)).map(rowOf);
  }

  async matching(words: string, { topK, filter, signal }: StoreQuery): Promise<readonly Row[]> {
    const where = await this.#fitting(filter);
    const wanted = wordsOf(storable(words));
    if (where === 'none' || wanted.length === 0) return [];
    signal?.throwIfAborted();
    if (!(await this.#do(() => this.#indexed())).has('text')) return [];
    const { MatchQuery } = this.#packages.lance;
    const found = await this.#do(() => {
      const all = this.#opened.table
        .query()
        .fullTextSearch(new MatchQuery(wanted.join(' '), 'text'))
        .limit(topK);
      return (where === undefined ? all : all.where(where)).select([...rowColumns, '_score']).toArray();
    });
    const ranked = found.map((record) => ({ row: rowOf(record), score: record['_score'] as number }));
    return ranked.sort((a, b) => b.score - a.score || (a.row.id < b.row.id ? -1 : 1)).map(({ row }) => row);
  }

  async close(): Promise<void> {
    this.#table?.close();
    this.#connection?.close();
    this.#state?.close();
    this.#lock?.close();
  }

  get #statePath(): string {
    return join(this.#options.path, `${this.#options.table}.state.db`);
  }

  get #opened(): { readonly state: LanceState; readonly table: LanceTable } {
    if (this.#state === undefined || this.#table === undefined) throw new BerthaError('STORE', `Expected prepare() of ${this.url} before it is used.`); // prettier-ignore
    return { state: this.#state, table: this.#table };
  }

  async #connect(): Promise<LanceConnection> {
    // Of what another program writes, each search sees the newest.
    this.#connection ??= await this.#do(() => this.#packages.lance.connect(this.#options.path, { readConsistencyInterval: 0 }));
    return this.#connection;
  }

  /** Holds a lock of the operating system, which ends with this process at the latest. Errors: LOCKED. */
  async #lockOut(): Promise<void> {
    if (this.#lock !== undefined) return;
    const path = join(this.#options.path, `${this.#options.table}.lock.db`);
    const lock = await openDatabase(path);
    try {
      await new Transactions(lock, path, this.#options.lockTimeoutMs).retry(() => lock.exec('begin exclusive'));
    } catch (error) {
      lock.close();
      throw error;
    }
    this.#lock = lock;
  }

  /** Of a table that has rows: what comes into one whose index began empty is not found by its words until it is optimized. */
  async #makeIndexes(): Promise<true> {
    const { Index } = this.#packages.lance;
    const { table } = this.#opened;
    const indexed = await this.#indexed();
    for (const column of ['id', 'doc_id']) if (!indexed.has(column)) await table.createIndex(column, { config: Index.btree() });
    const words = {
      baseTokenizer: 'simple',
      lowercase: true,
      asciiFolding: true,
      stem: false,
      removeStopWords: false,
      withPosition: false,
    };
    if (!indexed.has('text')) await table.createIndex('text', { config: Index.fts(words) });
    return true;
  }

  async #indexed(): Promise<ReadonlySet<string>> {
    return new Set((await this.#opened.table.listIndices()).flatMap(({ columns }) => columns));
  }

  /** What a filter asks of the rows; undefined for nothing, 'none' where no document fits. Errors: INVALID_OPTION. */
  async #fitting(filter: StoreQuery['filter']): Promise<string | undefined> {
    const ids = await this.#opened.state.idsThatFit(filter);
    if (ids === undefined) return undefined;
    return ids.length === 0 ? 'none' : oneOf('doc_id', ids);
  }

  async #recordsOf(docIds: readonly string[], columns: readonly string[]): Promise<LanceRecord[]> {
    return docIds.length === 0 ? [] : this.#select(oneOf('doc_id', docIds), columns);
  }

  #select(where: string, columns: readonly string[]): Promise<LanceRecord[]> {
    return this.#do(() => this.#opened.table.query().where(where).select(columns).toArray());
  }

  /** Errors: IO for a full disk, STORE for all else that LanceDB refuses. */
  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof BerthaError) throw cause;
      const words = errorMessage(cause);
      if (/no space left|os error 28/i.test(words))
        throw new BerthaError('IO', `The store ${this.url} cannot grow: the disk is full (LanceDB: ${words}).`, { cause });
      throw storeFailure(`the store ${this.url} to do as it was told`, cause);
    }
  }

  #otherShape(got: string): BerthaError {
    const hint = 'Choose another table (option table, flag --table) or another folder.';
    return storeMismatch(`a table of Bertha's in ${this.url}`, `${this.#options.table} ${got}`, hint);
  }
}

function recordOf({ docId, chunkNo, chunk }: Change, run: number): LanceRecord {
  return {
    id: `${docId}#${chunkNo}`,
    doc_id: docId,
    content_hash: chunk.contentHash,
    text: storable(chunk.text),
    metadata: JSON.stringify(chunk.metadata),
    chunk_no: chunkNo,
    run,
    char_start: chunk.start,
    char_end: chunk.end,
    embedding: Array.from(chunk.embedding!),
  };
}

function rowOf(record: LanceRecord): Row {
  const vector = record['embedding'] as { toArray(): Float32Array };
  return rowOfRecord(record, JSON.parse(record['metadata'] as string) as JsonObject, Float32Array.from(vector.toArray()));
}

function oneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? 'false' : `${column} IN (${values.map(quoted).join(', ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
