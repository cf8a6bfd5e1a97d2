import { BerthaError } from 'bertha-encoder';
import { PostgresConnection, type SendQuery } from '../../postgres/connection.js';
import { storeFailure, storeMismatch } from '../../shared/failures.js';
import { nextRun } from '../runs.js';
import type { Batch, Row, Store, StoredDocument, StoredModel, StoreQuery, StoreSize, WriteResult } from '../store.js';
import { readModel, requireSameModel, writeModel } from '../stored-model.js';
import { breadthOf, exactQuery, indexQuery, matchQuery } from './queries.js';
import { canIndex, indexBytes, indexFor, namesOf, rowColumns, schemaOf, vectorIndexOf, type Names, type VectorIndex } from './schema.js';
import { rowOf, selected } from './values.js';
import { documentsOf, hashesOf, writeBatch } from './write-batch.js';

/** How a store in PostgreSQL is opened. */
export interface PostgresOptions {
  readonly url: string;
  readonly table: string;
  readonly lockTimeoutMs: number;
  readonly patienceMs: number;
  /** Over what HNSW is built; default what the store has, or the first kind that can index so many numbers. */
  readonly vectorIndex?: VectorIndex | undefined;
  /** HNSW is built by the first complete run that leaves so many rows. */
  readonly indexFromRows: number;
}

/** Rows that `rows` reads in one go. */
const kPageRows = 512;
/** pgvector that has halfvec and goes on looking where a filter has left too little (`hnsw.iterative_scan`). */
const kLeastVersion = [0, 8] as const;
/** A table makes a type of its name. */
const kTypes: ReadonlySet<string> = new Set(['vector', 'halfvec', 'sparsevec']);
const kMostBuildBytes = 2 ** 31;

