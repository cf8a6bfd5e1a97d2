import type { ChromaCollection, ChromaMetadata, ChromaServer, ChromaWhere } from './client.js';
import { documentFields, documentOf, type ChromaDocument } from './documents.js';

/** Records that are read in one go. */
const kPageIds = 5000;

/** The ids, and metadata, of all records that fit. */
export async function* pagesOf(
  server: ChromaServer,
  collection: ChromaCollection,
  where?: ChromaWhere,
  isWithMetadata = false,
): AsyncGenerator<{ readonly id: string; readonly metadata: ChromaMetadata }[]> {
  const which = where === undefined ? {} : { where };
  const include = isWithMetadata ? (['metadatas'] as const) : [];
  for (let offset = 0; ; offset += kPageIds) {
    const { ids, metadatas } = await server.call(() => collection.get({ ...which, limit: kPageIds, offset, include }));
    yield ids.map((id, i) => ({ id, metadata: metadatas[i] ?? {} }));
    if (ids.length < kPageIds) return;
  }
}

/** The second collection of a store in Chroma: values by name, units that are done, documents without a first row to keep what is known of them. */
export class ChromaState {
  readonly #server: ChromaServer;
  readonly #records: ChromaCollection;

  constructor(server: ChromaServer, records: ChromaCollection) {
    [this.#server, this.#records] = [server, records];
  }

  async read(key: string): Promise<string | undefined> {
    const { documents } = await this.#server.call(() => this.#records.get({ ids: [`value ${key}`], include: ['documents'] }));
    return documents[0] ?? undefined;
  }

  /** Writes a value; with `isFirst` only where there is none. */
  async write(key: string, value: string, isFirst = false): Promise<void> {
    const record = { ids: [`value ${key}`], embeddings: [[1]], documents: [value], metadatas: [{ kind: 'value' }] };
    await this.#server.call(() => (isFirst ? this.#records.add(record) : this.#records.upsert(record)));
  }

  async doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>> {
    if (units.length === 0) return new Set();
    const named = new Map(units.map((unit) => [`unit ${run} ${unit}`, unit]));
    const { ids } = await this.#server.call(() => this.#records.get({ ids: [...named.keys()], include: [] }));
    return new Set(ids.map((id) => named.get(id)!));
  }

  async addUnit(run: number, unit: string): Promise<void> {
    const record = { ids: [`unit ${run} ${unit}`], embeddings: [[1]], metadatas: [{ kind: 'unit', run }] };
    await this.#server.call(() => this.#records.upsert(record));
  }

  async removeUnits(run: number): Promise<void> {
    await this.#server.call(() => this.#records.delete({ where: { $and: [{ kind: 'unit' }, { run: { $lte: run } }] } }));
  }

  /** What it knows of documents: those without chunks, and those whose rows are being written, which have no hash. */
  async documents(docIds: readonly string[]): Promise<[string, ChromaDocument][]> {
    if (docIds.length === 0) return [];
    const ids = docIds.map((id) => `document ${id}`);
    const { metadatas } = await this.#server.call(() => this.#records.get({ ids, include: ['metadatas'] }));
    return metadatas.map((metadata) => entryOf(metadata!));
  }

  async putDocuments(documents: readonly (readonly [string, ChromaDocument])[]): Promise<void> {
    if (documents.length === 0) return;
    const metadatas = documents.map(([docId, document]) => ({ kind: 'document', doc_id: docId, ...documentFields(document) }));
    const record = { ids: documents.map(([docId]) => `document ${docId}`), embeddings: documents.map(() => [1]), metadatas };
    await this.#server.call(() => this.#records.upsert(record));
  }

  async removeDocuments(docIds: readonly string[]): Promise<void> {
    if (docIds.length > 0) await this.#server.call(() => this.#records.delete({ ids: docIds.map((id) => `document ${id}`) }));
  }

  /** All documents that it knows. */
  async allDocuments(): Promise<ReadonlyMap<string, ChromaDocument>> {
    const found = new Map<string, ChromaDocument>();
    for await (const page of pagesOf(this.#server, this.#records, { kind: 'document' }, true))
      for (const { metadata } of page) found.set(...entryOf(metadata));
    return found;
  }
}

function entryOf(metadata: ChromaMetadata): [string, ChromaDocument] {
  return [metadata['doc_id'] as string, documentOf(metadata)];
}
