import { BerthaError } from 'bertha-encoder';
import type { Filter, FilterBounds, FilterValue } from './store.js';

/** One thing that a filter asks of a row. */
export type Condition =
  | { readonly field: string; readonly kind: 'one of'; readonly values: readonly FilterValue[] }
  | { readonly field: string; readonly kind: 'bound'; readonly operator: '>' | '>=' | '<' | '<='; readonly value: number | string };

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** What a filter asks for, one condition after the other. Errors: INVALID_OPTION for what is no filter. */
export function readFilter(filter: Filter | undefined): Condition[] {
  if (filter === undefined) return [];
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) throw refuse('an object for the filter', filter);
  return Object.entries(filter).flatMap(([field, wanted]): Condition[] => {
    if (field === '' || field.includes('"')) throw refuse('a name without quotation marks for a field of the filter', field);
    if (isValue(wanted)) return [{ field, kind: 'one of', values: [wanted] }];
    if (Array.isArray(wanted)) {
      if (wanted.length === 0 || !wanted.every(isValue)) throw refuse(`strings, numbers, booleans or null for filter ${field}`, wanted);
      return [{ field, kind: 'one of', values: wanted as readonly FilterValue[] }];
    }
    return readBounds(field, wanted as FilterBounds);
  });
}

function readBounds(field: string, bounds: FilterBounds): Condition[] {
  const entries = typeof bounds === 'object' ? Object.entries(bounds) : [];
  if (entries.length === 0) throw refuse(`a value, a list of values, or gt, gte, lt, lte for filter ${field}`, bounds);
  return entries.map(([name, value]) => {
    const isBound = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
    if (!Object.hasOwn(operators, name)) throw refuse(`gt, gte, lt or lte for filter ${field}`, name);
    if (!isBound) throw refuse(`a number or a string for ${name} of filter ${field}`, value);
    return { field, kind: 'bound', operator: operators[name as keyof typeof operators], value };
  });
}

function isValue(value: unknown): value is FilterValue {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}

function refuse(wanted: string, got: unknown): BerthaError {
  return new BerthaError('INVALID_OPTION', `Expected ${wanted} but received ${JSON.stringify(got) ?? String(got)}.`);
}
