import { BerthaError } from 'bertha-encoder';
import { storeMismatch } from '../../shared/failures.js';
import { isUnseen, planBatch, Turns, type BatchPlan, type Change } from '../plan.js';
import { storable } from '../records.js';
import { nextRun } from '../runs.js';
import { readModel, requireSameModel, writeModel } from '../stored-model.js';
import type { Batch, Row, Store, StoredDocument, StoredModel, StoreQuery, StoreSize, WriteResult } from '../store.js';
import { ChromaServer, type ChromaCollection, type ChromaMetadata } from './client.js';
import { documentFields, documentOf, metadataOf, placeOf, rowId, rowIds, rowsOf, type ChromaDocument } from './documents.js';
import { hasMore, whereOf } from './filter.js';
import { ChromaState, pagesOf } from './state.js';

/** How a store in Chroma is opened. */
export interface ChromaOptions {
  readonly url: string;
  /** The name of its collection. */
  readonly table: string;
  readonly patienceMs: number;
}

/** Records in one request, which the server takes or refuses whole. */
const kRowsAtOnce = 1000;
/** Rows that `rows` reads in one go. */
const kPageRows = 512;
/** HNSW as it finds 98 % of real texts' neighbours: candidates while it is built and searched, and links of a vector. */
const hnsw = { ef_construction: 200, ef_search: 200, max_neighbors: 32 } as const;
const everything = ['embeddings', 'documents', 'metadatas'] as const;

