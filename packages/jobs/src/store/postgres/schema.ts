/** Over what HNSW is built: the vectors, their halves (float16), or the signs of their numbers. Whole vectors are stored, and order what it finds. */
export type VectorIndex = 'vector' | 'halfvec' | 'binary';

/** The most numbers that pgvector indexes of each kind. */
const mostDimensions: Readonly<Record<VectorIndex, number>> = { vector: 2000, halfvec: 4000, binary: 64_000 };

/** The first kind that can index vectors of so many numbers. */
export function indexFor(dimensions: number): VectorIndex {
  return (Object.keys(mostDimensions) as VectorIndex[]).find((kind) => dimensions <= mostDimensions[kind]) ?? 'binary';
}

/** Whether HNSW of a kind can hold vectors of so many numbers. */
export function canIndex(kind: VectorIndex, dimensions: number): boolean {
  return dimensions <= mostDimensions[kind];
}

/** The tables of a store in PostgreSQL, and its indexes; every name begins with the table's. */
export interface Names {
  readonly rows: string;
  readonly documents: string;
  readonly units: string;
  readonly meta: string;
  readonly vectorIndex: string;
  readonly wordIndex: string;
}

/** The names of a store's tables and indexes. */
export function namesOf(table: string): Names {
  return {
    rows: `"${table}"`,
    documents: `"${table}_documents"`,
    units: `"${table}_units"`,
    meta: `"${table}_meta"`,
    vectorIndex: `"${table}_hnsw"`,
    wordIndex: `"${table}_gin"`,
  };
}

/** The columns that the table of rows must have. */
export const rowColumns = ['id', 'doc_id', 'chunk_no', 'content_hash', 'run', 'text', 'char_start', 'char_end', 'metadata', 'embedding', 'words'] as const; // prettier-ignore

/** What of a text is looked through for words: PostgreSQL's list of a row's words may have 1 MB. */
const kIndexedCharacters = 200_000;

/** Makes the tables. Ids are in the order of code points, whatever the language of the database. */
export function schemaOf({ rows, documents, units, meta }: Names, dimensions: number): string {
  const id = 'text collate "C"';
  return `
    create table if not exists ${meta} (key text primary key, value text not null);
    create table if not exists ${units} (run integer not null, unit text not null, primary key (run, unit));
    create table if not exists ${documents} (
      doc_id ${id} primary key, content_hash text not null, run integer not null, position integer not null);
    create table if not exists ${rows} (
      id ${id} primary key, doc_id ${id} not null, chunk_no integer not null, content_hash text not null, run integer not null,
      text text not null, char_start integer not null, char_end integer not null, metadata jsonb not null,
      embedding vector(${dimensions}) not null,
      words tsvector generated always as (to_tsvector('simple', left(text, ${kIndexedCharacters}))) stored,
      unique (doc_id, chunk_no));`;
}

/** What HNSW sorts by, and the operator of its distance: of a column, or of a mark for the vector that is looked for. */
export function distanceOf(kind: VectorIndex, dimensions: number): { readonly of: (vector: string) => string; readonly operator: string } {
  if (kind === 'halfvec') return { of: (vector) => `(${vector}::halfvec(${dimensions}))`, operator: '<=>' };
  if (kind === 'binary') return { of: (vector) => `(binary_quantize(${vector})::bit(${dimensions}))`, operator: '<~>' };
  return { of: (vector) => vector, operator: '<=>' };
}

const operatorClasses: Readonly<Record<VectorIndex, string>> = {
  vector: 'vector_cosine_ops',
  halfvec: 'halfvec_cosine_ops',
  binary: 'bit_hamming_ops',
};

/** Builds HNSW, with pgvector's own parameters (m 16, ef_construction 64). */
export function vectorIndexOf({ rows, vectorIndex }: Names, kind: VectorIndex, dimensions: number): string {
  return `create index ${vectorIndex} on ${rows} using hnsw (${distanceOf(kind, dimensions).of('embedding')} ${operatorClasses[kind]})`;
}

/** The memory that HNSW needs to be built in one go: vectors and neighbours. */
export function indexBytes(kind: VectorIndex, dimensions: number, numRows: number): number {
  const perVector = { vector: 4 * dimensions, halfvec: 2 * dimensions, binary: dimensions / 8 }[kind];
  return Math.ceil(numRows * (perVector * 1.2 + 600));
}
