import type { SqliteDatabase, SqliteStatement } from './driver.js';

/** The statements of a connection, each prepared once. */
export class Statements {
  readonly #database: SqliteDatabase;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Errors: those of the driver. */
  of(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  /** Lets go of them, before the connection is closed. */
  clear(): void {
    this.#prepared.clear();
  }
}
