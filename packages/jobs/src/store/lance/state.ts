import type { JsonObject } from 'bertha-encoder';
import { readFilter } from '../filter.js';
import { isUnseen } from '../plan.js';
import { beginRunOf, type MetaTable } from '../runs.js';
import { openDatabase, type SqliteDatabase, type SqliteRecord, type SqliteValue } from '../sqlite/driver.js';
import { documentOf } from '../sqlite/columns.js';
import { whereOf } from '../sqlite/queries.js';
import { Statements } from '../sqlite/statements.js';
import { Transactions } from '../sqlite/transactions.js';
import { readModel, requireSameModel, writeModel } from '../stored-model.js';
import type { Batch, DocumentWrite, Filter, StoredDocument, StoredModel } from '../store.js';

const schema = `
  create table if not exists meta (key text primary key, value text not null) without rowid;
  create table if not exists units (run integer not null, unit text not null, primary key (run, unit)) without rowid;
  create table if not exists documents (doc_id text primary key, content_hash text not null, run integer not null,
    position integer not null, metadata text not null) without rowid;`;

/** What a store in LanceDB knows beside its rows, in a file of SQLite: values by name, units that are done, documents. */
export class LanceState {
  readonly #database: SqliteDatabase;
  readonly #transactions: Transactions;
  readonly #statements: Statements;

  private constructor(database: SqliteDatabase, path: string, lockTimeoutMs: number) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#transactions = new Transactions(database, path, lockTimeoutMs);
  }

  /** Errors: STORE, IO, LOCKED. */
  static async open(path: string, lockTimeoutMs: number): Promise<LanceState> {
    return new LanceState(await openDatabase(path), path, lockTimeoutMs);
  }

  /** Makes the tables, and keeps the first model. Errors: STORE_MISMATCH for another one. */
  async prepare(model: StoredModel, url: string): Promise<StoredModel> {
    await this.#transactions.retry(() => this.#database.exec('pragma journal_mode = wal; pragma synchronous = full'));
    return this.#transactions.write(() => {
      this.#database.exec(schema);
      const stored = readModel(this.#meta.read('model'));
      if (stored === undefined) this.#meta.write('model', writeModel(model));
      else requireSameModel(stored, model, url);
      return stored ?? model;
    });
  }

  /** The model; undefined where the tables were not made yet. */
  model(): Promise<StoredModel | undefined> {
    return this.#transactions.retry(() => {
      const { count } = this.#statements.of(`select count(*) as count from sqlite_schema where name = 'meta'`).get()!;
      return count === 0 ? undefined : readModel(this.#meta.read('model'));
    });
  }

  beginRun(parameters: string): Promise<number> {
    return this.#transactions.write(() => beginRunOf(this.#meta, parameters));
  }

  read(key: string): Promise<string | undefined> {
    return this.#transactions.retry(() => this.#meta.read(key));
  }

  write(key: string, value: string): Promise<void> {
    return this.#transactions.write(() => this.#meta.write(key, value));
  }

  doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    const find = this.#statements.of('select 1 from units where run = ? and unit = ?');
    return this.#transactions.retry(() => new Set(units.filter((unit) => find.get(run, unit) !== undefined)));
  }

  documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>> {
    const find = this.#statements.of('select content_hash, run, position from documents where doc_id = ?');
    return this.#transactions.retry(() => {
      const found = docIds.map((docId): [string, SqliteRecord | undefined] => [docId, find.get(docId)]);
      return new Map(found.filter(([, record]) => record !== undefined).map(([docId, record]) => [docId, documentOf(record!)]));
    });
  }

  /** Takes the hashes from documents whose rows are about to be written: until `settle` nobody takes them for whole. */
  open({ run, position }: Batch, documents: readonly DocumentWrite[]): Promise<void> {
    return this.#transactions.write(() => {
      for (const { docId } of documents) this.#put(docId, '', run, position, {});
    });
  }

  /** Notes what was written, what was seen, and the unit that is done. */
  settle(batch: Batch, written: readonly DocumentWrite[], stored: ReadonlyMap<string, StoredDocument>, isDone: boolean): Promise<void> {
    const { run, position } = batch;
    const see = this.#statements.of('update documents set run = ?, position = ? where doc_id = ?');
    return this.#transactions.write(() => {
      for (const { docId, contentHash, chunks } of written) this.#put(docId, contentHash, run, position, chunks[0]?.metadata ?? {});
      for (const docId of batch.unchanged) if (isUnseen(stored.get(docId), batch)) see.run(run, position, docId);
      if (isDone) this.#statements.of('insert or ignore into units (run, unit) values (?, ?)').run(run, batch.doneUnit!);
    });
  }

  /** Ids of documents beyond one, in the order of code points. */
  idsBeyond(last: string, limit: number): Promise<string[]> {
    return this.#ids('select doc_id from documents where doc_id > ? order by doc_id limit ?', last, limit);
  }

  /** Ids of documents that no run from `run` on has seen. */
  idsBefore(run: number): Promise<string[]> {
    return this.#ids('select doc_id from documents where run < ? order by doc_id', run);
  }

  /** Ids of documents whose metadata fit a filter; undefined for a filter that asks for nothing. Errors: INVALID_OPTION. */
  async idsThatFit(filter: Filter | undefined): Promise<string[] | undefined> {
    const { sql, values } = whereOf(readFilter(filter));
    return sql === '' ? undefined : this.#ids(`select doc_id from documents r where ${sql}`, ...values);
  }

  removeDocuments(docIds: readonly string[]): Promise<void> {
    const remove = this.#statements.of('delete from documents where doc_id = ?');
    return this.#transactions.write(() => docIds.forEach((docId) => remove.run(docId)));
  }

  finish(run: number): Promise<void> {
    return this.#transactions.write(() => {
      this.#statements.of('delete from units where run <= ?').run(run);
      this.#meta.write('finished', String(run));
    });
  }

  async count(): Promise<number> {
    return this.#transactions.retry(() => this.#statements.of('select count(*) as count from documents').get()!['count'] as number);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  readonly #meta: MetaTable = {
    read: (key) => this.#statements.of('select value from meta where key = ?').get(key)?.['value'] as string | undefined,
    write: (key, value) => void this.#statements.of('insert or replace into meta (key, value) values (?, ?)').run(key, value),
  };

  #put(docId: string, contentHash: string, run: number, position: number, metadata: JsonObject): void {
    const sql = 'insert or replace into documents (doc_id, content_hash, run, position, metadata) values (?, ?, ?, ?, ?)';
    this.#statements.of(sql).run(docId, contentHash, run, position, JSON.stringify(metadata));
  }

  #ids(sql: string, ...values: readonly SqliteValue[]): Promise<string[]> {
    return this.#transactions.retry(() =>
      this.#statements
        .of(sql)
        .all(...values)
        .map(({ doc_id: id }) => id as string),
    );
  }
}
