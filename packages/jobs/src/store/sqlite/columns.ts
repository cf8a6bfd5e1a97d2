import type { JsonObject } from 'bertha-encoder';
import { rowOfRecord } from '../records.js';
import type { Row, StoredDocument } from '../store.js';
import type { SqliteRecord } from './driver.js';

/** The memory of a vector, as it is stored: float32, little-endian. */
export function vectorBytes(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A record of the table of rows with its vector. */
export function rowOf(record: SqliteRecord): Row {
  const metadata = JSON.parse(record['metadata'] as string) as JsonObject;
  return rowOfRecord(record, metadata, floatsOf(record['embedding'] as Uint8Array));
}

/** A record of the table of documents. */
export function documentOf(record: SqliteRecord): StoredDocument {
  return { contentHash: record['content_hash'] as string, run: record['run'] as number, position: record['position'] as number };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  // The bytes may begin anywhere in a pool's memory.
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}
