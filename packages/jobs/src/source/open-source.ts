import { BerthaError, type JsonObject } from 'bertha-encoder';
import { postgresPattern } from '../postgres/connection.js';
import { withoutCredentials } from '../shared/failures.js';
import { filesOf, openFiles, type FilesDefinition } from './files.js';
import { openPostgresSource, postgresSourceOf, type PostgresDefinition } from './postgres.js';
import type { FieldNames } from './records.js';
import type { Source } from './source.js';

/** How a source is opened. */
export interface SourceOptions extends FieldNames {
  /** A query of PostgreSQL whose rows are documents; its column `idField` orders them, and is best indexed. */
  readonly sql?: string | undefined;
}

/**
 * Opens files as a source of documents: paths, folders and patterns. Text, Markdown and HTML: a document a file; JSON lines, CSV, TSV and Parquet: a document a
 * record. Files are listed once, in the order of their names. Instead of paths, one URL of PostgreSQL with option `sql`: a document a row.
 *
 * Errors: USAGE where there is no path, or one of them has no file; IO; DATASET for a query that PostgreSQL refuses; INVALID_OPTION, STORE.
 *
 * @example
 * const source = await openSource(['docs/**\/*.md', 'notes.jsonl'], { textField: 'body' });
 */
export async function openSource(paths: readonly string[], { sql, ...names }: SourceOptions = {}): Promise<Source> {
  if (paths.length === 0) throw new BerthaError('USAGE', 'Expected files, folders or patterns to index but received none.');
  const [url = ''] = paths;
  if (paths.length === 1 && postgresPattern.test(url) && sql !== undefined) return openPostgresSource(url, { sql, ...names });
  if (sql !== undefined || paths.some((path) => postgresPattern.test(path)))
    throw new BerthaError(
      'INVALID_OPTION',
      `Expected one URL of PostgreSQL and a query in option sql but received ${JSON.stringify(paths.map(withoutCredentials))} and ${sql === undefined ? 'no query' : 'a query'}.`,
    );
  return openFiles({ paths, ...names });
}

/** A source from its definition, for reading units that another process made; `url` is its address with its credentials. Errors: INVALID_ARG, STORE. */
export async function sourceOf(definition: JsonObject, url?: string): Promise<Source> {
  if (definition['kind'] === 'postgres') return postgresSourceOf(definition as unknown as PostgresDefinition, url);
  if (definition['kind'] === 'files') return filesOf(definition as unknown as FilesDefinition);
  throw new BerthaError(
    'INVALID_ARG',
    `Expected the definition of a source but received one of kind ${JSON.stringify(definition['kind'])}.`,
  );
}
