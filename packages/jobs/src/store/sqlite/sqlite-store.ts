import { storeMismatch } from '../../shared/failures.js';
import { readModel, requireSameModel, writeModel } from '../stored-model.js';
import { beginRunOf, isLater, type MetaTable } from '../runs.js';
import type { Batch, DocumentWrite, Row, Store, StoredDocument, StoredModel, StoreQuery, StoreSize, WriteResult } from '../store.js';
import { documentOf, rowOf, vectorBytes } from './columns.js';
import { openDatabase, type SqliteDatabase, type SqliteValue } from './driver.js';
import { namesOf, rowColumns, schemaOf, type Names } from './schema.js';
import { matchQuery, nearestQuery } from './queries.js';
import { Statements } from './statements.js';
import { Transactions } from './transactions.js';

/** How a file of SQLite is opened. */
export interface SqliteOptions {
  readonly path: string;
  readonly table: string;
  /** How long another program's lock is waited for. */
  readonly lockTimeoutMs: number;
  /** Done at the end of each complete run. */
  readonly afterRun?: ((store: Store, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** Rows that `rows` reads in one go. */
const kPageRows = 512;

/** Opens a store in a file of SQLite, which is made where there is none. Errors: STORE, IO, LOCKED, STORE_MISMATCH. */
export async function openSqliteStore({ path, table, lockTimeoutMs, afterRun }: SqliteOptions): Promise<Store> {
  const database = await openDatabase(path);
  const transactions = new Transactions(database, path, lockTimeoutMs);
  try {
    const store = new SqliteStore(database, transactions, { path, table, afterRun });
    await store.open();
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly url: string;
  readonly #database: SqliteDatabase;
  readonly #transactions: Transactions;
  readonly #table: string;
  readonly #names: Names;
  readonly #statements: Statements;
  readonly #afterRun: SqliteOptions['afterRun'];
  #model: StoredModel | undefined;

  constructor(database: SqliteDatabase, transactions: Transactions, { path, table, afterRun }: Omit<SqliteOptions, 'lockTimeoutMs'>) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#transactions = transactions;
    this.url = path;
    this.#table = table;
    this.#names = namesOf(table);
    this.#afterRun = afterRun;
  }

  /** For tests. @internal */
  get connection(): SqliteDatabase {
    return this.#database;
  }

  get model(): StoredModel | undefined {
    return this.#model;
  }

  async open(): Promise<void> {
    await this.#transactions.retry(() => {
      const columns = this.#database.prepare(`pragma table_info(${this.#names.rows})`).all();
      if (columns.length === 0) return;
      const present = new Set(columns.map(({ name }) => name));
      const missing = rowColumns.filter((name) => !present.has(name));
      const hint = 'Choose another table (option table, flag --table) or another file.';
      if (missing.length > 0)
        throw storeMismatch(`a table of Bertha's in ${this.url}`, `${this.#table} without ${missing.join(', ')}`, hint);
      this.#model = readModel(this.#meta.read('model'));
    });
  }

  async prepare(model: StoredModel): Promise<void> {
    // In a write-ahead log readers go on while a writer writes. Its checkpoint at commit survives a killed process; FULL also a power cut.
    await this.#transactions.retry(() => this.#database.exec('pragma journal_mode = wal; pragma synchronous = full'));
    this.#model = await this.#transactions.write(() => {
      this.#database.exec(schemaOf(this.#names));
      const stored = readModel(this.#meta.read('model'));
      if (stored === undefined) this.#meta.write('model', writeModel(model));
      else requireSameModel(stored, model, this.url);
      return stored ?? model;
    });
  }

  beginRun(parameters: string): Promise<number> {
    return this.#transactions.write(() => beginRunOf(this.#meta, parameters));
  }

