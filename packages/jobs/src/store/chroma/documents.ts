import type { JsonObject } from 'bertha-encoder';
import { rowOfRecord } from '../records.js';
import type { Change } from '../plan.js';
import type { Row, StoredDocument } from '../store.js';
import type { ChromaFound, ChromaMetadata } from './client.js';
import { fieldsOf } from './filter.js';

/** A document as its rows in Chroma have it: the first one keeps what is known of the whole. */
export interface ChromaDocument extends StoredDocument {
  /** Rows that it has; while it is being written, at least as many. */
  readonly rows: number;
}

/** What the first row keeps of its document. */
export function documentFields({ contentHash, run, position, rows }: ChromaDocument): ChromaMetadata {
  return { doc_hash: contentHash, doc_run: run, doc_position: position, doc_rows: rows };
}

/** The document of a first row's metadata. */
export function documentOf(metadata: ChromaMetadata): ChromaDocument {
  return {
    contentHash: metadata['doc_hash'] as string,
    run: metadata['doc_run'] as number,
    position: metadata['doc_position'] as number,
    rows: metadata['doc_rows'] as number,
  };
}

/** The id of a row. */
export function rowId(docId: string, chunkNo: number): string {
  return `${docId}#${chunkNo}`;
}

/** The ids of a document's rows from one number up to, not including, another. */
export function rowIds(docId: string, from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => rowId(docId, from + i));
}

/** The document and the number of a row, from its id. */
export function placeOf(id: string): { readonly docId: string; readonly chunkNo: number } {
  const end = id.lastIndexOf('#');
  return { docId: id.slice(0, end), chunkNo: Number(id.slice(end + 1)) };
}

/** A row's metadata; `document` for a first one. */
export function metadataOf({ docId, chunkNo, chunk }: Change, run: number, document: ChromaDocument | undefined): ChromaMetadata {
  return {
    ...fieldsOf(chunk.metadata),
    doc_id: docId,
    chunk_no: chunkNo,
    content_hash: chunk.contentHash,
    run,
    char_start: chunk.start,
    char_end: chunk.end,
    metadata: JSON.stringify(chunk.metadata),
    ...(document === undefined ? {} : documentFields(document)),
  };
}

/** Rows from records that were asked for with all their parts. */
export function rowsOf({ ids, embeddings, documents, metadatas }: ChromaFound): Row[] {
  return ids.map((id, i) => {
    const metadata = metadatas[i]!;
    const own = JSON.parse(metadata['metadata'] as string) as JsonObject;
    return rowOfRecord({ ...metadata, id, text: documents[i] ?? '' }, own, Float32Array.from(embeddings[i]!));
  });
}
