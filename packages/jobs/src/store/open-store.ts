import { BerthaError } from 'bertha-encoder';
import { withoutCredentials } from '../shared/failures.js';
import { chromaPattern } from './chroma/client.js';
import { openChromaStore } from './chroma/chroma-store.js';
import { exportPattern, exportRows } from './exports/export-file.js';
import { postgresPattern } from '../postgres/connection.js';
import { lancePattern, openLanceStore } from './lance/lance-store.js';
import { openPostgresStore } from './postgres/postgres-store.js';
import type { VectorIndex } from './postgres/schema.js';
import { openSqliteStore } from './sqlite/sqlite-store.js';
import type { Store } from './store.js';

/** How a store is opened. */
export interface OpenStoreOptions {
  /** Its table, from which the names of all others are made. Default `passages`. */
  readonly table?: string | undefined;
  /** How long another program's lock is waited for. Default 10,000. */
  readonly lockTimeoutMs?: number | undefined;
  /** How long a server that cannot be reached is waited for. Default 30,000. */
  readonly patienceMs?: number | undefined;
  /**
   * Over what PostgreSQL builds HNSW: whole vectors, their halves, or the signs of their numbers; whole vectors are stored, and order what it finds. Default what the
   * store has, else the first that can index so many numbers.
   */
  readonly vectorIndex?: VectorIndex | undefined;
  /** PostgreSQL builds HNSW at the end of the first complete run that leaves so many rows; until then searches are exact. Default 10,000. */
  readonly indexFromRows?: number | undefined;
}

/**
 * Opens a store by its address: the path of a file of SQLite (`notes.db`, `.sqlite`, `.sqlite3`; made where there is none), or of a file that each complete run
 * writes anew (`.jsonl`, `.npy`, `.parquet`; the store is a file of SQLite beside it, `rows.parquet.db`), or a database of PostgreSQL with pgvector
 * (`postgres://user@host/database`), or a server of Chroma (`chroma://host:port`), or a folder of LanceDB (`notes.lancedb`). A new store has no model until `prepare`.
 *
 * Errors: INVALID_ARG for an address of no known kind, INVALID_OPTION, and those of `Store`.
 *
 * @example
 * const store = await openStore('notes.db');
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const { table = 'passages', lockTimeoutMs = 10_000, patienceMs = 30_000, vectorIndex, indexFromRows = 10_000 } = options;
  if (typeof url !== 'string' || url === '')
    throw new BerthaError('INVALID_ARG', `Expected the address of a store but received ${String(url)}.`);
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(table))
    throw new BerthaError('INVALID_OPTION', `Expected up to 40 of a-z, 0-9 and _ for option table but received ${JSON.stringify(table)}.`);
  for (const [name, value] of Object.entries({ lockTimeoutMs, patienceMs })) {
    if (!(value >= 0)) throw new BerthaError('INVALID_OPTION', `Expected milliseconds from 0 for option ${name} but received ${value}.`);
  }
  if (vectorIndex !== undefined && !['vector', 'halfvec', 'binary'].includes(vectorIndex))
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected vector, halfvec or binary for option vectorIndex but received ${String(vectorIndex)}.`,
    );
  if (!Number.isInteger(indexFromRows) || indexFromRows < 0)
    throw new BerthaError('INVALID_OPTION', `Expected a whole number from 0 for option indexFromRows but received ${indexFromRows}.`);
  if (postgresPattern.test(url)) return openPostgresStore({ url, table, lockTimeoutMs, patienceMs, vectorIndex, indexFromRows });
  if (vectorIndex !== undefined)
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected a store in PostgreSQL for option vectorIndex but received ${withoutCredentials(url)}.`,
    );
  if (/\.(?:db|sqlite3?)$/i.test(url)) return openSqliteStore({ path: url, table, lockTimeoutMs });
  if (chromaPattern.test(url)) return openChromaStore({ url, table, patienceMs });
  if (lancePattern.test(url)) return openLanceStore({ path: url, table, lockTimeoutMs });
  // What a file cannot do, a store beside it does: upserts, units that are done, searches.
  if (exportPattern.test(url))
    return openSqliteStore({ path: `${url}.db`, table, lockTimeoutMs, afterRun: (store, signal) => exportRows(store, url, signal) });
  throw new BerthaError(
    'INVALID_ARG',
    `Expected a path ending in .db, .sqlite, .sqlite3, .lancedb, .jsonl, .npy or .parquet, or postgres://… or chroma://… for the store but received ${JSON.stringify(withoutCredentials(url))}.`,
  );
}