/** Opens a store in Chroma. Errors: STORE, STORE_MISMATCH, INVALID_ARG, INVALID_OPTION for a name that Chroma does not take. */
export async function openChromaStore({ url, table, patienceMs }: ChromaOptions): Promise<Store> {
  if (!/^[a-z].*[a-z0-9]$/.test(table) || table.length < 3)
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected at least 3 characters that begin with a letter and do not end with _ for option table of a store in Chroma but received ${table}.`,
    );
  const store = new ChromaStore(await ChromaServer.open(url, patienceMs), table);
  await store.open();
  return store;
}

/** What stands of documents, and the metadata of their rows by id. */
interface Before {
  readonly documents: ReadonlyMap<string, ChromaDocument>;
  readonly rows: ReadonlyMap<string, ChromaMetadata>;
}

/**
 * A store in Chroma. A request is whole, several are not: a document that takes more than one is noted without a hash while it is being written, so that what a writer leaves that broke off is
 * not taken for whole. What is known of a document is kept by its first row.
 */
class ChromaStore implements Store {
  readonly #server: ChromaServer;
  readonly #table: string;
  readonly #turns = new Turns();
  #rows: ChromaCollection | undefined;
  #state: ChromaState | undefined;
  #model: StoredModel | undefined;

  constructor(server: ChromaServer, table: string) {
    [this.#server, this.#table] = [server, table];
  }

  get url(): string {
    return this.#server.shown;
  }

  get model(): StoredModel | undefined {
    return this.#model;
  }

  async open(): Promise<void> {
    const [rows, records] = [await this.#server.find(this.#table), await this.#server.find(this.#stateName)];
    if (records === undefined) {
      if (rows === undefined) return;
      const hint = 'Choose another collection (option table, flag --table) or another database.';
      throw storeMismatch(
        `a collection of Bertha's in ${this.url}`,
        `${this.#table} without ${this.#stateName}, which another program made`,
        hint,
      );
    }
    this.#state = new ChromaState(this.#server, records);
    this.#rows = rows;
    if (rows !== undefined) this.#model = readModel(await this.#state.read('model'));
  }

  async prepare(model: StoredModel): Promise<void> {
    // With inner products vectors of length 1 stay as they are: Chroma scales those that it compares by cosine, there and back.
    const space = model.isNormalized ? 'ip' : 'cosine';
    this.#state = new ChromaState(this.#server, await this.#server.make(this.#stateName, { space: 'l2' }));
    await this.#state.write('model', writeModel(model), true);
    const stored = readModel(await this.#state.read('model'))!;
    requireSameModel(stored, model, this.url);
    this.#rows = await this.#server.make(this.#table, { ...hnsw, space });
    this.#model = stored;
  }

  async beginRun(parameters: string): Promise<number> {
    const state = this.#opened.state;
    const { isNew, run } = nextRun(await state.read('run'), await state.read('finished'), parameters);
    if (isNew) await state.write('run', JSON.stringify({ number: run, parameters }));
    return run;
  }

  doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#opened.state.doneUnits(run, units);
  }

  async documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>> {
    const { documents } = await this.#stored(docIds);
    return new Map([...documents].map(([docId, { contentHash, run, position }]) => [docId, { contentHash, run, position }]));
  }

  async rowHashes(docIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    return hashesOf(docIds, await this.#withRows(await this.#stored(docIds)));
  }

  write(batch: Batch, signal?: AbortSignal): Promise<WriteResult> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted();
      const ids = batch.documents.map(({ docId }) => docId);
      const stored = await this.#stored([...ids, ...batch.unchanged]);
      const before = await this.#withRows(stored, new Set(ids));
      const plan = planBatch(batch, before.documents, hashesOf(ids, before));
      const rowsDeleted = await this.#writeDocuments(batch, plan, before, signal);
      await this.#see(batch, before);
      if (batch.doneUnit !== undefined && plan.stale.length === 0) await this.#opened.state.addUnit(batch.run, batch.doneUnit);
      return { rowsWritten: plan.changes.length, rowsDeleted, stale: plan.stale };
    });
  }

  async finishRun(
    run: number,
    { prune = false, signal }: { prune?: boolean; signal?: AbortSignal } = {},
  ): Promise<{ documentsPruned: number }> {
    const { state, rows } = this.#opened;
    let documentsPruned = 0;
    if (prune) {
      const unseen = new Map([...(await state.allDocuments())].filter(([, stored]) => stored.run < run));
      for await (const page of pagesOf(this.#server, rows, { $and: [{ chunk_no: 0 }, { doc_run: { $lt: run } }] }, true)) {
        signal?.throwIfAborted();
        for (const { metadata } of page) {
          const docId = metadata['doc_id'] as string;
          if (!unseen.has(docId)) unseen.set(docId, documentOf(metadata));
        }
      }
      // The first row goes last: as long as it is there, the others are found.
      await this.#remove([...unseen].flatMap(([docId, stored]) => rowIds(docId, 0, stored.rows).reverse()), signal); // prettier-ignore
      await state.removeDocuments([...unseen.keys()]);
      documentsPruned = unseen.size;
    }
    await state.removeUnits(run);
    await state.write('finished', String(run));
    return { documentsPruned };
  }

  readState(key: string): Promise<string | undefined> {
    return this.#opened.state.read(`state ${key}`);
  }

  writeState(key: string, value: string): Promise<void> {
    return this.#opened.state.write(`state ${key}`, value);
  }

  async *rows(): AsyncGenerator<Row> {
    const { rows } = this.#opened;
    const places: { readonly id: string; readonly bytes: Buffer; readonly chunkNo: number }[] = [];
    for await (const page of pagesOf(this.#server, rows)) {
      for (const { id } of page) {
        const { docId, chunkNo } = placeOf(id);
        places.push({ id, bytes: Buffer.from(docId), chunkNo });
      }
    }
    // By code points, which is the order of UTF-8.
    places.sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.chunkNo - b.chunkNo);
    for (let i = 0; i < places.length; i += kPageRows) {
      const ids = places.slice(i, i + kPageRows).map(({ id }) => id);
      const found = rowsOf(await this.#server.call(() => rows.get({ ids, include: everything })));
      const byId = new Map(found.map((row) => [row.id, row]));
      for (const id of ids) if (byId.has(id)) yield byId.get(id)!;
    }
  }

  async size(): Promise<StoreSize> {
    if (this.#model === undefined) return { documents: 0, rows: 0 };
    const { rows, state } = this.#opened;
    const others = await state.allDocuments();
    let documents = others.size;
    for await (const page of pagesOf(this.#server, rows, { chunk_no: 0 }))
      documents += page.filter(({ id }) => !others.has(placeOf(id).docId)).length;
    return { documents, rows: await this.#server.call(() => rows.count()) };
  }

  async nearest(vector: Float32Array, { topK, filter, signal }: StoreQuery): Promise<readonly Row[]> {
    const { rows } = this.#opened;
    const where = whereOf(filter);
    const conditions = where === undefined ? {} : { where };
    // Beyond topK, so that of equal ones none is left to chance.
    const question = { queryEmbeddings: [Array.from(vector)], nResults: 2 * topK + 10, ...conditions, include: everything };
    const { ids, embeddings, documents, metadatas } = await this.#server.call(() => rows.query(question), signal);
    const found = rowsOf({ ids: ids[0]!, embeddings: embeddings[0]!, documents: documents[0]!, metadatas: metadatas[0]! });
    if (where === undefined || found.length >= topK) return found;
    // HNSW may not come upon what a filter leaves.
    return rowsOf(await this.#server.call(() => rows.get({ where, include: everything }), signal));
  }

  async matching(): Promise<readonly Row[]> {
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected mode vector for the store ${this.url} but received one that looks for words: Chroma has no full-text search that ranks. ` +
        'Stores in SQLite, LanceDB and PostgreSQL have one.',
    );
  }

  async close(): Promise<void> {}

  get #stateName(): string {
    return `${this.#table}_bertha`;
  }

  get #opened(): { readonly rows: ChromaCollection; readonly state: ChromaState } {
    if (this.#rows === undefined || this.#state === undefined) throw new BerthaError('STORE', `Expected prepare() of ${this.url} before it is used.`); // prettier-ignore
    return { rows: this.#rows, state: this.#state };
  }

  /** What stands of documents, and their first rows. */
  async #stored(docIds: readonly string[]): Promise<Before> {
    const documents = new Map<string, ChromaDocument>();
    const found = await this.#metadatas(docIds.map((docId) => rowId(docId, 0)));
    for (const [id, metadata] of found) documents.set(placeOf(id).docId, documentOf(metadata));
    for (const [docId, stored] of await this.#opened.state.documents(docIds)) documents.set(docId, stored);
    return { documents, rows: found };
  }

  /** The same with the metadata of all rows of the documents, or of those wanted. */
  async #withRows({ documents, rows }: Before, wanted?: ReadonlySet<string>): Promise<Before> {
    const others = [...documents].filter(([docId]) => wanted?.has(docId) ?? true).flatMap(([docId, stored]) => rowIds(docId, 1, stored.rows)); // prettier-ignore
    return { documents, rows: new Map([...rows, ...(await this.#metadatas(others))]) };
  }

  async #metadatas(ids: readonly string[]): Promise<Map<string, ChromaMetadata>> {
    const found = new Map<string, ChromaMetadata>();
    for (const some of parts(ids)) {
      const answer = await this.#server.call(() => this.#opened.rows.get({ ids: some, include: ['metadatas'] }));
      for (const [k, id] of answer.ids.entries()) found.set(id, answer.metadatas[k]!);
    }
    return found;
  }

  /** Writes documents. Returns how many rows were deleted. */
  async #writeDocuments(batch: Batch, { written, changes }: BatchPlan, before: Before, signal?: AbortSignal): Promise<number> {
    const { run, position } = batch;
    const { state } = this.#opened;
    const rowsBefore = (docId: string): number => before.documents.get(docId)?.rows ?? 0;
    const settled = new Map(
      written.map(({ docId, contentHash, chunks }) => [
        docId,
        { contentHash, run, position, rows: chunks.length } satisfies ChromaDocument,
      ]),
    );
    const changed = new Set(changes.map(({ docId }) => docId));
    const beyond = written.flatMap(({ docId, chunks }) => rowIds(docId, chunks.length, rowsBefore(docId)));
    const open = [...settled].filter(([docId, { rows }]) => {
      const isOther = changed.has(docId) || rows < rowsBefore(docId);
      return (isOther && before.documents.has(docId)) || changes.length > kRowsAtOnce;
    });
    await this.#putDocuments(open.map(([docId, stored]) => [docId, { ...stored, contentHash: '', rows: Math.max(stored.rows, rowsBefore(docId)) }])); // prettier-ignore
    const rows = changes.map((each) => {
      const metadata = metadataOf(each, run, each.chunkNo === 0 ? settled.get(each.docId) : undefined);
      return { ...each, id: rowId(each.docId, each.chunkNo), metadata };
    });
    const renewed = rows.filter(({ id, metadata }) => hasMore(before.rows.get(id), metadata)).map(({ id }) => id);
    await this.#remove([...beyond, ...renewed], signal);
    await this.#upsert(rows, signal);
    const rewritten = new Set(rows.filter(({ chunkNo }) => chunkNo === 0).map(({ docId }) => docId));
    await this.#updateFirst([...settled].filter(([docId, { rows: count }]) => count > 0 && !rewritten.has(docId)));
    await this.#putDocuments([...settled].filter(([, { rows: count }]) => count === 0));
    const noted = new Set([
      ...open.map(([docId]) => docId),
      ...[...before.documents.keys()].filter((docId) => !before.rows.has(rowId(docId, 0))),
    ]);
    await state.removeDocuments([...noted].filter((docId) => (settled.get(docId)?.rows ?? 0) > 0));
    return beyond.filter((id) => before.rows.has(id)).length;
  }

  /** Marks documents that are stored as they are as seen. */
  async #see(batch: Batch, { documents }: Before): Promise<void> {
    const { run, position } = batch;
    const seen = batch.unchanged.filter((docId) => isUnseen(documents.get(docId), batch));
    const now = seen.map((docId): readonly [string, ChromaDocument] => [docId, { ...documents.get(docId)!, run, position }]);
    await this.#updateFirst(now.filter(([, { rows }]) => rows > 0));
    await this.#putDocuments(now.filter(([, { rows }]) => rows === 0));
  }

  /** Writes what first rows know of their documents. */
  async #updateFirst(documents: readonly (readonly [string, ChromaDocument])[]): Promise<void> {
    for (const some of parts(documents)) {
      const records = { ids: some.map(([docId]) => rowId(docId, 0)), metadatas: some.map(([, document]) => documentFields(document)) };
      await this.#server.call(() => this.#opened.rows.update(records));
    }
  }

  async #putDocuments(documents: readonly (readonly [string, ChromaDocument])[]): Promise<void> {
    for (const some of parts(documents)) await this.#opened.state.putDocuments(some);
  }

  async #upsert(
    rows: readonly (Change & { readonly id: string; readonly metadata: ChromaMetadata })[],
    signal?: AbortSignal,
  ): Promise<void> {
    for (const some of parts(rows)) {
      signal?.throwIfAborted();
      const records = {
        ids: some.map(({ id }) => id),
        embeddings: some.map(({ chunk }) => Array.from(chunk.embedding!)),
        documents: some.map(({ chunk }) => storable(chunk.text)),
        metadatas: some.map(({ metadata }) => metadata),
      };
      await this.#server.call(() => this.#opened.rows.upsert(records));
    }
  }

  async #remove(ids: readonly string[], signal?: AbortSignal): Promise<void> {
    for (const some of parts(ids)) {
      signal?.throwIfAborted();
      await this.#server.call(() => this.#opened.rows.delete({ ids: some }));
    }
  }
}

/** As many at once as go in one request. */
function* parts<T>(all: readonly T[]): Generator<T[]> {
  for (let i = 0; i < all.length; i += kRowsAtOnce) yield all.slice(i, i + kRowsAtOnce);
}

/** The hashes of documents' rows, in order; `''` for a row that a writer which broke off has left out. */
function hashesOf(docIds: readonly string[], { documents, rows }: Before): Map<string, readonly string[]> {
  return new Map(
    docIds.map((docId) => {
      const ids = rowIds(docId, 0, documents.get(docId)?.rows ?? 0);
      return [docId, ids.map((id) => (rows.get(id)?.['content_hash'] ?? '') as string)];
    }),
  );
}
