import { createHash } from 'node:crypto';
import { BerthaError, type JsonObject } from 'bertha-encoder';
import { PostgresConnection, sqlState } from '../postgres/connection.js';
import { errorMessage } from '../shared/failures.js';
import { documentOf, type FieldNames } from './records.js';
import type { Source, SourceItem, Unit } from './source.js';

/** What makes a source in PostgreSQL again. */
export interface PostgresDefinition extends FieldNames {
  readonly url: string;
  readonly sql: string;
}

/** Rows of a unit: 1 to 5 seconds of work of a processor. */
const kUnitRows = 500;
/** Rows that are in memory at once. */
const kPageRows = 50;
const waits = { lockTimeoutMs: 10_000, patienceMs: 30_000 };

/** Opens a query as a source. Errors: STORE, DATASET for a query that PostgreSQL refuses, INVALID_ARG. */
export async function openPostgresSource(url: string, definition: Omit<PostgresDefinition, 'url'>): Promise<Source> {
  const connection = await PostgresConnection.open(url, waits);
  try {
    const query = queryOf(definition);
    const found = await asked(definition.sql, () =>
      connection.transaction(
        async (send) => {
          const { rows } = await send(`select count(*) as count from ${query.from}`);
          const last = await send(
            `select ${query.id}::text as id from ${query.from} where ${query.id} is not null order by ${query.id} desc limit 1`,
          );
          return { count: Number(rows[0]!['count']), last: last.rows[0]?.['id'] as string | undefined };
        },
        { isReadOnly: true },
      ),
    );
    return new PostgresSource(connection, definition, `${found.count}@${found.last ?? ''}`, found.count);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The same without looking: for reading units that another process made. `url` has the credentials that the definition lacks. Errors: STORE, INVALID_ARG. */
export async function postgresSourceOf(definition: PostgresDefinition, url = definition.url): Promise<Source> {
  return new PostgresSource(await PostgresConnection.open(url, waits), definition, '', undefined);
}

class PostgresSource implements Source {
  readonly definition: JsonObject;
  readonly version: string;
  readonly total: number | undefined;
  readonly #connection: PostgresConnection;
  readonly #query: Query;
  readonly #sql: string;
  readonly #names: FieldNames;

  constructor(
    connection: PostgresConnection,
    { sql, idField, textField }: Omit<PostgresDefinition, 'url'>,
    version: string,
    total: number | undefined,
  ) {
    this.#connection = connection;
    this.#query = queryOf({ sql, idField });
    this.#sql = sql;
    this.#names = { idField, textField };
    this.definition = {
      kind: 'postgres',
      url: connection.shown,
      sql,
      ...(idField === undefined ? {} : { idField }),
      ...(textField === undefined ? {} : { textField }),
    };
    this.version = version;
    this.total = total;
  }

  async *units({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Unit> {
    let after: string | undefined;
    for (let ordinal = 0; ; ordinal++) {
      const keys = await this.#keysAfter(after, signal);
      const isLast = keys.length <= kUnitRows;
      const to = isLast ? undefined : keys[kUnitRows - 1]!;
      // The last one has what has no id too: such rows are told as bad.
      const reference: JsonObject = { ...(after === undefined ? {} : { after }), ...(to === undefined ? {} : { to }) };
      const id = createHash('sha256')
        .update(JSON.stringify([this.definition, reference, this.version]))
        .digest('hex')
        .slice(0, 32);
      yield { id, ordinal, reference, version: this.version, size: Math.min(kUnitRows, keys.length) };
      if (isLast) return;
      after = to;
    }
  }

  async *read({ reference }: Unit, signal?: AbortSignal): AsyncGenerator<SourceItem> {
    const { from, id } = this.#query;
    const { after, to } = reference as { readonly after?: string; readonly to?: string };
    const values = [after, to].filter((key) => key !== undefined);
    const parts = [...(after === undefined ? [] : [`${id} > $1`]), ...(to === undefined ? [] : [`${id} <= $${values.length}`])];
    const inRange = parts.length === 0 ? 'true' : parts.join(' and ');
    const sql = `select * from ${from} where ${to === undefined ? `${inRange} or ${id} is null` : inRange} order by ${id}`;
    const pages = this.#connection.pages(sql, values, kPageRows, signal);
    try {
      const names = { ...this.#names, idField: this.#names.idField ?? 'id' };
      for await (const page of pages) {
        for (const row of page) {
          const key = row[names.idField];
          yield documentOf(row, key === null ? 'a row without an id' : `row ${JSON.stringify(key)}`, names);
        }
      }
    } catch (error) {
      throw refusal(this.#sql, error);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** One more than a unit has, where there are as many. */
  async #keysAfter(after: string | undefined, signal: AbortSignal | undefined): Promise<string[]> {
    const { from, id } = this.#query;
    const where = after === undefined ? `${id} is not null` : `${id} > $1`;
    const sql = `select ${id}::text as key from ${from} where ${where} order by ${id} limit ${kUnitRows + 1}`;
    const { rows } = await asked(this.#sql, () =>
      this.#connection.transaction((send) => send(sql, after === undefined ? [] : [after]), { isReadOnly: true, signal }),
    );
    return rows.map(({ key }) => key as string);
  }
}

interface Query {
  /** The query as a table. */
  readonly from: string;
  /** Its column of ids. */
  readonly id: string;
}

function queryOf({ sql, idField = 'id' }: Pick<PostgresDefinition, 'sql' | 'idField'>): Query {
  // A comment at its end would hide the bracket.
  return { from: `(${sql.trim().replace(/;$/, '')}\n) as documents`, id: `documents."${idField.replaceAll('"', '""')}"` };
}

async function asked<T>(sql: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw refusal(sql, error);
  }
}

/** What PostgreSQL says of the query itself (42*: syntax, names, types, rights; 25006: it writes; 22*: values) no attempt mends. */
function refusal(sql: string, error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown };
  if (!/^(42|22|25006)/.test(sqlState(cause) ?? '')) return error;
  return new BerthaError(
    'DATASET',
    `Expected a query whose rows are documents but PostgreSQL says of ${JSON.stringify(sql.slice(0, 200))}: ${errorMessage(cause)}.`,
    { cause },
  );
}
