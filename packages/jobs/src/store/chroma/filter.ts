import { BerthaError } from 'bertha-encoder';
import { readFilter, type Condition } from '../filter.js';
import { storable } from '../records.js';
import type { Filter, FilterValue } from '../store.js';
import type { ChromaMetadata, ChromaWhere } from './client.js';

/** What stands before the names of a document's own metadata. */
const kOwn = 'meta.';
/** The names of the metadata that have a value. */
const kFields = 'fields';
const operators = { '>': '$gt', '>=': '$gte', '<': '$lt', '<=': '$lte' } as const;

/** What filters look at: a value each of a document's metadata that is one, and the names of all that are not null. */
export function fieldsOf(metadata: object): ChromaMetadata {
  const present = Object.entries(metadata).filter(([, value]) => value !== null && value !== undefined);
  const values = present.filter((entry): entry is [string, string | number | boolean] => typeof entry[1] !== 'object');
  return {
    ...(present.length === 0 ? {} : { [kFields]: present.map(([name]) => storable(name)) }),
    ...Object.fromEntries(values.map(([name, value]) => [kOwn + storable(name), typeof value === 'string' ? storable(value) : value])),
  };
}

/** Whether a record has what its new metadata does not name: Chroma would keep it. */
export function hasMore(before: ChromaMetadata | undefined, metadata: ChromaMetadata): boolean {
  return Object.keys(before ?? {}).some((name) => (name === kFields || name.startsWith(kOwn)) && !Object.hasOwn(metadata, name));
}

/** A filter in Chroma's words; undefined where it asks for nothing. Errors: INVALID_OPTION, also for bounds of strings, which Chroma cannot compare. */
export function whereOf(filter: Filter | undefined): ChromaWhere | undefined {
  return joined('$and', readFilter(filter).map(partOf)); // prettier-ignore
}

/** Conditions that all hold, or of which one does. */
export function joined(operator: '$and' | '$or', parts: readonly ChromaWhere[]): ChromaWhere | undefined {
  return parts.length < 2 ? parts[0] : { [operator]: parts };
}

function partOf(condition: Condition): ChromaWhere {
  const { field } = condition;
  const isId = field === 'docId';
  const key = isId ? 'doc_id' : kOwn + storable(field);
  if (condition.kind === 'bound') {
    if (isId || typeof condition.value === 'string')
      throw new BerthaError(
        'INVALID_OPTION',
        `Expected numbers as bounds of filter ${field}, because Chroma compares no strings, but received ${JSON.stringify(condition.value)}. ` +
          'Keep a number (such as 20240131) in the metadata, or use a store in SQLite, LanceDB or PostgreSQL.',
      );
    return { [key]: { [operators[condition.operator]]: condition.value } };
  }
  if (isId) return { [key]: { $in: condition.values.map((value) => storable(String(value))) } };
  const equal = condition.values.map((value) => equalTo(key, field, value));
  return joined('$or', equal)!;
}

function equalTo(key: string, field: string, value: FilterValue): ChromaWhere {
  if (value === null) return { [kFields]: { $not_contains: storable(field) } };
  return { [key]: { $eq: typeof value === 'string' ? storable(value) : value } };
}
