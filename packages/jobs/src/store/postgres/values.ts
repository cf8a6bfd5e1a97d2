import { formatVectors, type JsonObject } from 'bertha-encoder';
import type { PostgresRecord } from '../../postgres/connection.js';
import { rowOfRecord, storable } from '../records.js';
import type { Row } from '../store.js';

/** A value as jsonb can hold it. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') return storable(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, each]) => [storable(name), each]));
  });
}

/** A vector as pgvector reads it. */
export function vectorText(vector: Float32Array): string {
  return Buffer.from(formatVectors(vector)).toString('latin1');
}

/** Vectors as a binary array of PostgreSQL; `type` is the number of the type vector in this database. */
export function vectorArray(vectors: readonly Float32Array[], type: number): Buffer {
  const dimensions = vectors[0]?.length ?? 0;
  const elementBytes = 4 + 4 * dimensions;
  const bytes = Buffer.alloc(20 + vectors.length * (4 + elementBytes));
  // One dimension, no nulls, the element's type, the length, indexes from 1.
  for (const [i, value] of [1, 0, type, vectors.length, 1].entries()) bytes.writeInt32BE(value | 0, 4 * i);
  let at = 20;
  for (const vector of vectors) {
    at = bytes.writeInt32BE(elementBytes, at);
    at = bytes.writeInt16BE(dimensions, at) + 2;
    for (const value of vector) at = bytes.writeFloatBE(value, at);
  }
  return bytes;
}

/** The columns of a row, of the table `r`. */
export const selected =
  'r.id, r.doc_id, r.chunk_no, r.content_hash, r.run, r.text, r.char_start, r.char_end, r.metadata, r.embedding::text as embedding';

/** A record of these columns. */
export function rowOf(record: PostgresRecord): Row {
  const embedding = Float32Array.from(JSON.parse(record['embedding'] as string) as number[]);
  return rowOfRecord(record, record['metadata'] as JsonObject, embedding);
}