  async doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    const find = this.#statements.of(`select 1 from ${this.#names.units} where run = ? and unit = ?`);
    return this.#transactions.retry(() => new Set(units.filter((unit) => find.get(run, unit) !== undefined)));
  }

  async documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>> {
    const find = this.#statements.of(`select content_hash, run, position from ${this.#names.documents} where doc_id = ?`);
    return this.#transactions.retry(() => {
      const found = new Map<string, StoredDocument>();
      for (const docId of docIds) {
        const record = find.get(docId);
        if (record !== undefined) found.set(docId, documentOf(record));
      }
      return found;
    });
  }

  async rowHashes(docIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#transactions.retry(() => new Map(docIds.map((docId) => [docId, this.#hashesOf(docId)])));
  }

  write(batch: Batch, signal?: AbortSignal): Promise<WriteResult> {
    return this.#transactions.write(() => {
      const counts = { rowsWritten: 0, rowsDeleted: 0 };
      const stale: string[] = [];
      for (const document of batch.documents) if (!this.#writeDocument(document, batch, counts)) stale.push(document.docId);
      const see = this.#statements.of(
        `update ${this.#names.documents} set run = ?1, position = ?2 where doc_id = ?3 and (run < ?1 or (run = ?1 and position > ?2))`,
      );
      for (const docId of batch.unchanged) see.run(batch.run, batch.position, docId);
      if (batch.doneUnit !== undefined && stale.length === 0)
        this.#statements.of(`insert or ignore into ${this.#names.units} (run, unit) values (?, ?)`).run(batch.run, batch.doneUnit);
      return { ...counts, stale };
    }, signal);
  }

  async finishRun(
    run: number,
    { prune = false, signal }: { prune?: boolean; signal?: AbortSignal } = {},
  ): Promise<{ documentsPruned: number }> {
    const { rows, vectors, documents, units } = this.#names;
    const finished = await this.#transactions.write(() => {
      let documentsPruned = 0;
      if (prune) {
        const unseen = `select doc_id from ${documents} where run < ?`;
        this.#statements.of(`delete from ${vectors} where row in (select row from ${rows} where doc_id in (${unseen}))`).run(run);
        this.#statements.of(`delete from ${rows} where doc_id in (${unseen})`).run(run);
        documentsPruned = Number(this.#statements.of(`delete from ${documents} where run < ?`).run(run).changes);
      }
      this.#statements.of(`delete from ${units} where run <= ?`).run(run);
      this.#meta.write('finished', String(run));
      return { documentsPruned };
    }, signal);
    // Moves the log into the file. Where another program reads, a part of it stays, for the next time.
    await this.#transactions.retry(() => this.#database.exec('pragma wal_checkpoint(truncate)'));
    await this.#afterRun?.(this, signal);
    return finished;
  }

  readState(key: string): Promise<string | undefined> {
    return this.#transactions.retry(() => this.#meta.read(`state ${key}`));
  }

  writeState(key: string, value: string): Promise<void> {
    return this.#transactions.write(() => this.#meta.write(`state ${key}`, value));
  }

  async *rows(): AsyncGenerator<Row> {
    const { rows, vectors } = this.#names;
    const page = this.#statements.of(
      `select r.*, v.embedding from ${rows} r join ${vectors} v using (row)
       where (doc_id, chunk_no) > (?, ?) order by doc_id, chunk_no limit ${kPageRows}`,
    );
    for (let last: readonly [string, number] = ['', -1]; ;) {
      const records = await this.#transactions.retry(() => page.all(...last));
      for (const record of records) yield rowOf(record);
      if (records.length < kPageRows) return;
      const { doc_id: docId, chunk_no: chunkNo } = records.at(-1)!;
      last = [docId as string, chunkNo as number];
    }
  }

  async size(): Promise<StoreSize> {
    if (this.#model === undefined) return { documents: 0, rows: 0 };
    const count = (table: string): number => this.#statements.of(`select count(*) as count from ${table}`).get()!['count'] as number;
    return this.#transactions.retry(() => ({ documents: count(this.#names.documents), rows: count(this.#names.rows) }));
  }

  async nearest(vector: Float32Array, query: StoreQuery): Promise<readonly Row[]> {
    return this.#search(nearestQuery(this.#names, vectorBytes(vector), query), query.signal);
  }

  async matching(words: string, query: StoreQuery): Promise<readonly Row[]> {
    const found = matchQuery(this.#names, words, query);
    return found === undefined ? [] : this.#search(found, query.signal);
  }

  async close(): Promise<void> {
    this.#statements.clear();
    this.#database.close();
  }

  #search({ sql, values }: { readonly sql: string; readonly values: readonly SqliteValue[] }, signal?: AbortSignal): Promise<Row[]> {
    return this.#transactions.retry(
      () =>
        this.#statements
          .of(sql)
          .all(...values)
          .map(rowOf),
      signal,
    );
  }

  readonly #meta: MetaTable = {
    read: (key) => this.#statements.of(`select value from ${this.#names.meta} where key = ?`).get(key)?.['value'] as string | undefined,
    write: (key, value) =>
      void this.#statements.of(`insert or replace into ${this.#names.meta} (key, value) values (?, ?)`).run(key, value),
  };

  #hashesOf(docId: string): string[] {
    const all = this.#statements.of(`select content_hash from ${this.#names.rows} where doc_id = ? order by chunk_no`).all(docId);
    return all.map(({ content_hash: hash }) => hash as string);
  }

  /** Whether the document stands as it should, or a later run's does; false where a chunk that was to be there has changed. */
  #writeDocument(document: DocumentWrite, { run, position }: Batch, counts: { rowsWritten: number; rowsDeleted: number }): boolean {
    const { rows, vectors, documents } = this.#names;
    const { docId, chunks, contentHash } = document;
    const stored = this.#statements.of(`select content_hash, run, position from ${documents} where doc_id = ?`).get(docId);
    if (stored !== undefined && isLater(documentOf(stored), run, position)) return true;
    const hashes = stored === undefined ? [] : this.#hashesOf(docId);
    if (chunks.some(({ embedding, contentHash: hash }, i) => embedding === undefined && hashes[i] !== hash)) return false;
    const upsert = this.#statements.of(
      `insert into ${rows} (id, doc_id, chunk_no, content_hash, run, text, char_start, char_end, metadata) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (id) do update set content_hash = excluded.content_hash, run = excluded.run, text = excluded.text,
       char_start = excluded.char_start, char_end = excluded.char_end, metadata = excluded.metadata returning row`,
    );
    const place = this.#statements.of(`insert or replace into ${vectors} (row, embedding) values (?, ?)`);
    for (const [i, chunk] of chunks.entries()) {
      if (hashes[i] === chunk.contentHash) continue;
      const { text, start, end } = chunk;
      const values = [`${docId}#${i}`, docId, i, chunk.contentHash, run, text, start, end, JSON.stringify(chunk.metadata)] as const;
      place.run(upsert.get(...values)!['row']!, vectorBytes(chunk.embedding!));
      counts.rowsWritten++;
    }
    if (hashes.length > chunks.length) {
      const beyond = `doc_id = ? and chunk_no >= ?`;
      this.#statements.of(`delete from ${vectors} where row in (select row from ${rows} where ${beyond})`).run(docId, chunks.length);
      counts.rowsDeleted += Number(this.#statements.of(`delete from ${rows} where ${beyond}`).run(docId, chunks.length).changes);
    }
    this.#statements
      .of(`insert or replace into ${documents} (doc_id, content_hash, run, position) values (?, ?, ?, ?)`)
      .run(docId, contentHash, run, position);
    return true;
  }
}
