import { readFilter, type Condition } from '../filter.js';
import type { StoreQuery } from '../store.js';
import { wordsOf } from '../words.js';
import { distanceOf, type Names, type VectorIndex } from './schema.js';
import { storable } from '../records.js';
import { selected, storableJson, vectorText } from './values.js';

/** A statement and the values for its marks. */
export interface Query {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** What pgvector's float32 sums may be off by: everything within it of the last place is a candidate, so that the exact ranking misses none. */
const kSlack = 1e-5;
/** Candidates beyond `topK`: so many equal texts, and the last places are left to chance. */
const kMostTies = 1000;
/** A vector of zeros has no angle: it counts as orthogonal. */
const distance = (vector: string): string => `coalesce(nullif(r.embedding <=> ${vector}, 'NaN'), 1)`;

/** Rows nearest to a vector, compared with all of them. */
export function exactQuery(names: Names, vector: Float32Array, query: StoreQuery): Query {
  const values = new Values();
  const wanted = `${values.mark(vectorText(vector))}::vector`;
  const where = whereOf(query, values);
  const inner = `select r.id, ${distance(wanted)} as distance from ${names.rows} r ${where} order by distance, r.id limit ${query.topK + kMostTies}`;
  return { sql: nearOf(names, inner, query.topK), values: values.all };
}

/** How many candidates HNSW is asked for, and with which `hnsw.ef_search`. */
export interface Breadth {
  readonly candidates: number;
  readonly efSearch: number;
}

const kMostEfSearch = 1000;
const kLeastEfSearch: Readonly<Record<VectorIndex, number>> = { vector: 200, halfvec: 200, binary: 400 };
const perResult: Readonly<Record<VectorIndex, number>> = { vector: 1, halfvec: 2, binary: 40 };
/** `ef_search` for each candidate: over signs, where candidates are many, more than one finds nothing new. */
const perCandidate: Readonly<Record<VectorIndex, number>> = { vector: 2, halfvec: 2, binary: 1 };

/** The breadth for `topK` results; undefined where HNSW cannot give so many. */
export function breadthOf(kind: VectorIndex, topK: number): Breadth | undefined {
  const candidates = Math.max(topK + 10, topK * perResult[kind]);
  const efSearch = Math.max(kLeastEfSearch[kind], perCandidate[kind] * candidates);
  return efSearch > kMostEfSearch ? undefined : { candidates, efSearch };
}

/** Rows nearest to a vector by HNSW of a kind, in the order of whole vectors. */
export function indexQuery(names: Names, kind: VectorIndex, vector: Float32Array, query: StoreQuery, { candidates }: Breadth): Query {
  const values = new Values();
  const wanted = `${values.mark(vectorText(vector))}::vector(${vector.length})`;
  const where = whereOf(query, values);
  const { of, operator } = distanceOf(kind, vector.length);
  const inner =
    `select found.id, coalesce(nullif(found.embedding <=> ${wanted}, 'NaN'), 1) as distance from (select r.id, r.embedding from ${names.rows} r ` +
    `${where} order by ${of('r.embedding')} ${operator} ${of(wanted)} limit ${candidates}) found`;
  return { sql: nearOf(names, inner, query.topK), values: values.all };
}

/** The whole rows of the nearest ones, those that are as near as the last place included. */
function nearOf({ rows }: Names, inner: string, topK: number): string {
  return `with near as materialized (${inner})
    select ${selected} from near join ${rows} r using (id)
    where near.distance <= coalesce((select distance from near order by distance limit 1 offset ${topK - 1}), 2) + ${kSlack}
    order by near.distance, r.id limit ${topK + kMostTies}`;
}

/** Rows that have one of the words, by PostgreSQL's full-text search; undefined where there is no word. */
export function matchQuery({ rows }: Names, text: string, query: StoreQuery): Query | undefined {
  const wanted = wordsOf(storable(text));
  if (wanted.length === 0) return undefined;
  const values = new Values();
  const quoted = wanted.map((word) => `'${word.replaceAll(/['\\]/g, '$&$&')}'`).join(' | ');
  const words = `to_tsquery('simple', ${values.mark(quoted)})`;
  const where = whereOf(query, values, `r.words @@ ${words}`);
  return {
    sql: `select ${selected} from ${rows} r ${where} order by ts_rank(r.words, ${words}, 1) desc, r.id limit ${query.topK}`,
    values: values.all,
  };
}

/** Values in the order of their marks. */
class Values {
  readonly all: unknown[] = [];

  mark(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

function whereOf({ filter }: StoreQuery, values: Values, first?: string): string {
  const parts = [...(first === undefined ? [] : [first]), ...readFilter(filter).map((condition) => partOf(condition, values))];
  return parts.length === 0 ? '' : `where ${parts.join(' and ')}`;
}

function partOf(condition: Condition, values: Values): string {
  const isId = condition.field === 'docId';
  const field = (): string => values.mark(storable(condition.field));
  if (condition.kind === 'bound') {
    const { operator, value } = condition;
    if (isId) return `r.doc_id ${operator} ${values.mark(storable(String(value)))}`;
    const name = field();
    const [kind, as] = typeof value === 'number' ? ['number', '::numeric'] : ['string', ' collate "C"'];
    const bound = `${values.mark(typeof value === 'number' ? value : storable(value))}${typeof value === 'number' ? '::numeric' : '::text'}`;
    // Only `case` keeps what follows from being computed of a value of another kind.
    return `case when jsonb_typeof(r.metadata -> ${name}::text) = '${kind}' then (r.metadata ->> ${name}::text)${as} ${operator} ${bound} else false end`;
  }
  if (isId) return `r.doc_id = any(${values.mark(condition.values.map((value) => storable(String(value))))}::text[])`;
  const name = field();
  const isAny = `r.metadata -> ${name}::text = any(${values.mark(condition.values.map(storableJson))}::jsonb[])`;
  return condition.values.includes(null) ? `(${isAny} or r.metadata -> ${name}::text is null)` : isAny;
}
