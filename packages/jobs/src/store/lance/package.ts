import { storeFailure } from '../../shared/failures.js';

/** A record of a table. */
export type LanceRecord = Readonly<Record<string, unknown>>;

interface LanceQuery<Q> {
  where(predicate: string): Q;
  select(columns: readonly string[]): Q;
  limit(count: number): Q;
  toArray(): Promise<LanceRecord[]>;
}

export interface TableQuery extends LanceQuery<TableQuery> {
  fullTextSearch(query: object): TableQuery;
}

interface VectorQuery extends LanceQuery<VectorQuery> {
  column(name: string): VectorQuery;
  distanceType(name: 'dot' | 'cosine'): VectorQuery;
}

/** A table, as the package @lancedb/lancedb has it. */
export interface LanceTable {
  schema(): Promise<{ readonly fields: readonly { readonly name: string }[] }>;
  mergeInsert(on: string): {
    whenMatchedUpdateAll(): { whenNotMatchedInsertAll(): { execute(records: readonly LanceRecord[]): Promise<unknown> } };
  };
  delete(predicate: string): Promise<unknown>;
  query(): TableQuery;
  vectorSearch(vector: readonly number[]): VectorQuery;
  createIndex(column: string, options: { readonly config: object }): Promise<void>;
  listIndices(): Promise<readonly { readonly columns: readonly string[] }[]>;
  countRows(): Promise<number>;
  optimize(): Promise<unknown>;
  close(): void;
}

/** A folder of tables. */
export interface LanceConnection {
  tableNames(): Promise<readonly string[]>;
  openTable(name: string): Promise<LanceTable>;
  createEmptyTable(name: string, schema: object): Promise<LanceTable>;
  close(): void;
}

/** LanceDB, and Apache Arrow in its version. */
export interface LancePackages {
  readonly lance: {
    connect(path: string, options: { readonly readConsistencyInterval: number }): Promise<LanceConnection>;
    readonly Index: { btree(): object; fts(options: Readonly<Record<string, unknown>>): object };
    readonly MatchQuery: new (words: string, column: string) => object;
  };
  readonly arrow: {
    readonly Schema: new (fields: readonly object[]) => object;
    readonly Field: new (name: string, type: object, isNullable: boolean) => object;
    readonly Utf8: new () => object;
    readonly Int32: new () => object;
    readonly Float32: new () => object;
    readonly FixedSizeList: new (length: number, item: object) => object;
  };
}

const [kPeer, kArrow] = ['@lancedb/lancedb', 'apache-arrow'];

/** Errors: STORE where a package is not installed. */
export async function loadLance(): Promise<LancePackages> {
  try {
    return {
      lance: (await import(kPeer)) as LancePackages['lance'],
      arrow: (await import(kArrow)) as LancePackages['arrow'],
    };
  } catch (cause) {
    throw storeFailure('LanceDB to be opened', cause, `Install it: npm i ${kPeer}@0.31 ${kArrow}@18`);
  }
}

/** The schema of the table of rows. */
export function schemaOf({ arrow }: LancePackages, dimensions: number): object {
  const { Schema, Field, Utf8, Int32, Float32, FixedSizeList } = arrow;
  const text = (name: string): object => new Field(name, new Utf8(), false);
  const whole = (name: string): object => new Field(name, new Int32(), false);
  const vector = new FixedSizeList(dimensions, new Field('item', new Float32(), true));
  return new Schema([
    ...['id', 'doc_id', 'content_hash', 'text', 'metadata'].map(text),
    ...['chunk_no', 'run', 'char_start', 'char_end'].map(whole),
    new Field('embedding', vector, false),
  ]);
}

/** The columns that a table of rows must have. */
export const rowColumns = ['id', 'doc_id', 'content_hash', 'text', 'metadata', 'chunk_no', 'run', 'char_start', 'char_end', 'embedding'] as const; // prettier-ignore