/** Opens a store in PostgreSQL with pgvector. Errors: STORE, STORE_MISMATCH, INVALID_ARG. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  if (kTypes.has(options.table))
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected another name than that of a type of pgvector for option table but received ${options.table}.`,
    );
  const connection = await PostgresConnection.open(options.url, options);
  try {
    const store = new PostgresStore(connection, options);
    await store.open();
    return store;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

class PostgresStore implements Store {
  readonly #connection: PostgresConnection;
  readonly #table: string;
  readonly #names: Names;
  readonly #wantedIndex: VectorIndex | undefined;
  readonly #indexFromRows: number;
  #model: StoredModel | undefined;
  #vectorIndex: VectorIndex = 'vector';
  /** The number of the type vector in this database. */
  #vectorType = 0;

  constructor(connection: PostgresConnection, { table, vectorIndex, indexFromRows }: PostgresOptions) {
    this.#connection = connection;
    this.#table = table;
    this.#names = namesOf(table);
    this.#wantedIndex = vectorIndex;
    this.#indexFromRows = indexFromRows;
  }

  get url(): string {
    return this.#connection.shown;
  }

  get model(): StoredModel | undefined {
    return this.#model;
  }

  async open(): Promise<void> {
    await this.#connection.transaction(async (send) => {
      const { rows } = await send(
        'select attname as name from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped',
        [this.#names.rows],
      );
      if (rows.length === 0) return;
      const present = new Set(rows.map(({ name }) => name));
      const missing = rowColumns.filter((name) => !present.has(name));
      if (missing.length > 0) throw this.#otherShape(`without ${missing.join(', ')}`);
      if ((await send('select 1 where to_regclass($1) is null', [this.#names.meta])).rows.length > 0)
        throw this.#otherShape(`without ${this.#names.meta}`);
      await this.#readMeta(send);
    });
  }

  async prepare(model: StoredModel): Promise<void> {
    if (this.#wantedIndex !== undefined && !canIndex(this.#wantedIndex, model.dimensions))
      throw new BerthaError(
        'INVALID_OPTION',
        `Expected ${indexFor(model.dimensions)} for option vectorIndex of vectors of ${model.dimensions} numbers but received ${this.#wantedIndex}.`,
      );
    await this.#connection.transaction(async (send) => {
      // Two that make the extension, or a table, at the same moment would be in each other's way.
      await lock(send, 'bertha-jobs');
      await this.#requireVectors(send);
      await send(schemaOf(this.#names, model.dimensions));
      const { rows } = await send(`select value from ${this.#names.meta} where key = 'model'`);
      const stored = readModel(rows[0]?.['value'] as string | undefined);
      if (stored === undefined) {
        await this.#write(send, 'model', writeModel(model));
        await this.#write(send, 'vector index', this.#wantedIndex ?? indexFor(model.dimensions));
      } else requireSameModel(stored, model, this.url);
      await this.#readMeta(send);
      if (this.#wantedIndex !== undefined && this.#wantedIndex !== this.#vectorIndex)
        throw storeMismatch(
          `the table ${this.#table} of ${this.url} to be indexed over ${this.#wantedIndex}`,
          `an index over ${this.#vectorIndex}`,
          'Leave the option out, or choose another table.',
        );
    });
  }

  async beginRun(parameters: string): Promise<number> {
    return this.#connection.transaction(async (send) => {
      await lock(send, this.#table);
      const { isNew, run } = nextRun(await this.#read(send, 'run'), await this.#read(send, 'finished'), parameters);
      if (isNew) await this.#write(send, 'run', JSON.stringify({ number: run, parameters }));
      return run;
    });
  }

  async doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = `select unit from ${this.#names.units} where run = $1 and unit = any($2::text[])`;
    const { rows } = await this.#reading((send) => send(sql, [run, units]));
    return new Set(rows.map(({ unit }) => unit as string));
  }

  async documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>> {
    return this.#reading((send) => documentsOf(send, this.#names, docIds));
  }

  async rowHashes(docIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#reading((send) => hashesOf(send, this.#names, docIds));
  }

  async write(batch: Batch, signal?: AbortSignal): Promise<WriteResult> {
    return this.#connection.transaction((send) => writeBatch(send, this.#names, this.#vectorType, batch), { signal });
  }

  async finishRun(
    run: number,
    { prune = false, signal }: { prune?: boolean; signal?: AbortSignal } = {},
  ): Promise<{ documentsPruned: number }> {
    const { rows, documents, units } = this.#names;
    const documentsPruned = await this.#connection.transaction(
      async (send) => {
        let pruned = 0;
        if (prune) {
          await send(`delete from ${rows} r using ${documents} d where r.doc_id = d.doc_id and d.run < $1`, [run]);
          pruned = (await send(`delete from ${documents} where run < $1`, [run])).changes;
        }
        await send(`delete from ${units} where run <= $1`, [run]);
        await this.#write(send, 'finished', String(run));
        return pruned;
      },
      { signal },
    );
    await this.#connection.transaction((send) => this.#buildIndexes(send), { signal });
    return { documentsPruned };
  }

  readState(key: string): Promise<string | undefined> {
    return this.#reading((send) => this.#read(send, `state ${key}`));
  }

  writeState(key: string, value: string): Promise<void> {
    return this.#connection.transaction((send) => this.#write(send, `state ${key}`, value));
  }

  async *rows(): AsyncGenerator<Row> {
    const sql = `select ${selected} from ${this.#names.rows} r where (r.doc_id, r.chunk_no) > ($1, $2) order by r.doc_id, r.chunk_no limit ${kPageRows}`;
    for (let last: readonly [string, number] = ['', -1]; ;) {
      const page = (await this.#reading((send) => send(sql, last))).rows.map(rowOf);
      yield* page;
      if (page.length < kPageRows) return;
      const { docId, chunkNo } = page.at(-1)!;
      last = [docId, chunkNo];
    }
  }

  async size(): Promise<StoreSize> {
    if (this.#model === undefined) return { documents: 0, rows: 0 };
    const { documents, rows } = this.#names;
    const sql = `select (select count(*)::int from ${documents}) as documents, (select count(*)::int from ${rows}) as rows`;
    return (await this.#reading((send) => send(sql))).rows[0] as unknown as StoreSize;
  }

  async nearest(vector: Float32Array, query: StoreQuery): Promise<readonly Row[]> {
    const { topK, filter, signal } = query;
    const exact = exactQuery(this.#names, vector, query);
    const breadth = breadthOf(this.#vectorIndex, topK);
    return this.#reading(async (send) => {
      // Compiling a statement takes longer than these statements do.
      await send('set local jit = off');
      if (breadth !== undefined && (await this.#has(send, this.#names.vectorIndex))) {
        const iterative = filter === undefined ? 'off' : 'relaxed_order';
        await send(`set local hnsw.ef_search = ${breadth.efSearch}; set local hnsw.iterative_scan = ${iterative}`);
        const { sql, values } = indexQuery(this.#names, this.#vectorIndex, vector, query, breadth);
        const found = (await send(sql, values)).rows;
        // HNSW gives up after 20,000 rows that a filter refuses, and has no vectors of zeros.
        if (found.length >= topK) return found.map(rowOf);
      }
      return (await send(exact.sql, exact.values)).rows.map(rowOf);
    }, signal);
  }

  async matching(words: string, query: StoreQuery): Promise<readonly Row[]> {
    const found = matchQuery(this.#names, words, query);
    if (found === undefined) return [];
    return this.#reading(async (send) => (await send(found.sql, found.values)).rows.map(rowOf), query.signal);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #reading<T>(work: (send: SendQuery) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#connection.transaction(work, { isReadOnly: true, signal });
  }

  async #readMeta(send: SendQuery): Promise<void> {
    const { rows } = await send(`select key, value from ${this.#names.meta} where key in ('model', 'vector index')`);
    const meta = new Map(rows.map(({ key, value }) => [key, value as string]));
    this.#model = readModel(meta.get('model'));
    this.#vectorIndex = (meta.get('vector index') ?? 'vector') as VectorIndex;
    this.#vectorType = (await send(`select 'vector'::regtype::oid::int as type`)).rows[0]!['type'] as number;
  }

  async #read(send: SendQuery, key: string): Promise<string | undefined> {
    const { rows } = await send(`select value from ${this.#names.meta} where key = $1`, [key]);
    return rows[0]?.['value'] as string | undefined;
  }

  async #write(send: SendQuery, key: string, value: string): Promise<void> {
    const sql = `insert into ${this.#names.meta} (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value`;
    await send(sql, [key, value]);
  }

  async #has(send: SendQuery, index: string): Promise<boolean> {
    return (await send('select 1 from pg_index where indexrelid = to_regclass($1) and indisvalid', [index])).rows.length > 0;
  }

  async #requireVectors(send: SendQuery): Promise<void> {
    const encoding = (await send('show server_encoding')).rows[0]!['server_encoding'];
    if (encoding !== 'UTF8')
      throw storeMismatch(`the database ${this.url} to hold UTF-8`, `${String(encoding)}`, 'Choose another database.');
    const installed = await send(`select 1 from pg_available_extensions where name = 'vector'`);
    if (installed.rows.length === 0)
      throw storeFailure(
        `the server ${this.url} to have pgvector`,
        'the extension vector is not installed',
        'Install it there: Debian has postgresql-NN-pgvector, containers pgvector/pgvector.',
      );
    await send('create extension if not exists vector');
    const version = (await send(`select extversion from pg_extension where extname = 'vector'`)).rows[0]!['extversion'] as string;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < kLeastVersion[0] || (major === kLeastVersion[0] && minor < kLeastVersion[1]))
      throw storeFailure(
        `pgvector ${kLeastVersion.join('.')} or newer on ${this.url}`,
        `it has ${version}`,
        'Bring it up to date: alter extension vector update',
      );
  }

  /** After the load, because rows that come one by one make HNSW slower to build. */
  async #buildIndexes(send: SendQuery): Promise<void> {
    const { rows, wordIndex, vectorIndex } = this.#names;
    await lock(send, this.#table);
    if (!(await this.#has(send, wordIndex))) await send(`create index ${wordIndex} on ${rows} using gin (words)`);
    const numRows = (await send(`select count(*)::int as count from ${rows}`)).rows[0]!['count'] as number;
    const { dimensions } = this.#model!;
    if (numRows < this.#indexFromRows || !canIndex(this.#vectorIndex, dimensions) || (await this.#has(send, vectorIndex))) return;
    const kilobytes = Math.min(kMostBuildBytes, indexBytes(this.#vectorIndex, dimensions, numRows)) >> 10;
    await send(
      `select set_config('maintenance_work_mem', greatest(setting::int, $1)::text, true) from pg_settings where name = 'maintenance_work_mem'`,
      [kilobytes],
    );
    await send(vectorIndexOf(this.#names, this.#vectorIndex, dimensions));
  }

  #otherShape(got: string): BerthaError {
    const hint = 'Choose another table (option table, flag --table) or another database.';
    return storeMismatch(`a table of Bertha's in ${this.url}`, `${this.#table} ${got}`, hint);
  }
}

/** Held until the transaction ends. */
async function lock(send: SendQuery, name: string): Promise<void> {
  await send(`select pg_advisory_xact_lock(hashtext('bertha'), hashtext($1))`, [name]);
}
