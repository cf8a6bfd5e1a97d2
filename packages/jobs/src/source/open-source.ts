import { BerthaError, type JsonObject } from 'bertha-encoder';
import { filesOf, openFiles, type FilesDefinition } from './files.js';
import type { FieldNames } from './records.js';
import type { Source } from './source.js';

/**
 * Opens files as a source of documents: paths, folders and patterns. Text, Markdown and HTML: a document a file; JSON lines, CSV, TSV and Parquet: a document a
 * record. Files are listed once, in the order of their names.
 *
 * Errors: USAGE where there is no path, or one of them has no file; IO.
 *
 * @example
 * const source = await openSource(['docs/**\/*.md', 'notes.jsonl'], { textField: 'body' });
 */
export async function openSource(paths: readonly string[], names: FieldNames = {}): Promise<Source> {
  if (paths.length === 0) throw new BerthaError('USAGE', 'Expected files, folders or patterns to index but received none.');
  return openFiles({ paths, ...names });
}

/** A source from its definition, for reading units that another process made. Errors: INVALID_ARG. */
export function sourceOf(definition: JsonObject): Source {
  if (definition['kind'] === 'files') return filesOf(definition as unknown as FilesDefinition);
  throw new BerthaError(
    'INVALID_ARG',
    `Expected the definition of a source but received one of kind ${JSON.stringify(definition['kind'])}.`,
  );
}
