// Stores for tests, and rows to fill them with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'uvu';
import { openStore, type OpenStoreOptions } from '../../../packages/jobs/src/store/open-store.js';
import type { ChunkWrite, DocumentWrite, Row, Store, StoredModel } from '../../../packages/jobs/src/store/store.js';
import { suite } from '../../support/suite.js';

export const dimensions = 16;
export const testModel: StoredModel = { key: 'a'.repeat(64), name: 'tiny', dimensions, isNormalized: true };

/** A suite with a folder of its own, which goes with it, and stores that are closed. */
export function storeSuite(name: string): { t: Test; folder: string; open: (url: string, options?: OpenStoreOptions) => Promise<Store> } {
  const t = suite(name);
  const folder = mkdtempSync(join(tmpdir(), 'bertha-jobs-'));
  const opened = new Set<Store>();
  t.after(async () => {
    for (const store of opened) await store.close();
    rmSync(folder, { recursive: true });
  });
  return {
    t,
    folder,
    open: async (url, options) => {
      const store = await openStore(url, options);
      const close = store.close.bind(store);
      store.close = async () => (opened.delete(store) ? close() : undefined);
      opened.add(store);
      return store;
    },
  };
}

/** Vectors of length 1, the same for the same seed. */
export function drawnVector(seed: number, length = dimensions): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const vector = Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** A chunk whose hash and vector follow from its text. */
export function chunk(text: string, metadata: ChunkWrite['metadata'] = {}): ChunkWrite {
  const seed = [...text].reduce((sum, c) => (Math.imul(sum, 31) + c.codePointAt(0)!) | 0, 7);
  return { contentHash: `hash of ${text}`, text, start: 0, end: text.length, metadata, embedding: drawnVector(seed) };
}

export function documentWrite(docId: string, texts: readonly string[], metadata: ChunkWrite['metadata'] = {}): DocumentWrite {
  return { docId, contentHash: `hash of ${texts.join('|')}`, chunks: texts.map((text) => chunk(text, metadata)) };
}

/** Every row, without its run, as text: what must be equal between runs that were broken off and one that was not. */
export async function rowsOf(store: Store): Promise<string[]> {
  const rows: string[] = [];
  for await (const row of store.rows()) rows.push(plain(row));
  return rows;
}

export function plain({ run: _, embedding, ...row }: Row): string {
  const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  return JSON.stringify({ ...row, metadata: sorted(row.metadata), embedding: bytes.toString('base64') });
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
