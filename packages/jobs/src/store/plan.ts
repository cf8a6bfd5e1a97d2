import { isLater } from './runs.js';
import type { Batch, ChunkWrite, DocumentWrite, StoredDocument } from './store.js';

/** A chunk that is to be written at its place. */
export interface Change {
  readonly docId: string;
  readonly chunkNo: number;
  readonly chunk: ChunkWrite;
}

/** What of a batch is to be written. */
export interface BatchPlan {
  /** Documents that no later run, and no earlier unit of this one, has seen. */
  readonly written: readonly DocumentWrite[];
  /** Their chunks whose hashes are not stored at their places. */
  readonly changes: readonly Change[];
  /** Documents of which a chunk was to be there and is not: another writer has changed them. */
  readonly stale: readonly string[];
}

/** Compares a batch with what is stored of its documents, and with the hashes of their rows. */
export function planBatch(
  { run, position, documents }: Batch,
  stored: ReadonlyMap<string, StoredDocument>,
  hashes: ReadonlyMap<string, readonly string[]>,
): BatchPlan {
  const written: DocumentWrite[] = [];
  const changes: Change[] = [];
  const stale: string[] = [];
  for (const document of documents) {
    const { docId, chunks } = document;
    const [found, have] = [stored.get(docId), hashes.get(docId) ?? []];
    if (found !== undefined && isLater(found, run, position)) continue;
    if (chunks.some(({ embedding, contentHash }, i) => embedding === undefined && have[i] !== contentHash)) stale.push(docId);
    else {
      for (const [chunkNo, chunk] of chunks.entries()) if (have[chunkNo] !== chunk.contentHash) changes.push({ docId, chunkNo, chunk });
      written.push(document);
    }
  }
  return { written, changes, stale };
}

/** Whether a document that is stored as it is has yet to be marked as seen by a run, in a unit. */
export function isUnseen(stored: StoredDocument | undefined, { run, position }: Batch): boolean {
  return stored !== undefined && (stored.run < run || (stored.run === run && stored.position > position));
}

/** Lets pieces of work have their turns, one after the other, whatever becomes of each. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
