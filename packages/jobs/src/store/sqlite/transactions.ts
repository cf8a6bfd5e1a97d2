import { setTimeout as delay } from 'node:timers/promises';
import { isBusy, sqliteFailure, type SqliteDatabase } from './driver.js';

/** How long is waited between two tries, in milliseconds: longer each time, so that many writers get their turn. */
const kFirstWaitMs = 5;
const kLongestWaitMs = 200;

/** Runs statements on a connection, one transaction at a time; where another program holds the lock, it tries again without blocking the event loop. */
export class Transactions {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #waitMs: number;

  constructor(database: SqliteDatabase, path: string, waitMs: number) {
    this.#database = database;
    this.#path = path;
    this.#waitMs = waitMs;
  }

  /** Runs `work` between `begin immediate` and `commit`. What it throws undoes it. Errors: LOCKED, IO, STORE, the signal's reason. */
  write<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    return this.retry(() => {
      this.#database.exec('begin immediate');
      try {
        const result = work();
        this.#database.exec('commit');
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    }, signal);
  }

  /** Runs `work`, again as long as another program holds the lock and the wait is not over. Errors: as `write`. */
  async retry<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    const end = performance.now() + this.#waitMs;
    for (let waitMs = kFirstWaitMs; ; waitMs = Math.min(kLongestWaitMs, 2 * waitMs)) {
      signal?.throwIfAborted();
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= end) throw sqliteFailure(this.#path, error);
      }
      await delay(waitMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  /** A full disk has undone the transaction already. */
  #rollBack(): void {
    try {
      this.#database.exec('rollback');
    } catch {
      // "no transaction is active": what failed is told by the error that led here.
    }
  }
}
