import type { JsonObject } from 'bertha-encoder';
import type { SourceItem } from './source.js';

/** The fields of a record that make a document. */
export interface FieldNames {
  /** Default `id` where a record has it, else the record's place. */
  readonly idField?: string | undefined;
  /** Default `text`. */
  readonly textField?: string | undefined;
}

const kShown = 60;

/** A record as a document: one field is its text, one its id, the others are its metadata. A record without them is a bad row. */
export function documentOf(
  record: Readonly<Record<string, unknown>>,
  place: string,
  { idField, textField = 'text' }: FieldNames,
): SourceItem {
  const bad = (problem: string): SourceItem => ({ bad: { place, problem } });
  const text = record[textField];
  if (typeof text !== 'string') return bad(`expected a string in field ${JSON.stringify(textField)} but received ${shown(text)}`);
  const id = record[idField ?? 'id'] ?? (idField === undefined ? place : undefined);
  if ((typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'bigint') || id === '')
    return bad(`expected a string or a number in field ${JSON.stringify(idField ?? 'id')} but received ${shown(id)}`);
  const metadata: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) if (name !== textField && value !== undefined) metadata[name] = plain(value);
  return { document: { id: String(id), text, metadata: metadata as JsonObject } };
}

/** A value as JSON can have it: big numbers and bytes as text, dates as ISO 8601. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return typeof value === 'number' && !Number.isFinite(value) ? null : value;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return JSON.parse(JSON.stringify(value)) as unknown;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : (JSON.stringify(plain(value)) ?? String(value)).slice(0, kShown);
}
