import type * as Driver from 'pg';
import type { Pool, PoolClient } from 'pg';
import { BerthaError } from 'bertha-encoder';
import { errorMessage, storeFailure, withoutCredentials } from '../shared/failures.js';
import { withPatience } from '../shared/patience.js';

/** A record that PostgreSQL answers: text, numbers, parsed JSON. */
export type PostgresRecord = Readonly<Record<string, unknown>>;

/** What a statement came to. */
export interface PostgresResult {
  readonly rows: readonly PostgresRecord[];
  readonly changes: number;
}

/** Sends a statement inside a transaction. A Buffer is sent as it is, in PostgreSQL's binary form. */
export type SendQuery = (sql: string, values?: readonly unknown[]) => Promise<PostgresResult>;

/** How a transaction runs. */
export interface TransactionOptions {
  readonly isReadOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long is waited. */
export interface WaitOptions {
  /** For another program's lock. */
  readonly lockTimeoutMs: number;
  /** For a server that cannot be reached. */
  readonly patienceMs: number;
}

/** Dates and times without a zone as text, which is the same on every machine; whole numbers of 64 bits as numbers where they are safe. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map([
  [1082, (text) => text],
  [1114, (text) => text],
  [20, (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text)],
]);

/** Whether an address is PostgreSQL's. */
export const postgresPattern = /^postgres(?:ql)?:\/\//i;

const kConnections = 8;

/** A server of PostgreSQL. A transaction that met a lost connection, or one that waited for it in turn, is done again: all that is done here leaves the same when it is done twice. */
export class PostgresConnection {
  /** For people: without user and password. */
  readonly shown: string;
  readonly #pool: Pool;
  readonly #waits: WaitOptions;

  private constructor(pool: Pool, shown: string, waits: WaitOptions) {
    [this.#pool, this.shown, this.#waits] = [pool, shown, waits];
  }

  /** Errors: STORE where the package pg is not installed, INVALID_ARG for a URL that is none. */
  static async open(url: string, waits: WaitOptions): Promise<PostgresConnection> {
    if (!URL.canParse(url))
      throw new BerthaError(
        'INVALID_ARG',
        'Expected a URL such as postgres://USER@HOST:PORT/DATABASE but received one that cannot be read.',
      );
    const { Pool, types: known } = await loadDriver();
    const types = { getTypeParser: (type: number, format?: 'text' | 'binary') => parsers.get(type) ?? known.getTypeParser(type, format) };
    const pool = new Pool({ connectionString: url, max: kConnections, connectionTimeoutMillis: 10_000, keepAlive: true, types });
    // A connection that is lost while nobody uses it is replaced by the next call.
    pool.on('error', () => undefined);
    return new PostgresConnection(pool, withoutCredentials(url), waits);
  }

  /** Runs `work` between `begin` and `commit`; what it throws undoes it. Errors: STORE, LOCKED, IO, the signal's reason. */
  async transaction<T>(work: (send: SendQuery) => Promise<T>, { isReadOnly = false, signal }: TransactionOptions = {}): Promise<T> {
    const begin = `begin isolation level read committed ${isReadOnly ? 'read only' : ''}`;
    return this.#patiently(() => this.#once(begin, work, signal), signal);
  }

  /** The records of a query, some at a time, all as they were at one moment. Errors: as `transaction`; a connection that is lost meanwhile is not made again. */
  async *pages(sql: string, values: readonly unknown[], pageRows: number, signal?: AbortSignal): AsyncGenerator<readonly PostgresRecord[]> {
    const client = await this.#patiently(() => this.#pool.connect(), signal);
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let isLost = true;
    try {
      await client.query('begin isolation level repeatable read read only');
      await client.query(`declare pages no scroll cursor for ${sql}`, values as unknown[]);
      for (let rows: PostgresRecord[] = [{}]; rows.length > 0;) {
        signal?.throwIfAborted();
        ({ rows } = await client.query(`fetch ${pageRows} from pages`));
        if (rows.length > 0) yield rows;
      }
      isLost = false;
    } catch (cause) {
      throw postgresFailure(this.shown, cause);
    } finally {
      // Whoever takes no more pages leaves a cursor that is open; so does an error.
      isLost = await client.query('rollback').then(() => false, () => isLost); // prettier-ignore
      client.off('error', ignore);
      client.release(isLost);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #patiently<T>(act: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { patienceMs: totalMs } = this.#waits;
    try {
      return await withPatience(act, { what: `The server ${this.shown}`, totalMs, code: 'STORE', cutsCalls: false, signal });
    } catch (cause) {
      throw postgresFailure(this.shown, cause);
    }
  }

  async #once<T>(begin: string, work: (send: SendQuery) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const client = await this.#pool.connect();
    // Without a listener, a connection that is lost between two statements would end the process.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    const cancel = (): void => void this.#cancel(client);
    let problem: Error | undefined;
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', cancel, { once: true });
      const send: SendQuery = async (sql, values) => {
        const { rows, rowCount } = await client.query(sql, values as unknown[]);
        return { rows: rows as PostgresRecord[], changes: rowCount ?? 0 };
      };
      await client.query(`${begin}; set local lock_timeout = ${this.#waits.lockTimeoutMs}`);
      const result = await work(send);
      signal?.throwIfAborted();
      await client.query('commit');
      return result;
    } catch (error) {
      problem = await client.query('rollback').then(() => undefined, (lost: Error) => lost); // prettier-ignore
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      client.off('error', ignore);
      // One that could not even roll back is not used again.
      client.release(problem);
    }
  }

  /** Ends what a connection is doing: the server would go on. */
  async #cancel(client: PoolClient): Promise<void> {
    const { processID } = client as PoolClient & { readonly processID?: number | null };
    if (typeof processID === 'number') await this.#pool.query('select pg_cancel_backend($1)', [processID]).catch(() => undefined);
  }
}

async function loadDriver(): Promise<typeof Driver> {
  try {
    return await import('pg');
  } catch (cause) {
    throw storeFailure('PostgreSQL to be spoken to', cause, 'Install its driver: npm i pg@8');
  }
}

/** SQL states that say more than STORE: a lock that was not had in time, a full disk. */
const states: Readonly<Record<string, readonly [code: 'LOCKED' | 'IO', what: string]>> = {
  '55P03': ['LOCKED', 'is held by another program for longer than is waited for. Try again later'],
  '53100': ['IO', 'cannot grow: the disk is full'],
};
const hints: Readonly<Record<string, string>> = {
  '28P01': 'Give user and password in the URL, or in PGUSER and PGPASSWORD.',
  '28000': 'Give user and password in the URL, or in PGUSER and PGPASSWORD.',
  '3D000': 'Make it: createdb NAME.',
  '42501': 'Ask its owner for the rights.',
};

/** The SQL state of an error of the server; undefined for other errors. */
export function sqlState(error: unknown): string | undefined {
  const { code, severity } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: unknown; severity?: unknown };
  return typeof code === 'string' && severity !== undefined ? code : undefined;
}

function postgresFailure(shown: string, cause: unknown): unknown {
  const state = sqlState(cause);
  if (cause instanceof BerthaError || state === undefined) return cause;
  const known = states[state];
  if (known === undefined) return storeFailure(`the server ${shown} to do as it was told`, cause, hints[state]);
  return new BerthaError(known[0], `The store ${shown} ${known[1]} (PostgreSQL: ${withoutCredentials(errorMessage(cause))}).`, { cause });
}
