import { BerthaError, rerank, semanticSearch, type Embedder, type JsonObject, type Model } from 'bertha-encoder';
import { requireSameModel } from '../store/stored-model.js';
import { storedModelOf, type ModelOptions } from '../indexing/model-key.js';
import type { Filter, Row, Store, StoredModel } from '../store/store.js';
import { fuse } from './fusion.js';

/** How `search` searches. */
export interface StoreSearchOptions extends ModelOptions {
  /** The model whose vectors the store holds; needed unless `mode` is `'keyword'`. */
  readonly embedder?: Embedder | undefined;
  /** By meaning, by words, or both, their places fused. Default `'vector'`. */
  readonly mode?: 'vector' | 'keyword' | 'hybrid' | undefined;
  /** Results at most. Default 10. */
  readonly topK?: number | undefined;
  /** Least score; of `'vector'` a cosine similarity. */
  readonly threshold?: number | undefined;
  /** Conditions on metadata. */
  readonly filter?: Filter | undefined;
  /** A cross-encoder that reads the best results again together with the question and orders them anew. */
  readonly reranker?: Model | undefined;
  /** Results that the reranker reads. Default 50. */
  readonly rerankTop?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A chunk that was found. */
export interface SearchHit {
  readonly id: string;
  readonly docId: string;
  readonly chunkNo: number;
  /** Cosine similarity, 1 / rank among the words' matches, the sum of fusion, or the reranker's, in this order of options. */
  readonly score: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly metadata: JsonObject;
}

/** Places of each list that fusion and reranking look at, at least. */
const kListed = 50;
const kMostResults = 10_000;
/** Embedders whose keys are known: the files of a model are hashed once. */
const models = new WeakMap<Embedder, Promise<StoredModel>>();

/**
 * The chunks of a store that answer a text best. Scores by meaning are exact cosine similarities of the stored vectors, the order is that of `semanticSearch`,
 * and equal scores are in the order of ids.
 *
 * Errors: INVALID_OPTION, STORE_MISMATCH (the store is empty, or holds another model's vectors), those of `Store`, `embed` and `rerank`, the signal's reason.
 *
 * @example
 * const [best] = await search(await openStore('notes.db'), 'how are workers restarted?', { embedder: await loadEmbedder(), mode: 'hybrid' });
 */
export async function search(store: Store, text: string, options: StoreSearchOptions = {}): Promise<SearchHit[]> {
  const { mode = 'vector', topK = 10, threshold = -Infinity, filter, reranker, rerankTop = kListed, signal } = options;
  if (typeof text !== 'string')
    throw new BerthaError('INVALID_ARG', `Expected a string for the text of search but received ${typeof text}.`);
  if (!['vector', 'keyword', 'hybrid'].includes(mode))
    throw new BerthaError('INVALID_OPTION', `Expected vector, keyword or hybrid for option mode but received ${String(mode)}.`);
  for (const [name, value] of Object.entries({ topK, rerankTop })) {
    if (!Number.isInteger(value) || value < 1 || value > kMostResults)
      throw new BerthaError(
        'INVALID_OPTION',
        `Expected a whole number from 1 to ${kMostResults} for option ${name} but received ${value}.`,
      );
  }
  if (store.model === undefined)
    throw new BerthaError(
      'STORE_MISMATCH',
      `Expected a store with vectors in ${store.url} but it is empty. Fill it: bertha index … --store ${store.url}`,
    );
  const most = reranker === undefined ? topK : Math.max(topK, rerankTop);
  const listed = mode === 'hybrid' ? Math.max(kListed, most) : most;
  const query = { topK: listed, filter, signal };
  const byMeaning = mode === 'keyword' ? [] : await nearest(store, text, options, query);
  const byWords = mode === 'vector' ? [] : (await store.matching(text, query)).map((row, i) => hitOf(row, 1 / (i + 1)));
  const found = mode === 'hybrid' ? fused(byMeaning, byWords) : [...byMeaning, ...byWords];
  const ranked = reranker === undefined ? found : await reordered(reranker, text, found.slice(0, most), signal);
  return ranked.filter(({ score }) => score >= threshold).slice(0, topK);
}

interface Query {
  readonly topK: number;
  readonly filter: Filter | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The store's candidates in the exact order. */
async function nearest(store: Store, text: string, options: StoreSearchOptions, query: Query): Promise<SearchHit[]> {
  const { embedder } = options;
  if (embedder === undefined)
    throw new BerthaError('INVALID_OPTION', "Expected an embedder for option embedder but received none. Only mode: 'keyword' needs none.");
  if (!models.has(embedder)) models.set(embedder, storedModelOf(embedder, options));
  requireSameModel(store.model!, await models.get(embedder)!, store.url);
  const { signal } = query;
  const aborting = signal === undefined ? {} : { signal };
  const { vector } = await embedder.encodeQuery(text, aborting);
  const rows = [...(await store.nearest(vector, query))].sort((a, b) => (a.id < b.id ? -1 : 1));
  if (rows.length === 0) return [];
  const vectors = rows.map(({ embedding }) => embedding);
  const ranked = await semanticSearch(vector, vectors, { topK: Math.min(query.topK, rows.length), ...aborting });
  return ranked.map(({ index, score }) => hitOf(rows[index]!, score));
}

function fused(...lists: readonly (readonly SearchHit[])[]): SearchHit[] {
  const hits = new Map(lists.flat().map((hit) => [hit.id, hit]));
  return fuse(lists.map((list) => list.map(({ id }) => id))).map(({ id, score }) => ({ ...hits.get(id)!, score }));
}

async function reordered(reranker: Model, text: string, hits: readonly SearchHit[], signal?: AbortSignal): Promise<SearchHit[]> {
  if (hits.length === 0) return [];
  const texts = hits.map((hit) => hit.text);
  const ranked = await rerank(reranker, text, texts, signal === undefined ? {} : { signal });
  return ranked.map(({ index, score }) => ({ ...hits[index]!, score }));
}

function hitOf({ id, docId, chunkNo, text, start, end, metadata }: Row, score: number): SearchHit {
  return { id, docId, chunkNo, score, text, start, end, metadata };
}
