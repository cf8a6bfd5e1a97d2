import { toUSVString } from 'node:util';
import type { JsonObject } from 'bertha-encoder';
import type { Row } from './store.js';

/** A row from a record whose columns are named as those of SQLite and PostgreSQL are, with what each store reads in its own way. */
export function rowOfRecord(record: Readonly<Record<string, unknown>>, metadata: JsonObject, embedding: Float32Array): Row {
  return {
    id: record['id'] as string,
    docId: record['doc_id'] as string,
    chunkNo: record['chunk_no'] as number,
    contentHash: record['content_hash'] as string,
    run: record['run'] as number,
    text: record['text'] as string,
    start: record['char_start'] as number,
    end: record['char_end'] as number,
    metadata,
    embedding,
  };
}

/** A text as servers can hold it: it has no U+0000, nor halves of a surrogate pair; U+FFFD stands for both. */
export function storable(text: string): string {
  return toUSVString(text.replaceAll('\0', '\ufffd'));
}
