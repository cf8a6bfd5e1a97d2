import type { JsonObject } from 'bertha-encoder';

/** The model whose vectors stand in a store. A store holds those of one model. */
export interface StoredModel {
  /** Hash of weights, tokenizer, pooling, precision, prompt and dimensions, in hexadecimal. */
  readonly key: string;
  /** What `loadEmbedder` takes: an id on the Hub or a directory; `''` for the bundled model. */
  readonly name: string;
  readonly dimensions: number;
  /** Whether its vectors have length 1. */
  readonly isNormalized: boolean;
}

/** A chunk of a document as it stands in a store. Two runs over the same documents give the same rows, `run` aside. */
export interface Row {
  /** `${docId}#${chunkNo}` */
  readonly id: string;
  readonly docId: string;
  /** From 0, in the order of the text. */
  readonly chunkNo: number;
  /** Of text, position and metadata, in hexadecimal. */
  readonly contentHash: string;
  /** The number of the run that wrote it. */
  readonly run: number;
  readonly text: string;
  /** Where it stands in the document's text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The document's. */
  readonly metadata: JsonObject;
  /** [dimensions] */
  readonly embedding: Float32Array;
}

/** A chunk that a document is to have. */
export interface ChunkWrite {
  readonly contentHash: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly metadata: JsonObject;
  /** [dimensions]; undefined where the store has this chunk with this hash already. */
  readonly embedding: Float32Array | undefined;
}

/** A document as it is to stand in a store: what is stored beyond `chunks` goes. */
export interface DocumentWrite {
  readonly docId: string;
  /** Of the text, the metadata and how it is cut. */
  readonly contentHash: string;
  readonly chunks: readonly ChunkWrite[];
}

/** What one transaction writes. */
export interface Batch {
  readonly run: number;
  /** The ordinal of the unit. Where an id stands twice in a source, the document of the earlier unit stays. */
  readonly position: number;
  readonly documents: readonly DocumentWrite[];
  /** Documents that are stored as they are: they count as seen by this run. */
  readonly unchanged: readonly string[];
  /** The unit that is done with this batch. */
  readonly doneUnit?: string | undefined;
}

/** What became of a batch. */
export interface WriteResult {
  readonly rowsWritten: number;
  readonly rowsDeleted: number;
  /** Documents that another writer changed since they were looked up, of which nothing was written: to be looked up again. */
  readonly stale: readonly string[];
}

/** What a store knows of a document. */
export interface StoredDocument {
  readonly contentHash: string;
  /** The last run that saw it. */
  readonly run: number;
  /** The ordinal of the unit in which that run saw it. */
  readonly position: number;
}

/** Conditions on metadata, all of which hold: a value, one of a list, or bounds. Fields of the first level; `docId` is the document's id. */
export type Filter = Readonly<Record<string, FilterValue | readonly FilterValue[] | FilterBounds>>;
export type FilterValue = string | number | boolean | null;
export interface FilterBounds {
  readonly gt?: number | string;
  readonly gte?: number | string;
  readonly lt?: number | string;
  readonly lte?: number | string;
}

/** What a search of a store looks for. */
export interface StoreQuery {
  readonly topK: number;
  readonly filter?: Filter | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How much a store holds. */
export interface StoreSize {
  readonly documents: number;
  readonly rows: number;
}

/**
 * A place for rows and their vectors. Every method may be called from several processes at once.
 *
 * Errors of all methods: STORE (it cannot be reached, or refuses; its own words are in the message and in `cause`), LOCKED (another program
 * holds it for too long), IO, the signal's reason. No message has the credentials of a URL.
 */
export interface Store {
  /** Where it is, without credentials. */
  readonly url: string;
  /** The model of its vectors; undefined until `prepare` was called for the first time. */
  readonly model: StoredModel | undefined;
  /** Whether one process at most may write it, so that work on it cannot be spread over several. Default false. */
  readonly hasOneWriter?: boolean | undefined;
  /** Makes its tables where there are none. Errors: STORE_MISMATCH for another model's key or dimensions, and for tables of another shape. */
  prepare(model: StoredModel): Promise<void>;
  /** Begins a run, or goes on with the last one of the same `parameters` if that was not finished. Later runs have larger numbers. */
  beginRun(parameters: string): Promise<number>;
  /** The ids of `units` that are done in this run. */
  doneUnits(run: number, units: readonly string[]): Promise<ReadonlySet<string>>;
  /** What stands of documents, by their ids; those that are not there are left out. */
  documents(docIds: readonly string[]): Promise<ReadonlyMap<string, StoredDocument>>;
  /** The content hashes of documents' rows, in order. */
  rowHashes(docIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Writes a batch in one transaction. A document that a later run, or an earlier unit of this one, has seen is left alone; rows whose hash is stored stay as they are. Written
   * twice, it leaves the same rows.
   */
  write(batch: Batch, signal?: AbortSignal): Promise<WriteResult>;
  /**
   * Ends a complete run: with `prune`, documents that it has not seen go. What a store does after the load (an index, a file of the rows) is
   * done here.
   */
  finishRun(
    run: number,
    options?: { readonly prune?: boolean; readonly signal?: AbortSignal },
  ): Promise<{ readonly documentsPruned: number }>;
  /** A value that outlives the process, such as a cursor; undefined where none was written. */
  readState(key: string): Promise<string | undefined>;
  writeState(key: string, value: string): Promise<void>;
  /** Every row, in the order of document ids (by code points) and chunk numbers. */
  rows(): AsyncIterable<Row>;
  size(): Promise<StoreSize>;
  /** Rows nearest to a vector by cosine similarity, candidates for an exact ranking: at least `topK` where there are as many, in any order. */
  nearest(vector: Float32Array, query: StoreQuery): Promise<readonly Row[]>;
  /** Rows that the store's own full-text search finds for words, the best first. */
  matching(words: string, query: StoreQuery): Promise<readonly Row[]>;
  close(): Promise<void>;
}
