import { types } from 'node:util';
import { BerthaError } from 'bertha-encoder';
import { getLoadablePath } from 'sqlite-vec';
import { errorMessage, storeFailure } from '../../shared/failures.js';

/** A value of a column. */
export type SqliteValue = string | number | bigint | Uint8Array | null;
export type SqliteRecord = Readonly<Record<string, SqliteValue>>;

/** A prepared statement, as node:sqlite has it. */
export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): { readonly changes: number | bigint };
  get(...values: readonly SqliteValue[]): SqliteRecord | undefined;
  all(...values: readonly SqliteValue[]): SqliteRecord[];
}

/** A connection, as node:sqlite has it. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  enableLoadExtension(allow: boolean): void;
  loadExtension(path: string): void;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly allowExtension: boolean; readonly readOnly: boolean; readonly timeout: number },
  ) => SqliteDatabase;
}

const kPeer = '@photostructure/sqlite';
/** What SQLite itself waits for a lock: the event loop stands still meanwhile. Longer waits are the store's. */
const kBusyMs = 50;

/** Opens a file of SQLite with sqlite-vec. Errors: STORE where driver or extension cannot be loaded; those of `sqliteFailure`. */
export async function openDatabase(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = await loadDriver();
  let database: SqliteDatabase;
  try {
    database = new DatabaseSync(path, { allowExtension: true, readOnly: false, timeout: kBusyMs });
  } catch (cause) {
    throw sqliteFailure(path, cause);
  }
  try {
    database.enableLoadExtension(true);
    database.loadExtension(getLoadablePath());
    database.enableLoadExtension(false);
  } catch (cause) {
    database.close();
    throw storeFailure('the extension sqlite-vec to be loaded', cause, 'Install it for this system: npm i sqlite-vec');
  }
  return database;
}

/** The module `node:sqlite` where it can load extensions, which Node.js has from 22.13 on; else the package with the same interface. */
async function loadDriver(): Promise<SqliteModule> {
  const builtin = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as SqliteModule | undefined;
  if (builtin !== undefined && 'enableLoadExtension' in builtin.DatabaseSync.prototype) return builtin;
  try {
    return (await import(kPeer)) as SqliteModule;
  } catch (cause) {
    throw storeFailure(
      `SQLite under Node.js ${process.versions.node}`,
      cause,
      `Install it: npm i ${kPeer}@1, or use Node.js from 22.13 on.`,
    );
  }
}

/** SQLite's result code of an error, without its extension; undefined for other errors. */
export function resultCode(error: unknown): number | undefined {
  const { errcode } = (types.isNativeError(error) ? error : {}) as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

const kBusy = 5;
const kLocked = 6;

/** Whether another connection holds a lock. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === kBusy || code === kLocked;
}

/** What became of the file, by SQLite's result codes. */
const codes: Readonly<Record<number, readonly [code: 'IO' | 'LOCKED' | 'STORE_MISMATCH', what: string]>> = {
  5: ['LOCKED', 'is held by another program. Close it, or try again later'],
  6: ['LOCKED', 'is held by another program. Close it, or try again later'],
  8: ['IO', 'may not be written to'],
  10: ['IO', 'cannot be read or written'],
  11: ['IO', 'is damaged'],
  13: ['IO', 'cannot grow: the disk is full'],
  14: ['IO', 'cannot be opened'],
  26: ['STORE_MISMATCH', 'is no SQLite database'],
};

/** The error for what SQLite refused: LOCKED, IO, STORE_MISMATCH or STORE. An error that is Bertha's stays. */
export function sqliteFailure(path: string, cause: unknown): unknown {
  if (cause instanceof BerthaError || resultCode(cause) === undefined) return cause;
  const known = codes[resultCode(cause)!];
  if (known === undefined) return storeFailure(`the store ${path} to do as it was told`, cause);
  return new BerthaError(known[0], `The store ${path} ${known[1]} (SQLite: ${errorMessage(cause)}).`, { cause });
}
