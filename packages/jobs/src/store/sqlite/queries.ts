import { readFilter, type Condition } from '../filter.js';
import type { FilterValue, StoreQuery } from '../store.js';
import { wordsOf } from '../words.js';
import type { SqliteValue } from './driver.js';
import type { Names } from './schema.js';

/** A statement and the values for its marks, in order. */
export interface Query {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

/** What sqlite-vec's float32 sums may be off by: everything within it of the last place is a candidate, so that the exact ranking misses none. */
const kSlack = 1e-5;
/** Candidates beyond `topK`: so many equal texts, and the last places are left to chance. */
const kMostTies = 1000;

/** Rows nearest to a vector, by sqlite-vec's cosine over all vectors. A vector of zeros has no angle: it counts as orthogonal. */
export function nearestQuery({ rows, vectors }: Names, vector: Uint8Array, { topK, filter }: StoreQuery): Query {
  const { sql, values } = whereOf(readFilter(filter));
  const from = sql === '' ? vectors : `${vectors} join ${rows} r using (row) where ${sql}`;
  return {
    sql: `with near as materialized (select row, coalesce(vec_distance_cosine(embedding, ?), 1) as distance from ${from})
      select r.*, v.embedding from near join ${rows} r using (row) join ${vectors} v using (row)
      where distance <= coalesce((select distance from near order by distance limit 1 offset ?), 2) + ${kSlack}
      order by distance, id limit ?`,
    values: [vector, ...values, topK - 1, topK + kMostTies],
  };
}

/** Rows that have one of the words, by FTS5 and its BM25; undefined where there is no word. */
export function matchQuery({ rows, vectors, words }: Names, text: string, { topK, filter }: StoreQuery): Query | undefined {
  const wanted = wordsOf(text);
  if (wanted.length === 0) return undefined;
  const { sql, values } = whereOf(readFilter(filter));
  return {
    sql: `select r.*, v.embedding from ${words} w join ${rows} r on r.row = w.rowid join ${vectors} v using (row)
      where ${words} match ? ${sql === '' ? '' : `and ${sql}`} order by bm25(${words}), r.id limit ?`,
    values: [wanted.map((word) => `"${word}"`).join(' OR '), ...values, topK],
  };
}

/** What conditions ask of a table `r` with `doc_id` and `metadata`; `''` where there are none. */
export function whereOf(conditions: readonly Condition[]): Query {
  const parts = conditions.map(partOf);
  return { sql: parts.map(({ sql }) => `(${sql})`).join(' and '), values: parts.flatMap(({ values }) => values) };
}

function partOf(condition: Condition): Query {
  const isId = condition.field === 'docId';
  const path = `$."${condition.field}"`;
  if (condition.kind === 'bound') {
    if (isId) return { sql: `r.doc_id ${condition.operator} ?`, values: [String(condition.value)] };
    const kinds = typeof condition.value === 'number' ? `'integer', 'real'` : `'text'`;
    return {
      sql: `json_type(r.metadata, ?) in (${kinds}) and json_extract(r.metadata, ?) ${condition.operator} ?`,
      values: [path, path, condition.value],
    };
  }
  const { values } = condition;
  if (isId) return { sql: `r.doc_id in (${values.map(() => '?').join(', ')})`, values: values.map(String) };
  // As JSON, so that 1, '1' and true differ.
  const equal = values.map((value): Query => {
    const isEqual = { sql: `r.metadata -> ? = ?`, values: [path, jsonOf(value)] };
    return value === null ? { sql: `(${isEqual.sql} or r.metadata -> ? is null)`, values: [...isEqual.values, path] } : isEqual;
  });
  return { sql: equal.map(({ sql }) => sql).join(' or '), values: equal.flatMap((each) => each.values) };
}

function jsonOf(value: FilterValue): string {
  return JSON.stringify(value);
}
