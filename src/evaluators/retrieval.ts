// Evaluators of search and of reranking, as those of sentence-transformers 6.2.
import { unexpected } from '../expected.js';
import { averagePrecision, averagePrecisionAt, normalizedGain, reciprocalRank, scoredGain } from '../metrics/index.js';
import { semanticSearch } from '../vectors/semantic-search.js';
import { similarity } from '../vectors/similarity.js';
import { asDocuments, asQueries, embedOnce, requireLists, type Vectorizer } from './vectorizer.js';

/** Queries and documents by their ids, and which documents answer which query. */
export interface RetrievalData {
  readonly queries: Readonly<Record<string, string>>;
  readonly corpus: Readonly<Record<string, string>>;
  /** Ids of documents by the query's id; queries without are left out. */
  readonly relevant: Readonly<Record<string, readonly string[]>>;
}

/** Options of `evaluateRetrieval`: at how many results each score is taken. */
export interface RetrievalOptions {
  /** Default [1, 3, 5, 10]. */
  readonly accuracyAt?: readonly number[] | undefined;
  /** Default [1, 3, 5, 10]. */
  readonly precisionRecallAt?: readonly number[] | undefined;
  /** Default [10]. */
  readonly mrrAt?: readonly number[] | undefined;
  /** Default [10]. */
  readonly ndcgAt?: readonly number[] | undefined;
  /** Default [100]. */
  readonly mapAt?: readonly number[] | undefined;
  /** Default `'cosine'`. */
  readonly score?: 'cosine' | 'dot' | undefined;
}

/** Means over the queries, by the number of results looked at. */
export interface RetrievalEvaluation {
  readonly accuracy: Readonly<Record<number, number>>;
  readonly precision: Readonly<Record<number, number>>;
  readonly recall: Readonly<Record<number, number>>;
  readonly mrr: Readonly<Record<number, number>>;
  readonly ndcg: Readonly<Record<number, number>>;
  readonly map: Readonly<Record<number, number>>;
}

/** Searches a corpus for each query: `InformationRetrievalEvaluator`. Errors: INVALID_ARG, and those of `embed` and `semanticSearch`. */
export async function evaluateRetrieval(
  model: Vectorizer,
  { queries, corpus, relevant }: RetrievalData,
  options: RetrievalOptions = {},
): Promise<RetrievalEvaluation> {
  const { accuracyAt = [1, 3, 5, 10], precisionRecallAt = [1, 3, 5, 10], mrrAt = [10], ndcgAt = [10], mapAt = [100], score } = options;
  const ids = Object.keys(queries).filter((id) => (relevant[id]?.length ?? 0) > 0);
  const documents = Object.keys(corpus);
  if (ids.length === 0 || documents.length === 0) {
    throw unexpected(
      'INVALID_ARG',
      'queries with relevant documents for evaluateRetrieval',
      `${ids.length} and ${documents.length} documents`,
    );
  }
  const wanted = await asQueries(model)(ids.map((id) => queries[id]!));
  const vectors = await asDocuments(model)(documents.map((id) => corpus[id]!));
  const topK = Math.max(...accuracyAt, ...precisionRecallAt, ...mrrAt, ...ndcgAt, ...mapAt);
  const results = await semanticSearch(wanted, vectors, { topK, score });
  const lists = results.map((found, q) => {
    const right = new Set(relevant[ids[q]!]);
    // Equal scores: ids in order, as sentence-transformers breaks ties.
    const order = found.map(({ index, score }) => ({ id: documents[index]!, score }));
    order.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
    return { hits: order.map(({ id }) => right.has(id)), count: right.size };
  });
  type List = (typeof lists)[number];
  const means = (at: readonly number[], of: (list: List, k: number) => number): Record<number, number> =>
    Object.fromEntries(at.map((k) => [k, lists.reduce((sum, list) => sum + of(list, k), 0) / lists.length]));
  const hitsAt = ({ hits }: List, k: number): number => hits.slice(0, k).filter(Boolean).length;
  return {
    accuracy: means(accuracyAt, (list, k) => (hitsAt(list, k) > 0 ? 1 : 0)),
    precision: means(precisionRecallAt, (list, k) => hitsAt(list, k) / k),
    recall: means(precisionRecallAt, (list, k) => hitsAt(list, k) / list.count),
    mrr: means(mrrAt, ({ hits }, k) => reciprocalRank(hits, k)),
    ndcg: means(ndcgAt, ({ hits, count }, k) => normalizedGain(hits.map(Number), new Array<number>(count).fill(1), k)),
    map: means(mapAt, ({ hits, count }, k) => averagePrecisionAt(hits, count, k)),
  };
}

/** A query with documents that answer it and others that do not. */
export interface RerankingSample {
  readonly query: string;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
}

/** Means over the samples. */
export interface RerankingEvaluation {
  readonly map: number;
  readonly mrr: number;
  readonly ndcg: number;
}

/**
 * Ranks the documents of each sample by their similarity to its query: `RerankingEvaluator`; `at` (default 10) is how many MRR and NDCG
 * look at. Samples without positives or negatives are left out.
 *
 * Errors: INVALID_ARG, and those of `embed`.
 */
export async function evaluateReranking(
  model: Vectorizer,
  samples: readonly RerankingSample[],
  { at = 10 }: { readonly at?: number | undefined } = {},
): Promise<RerankingEvaluation> {
  requireLists('evaluateReranking', samples);
  const used = samples.filter(({ positive, negative }) => positive.length > 0 && negative.length > 0);
  requireLists('the samples of evaluateReranking that have positives and negatives', used);
  const queryVector = await embedOnce(
    asQueries(model),
    used.map(({ query }) => query),
  );
  const vectorOf = await embedOnce(
    asDocuments(model),
    used.flatMap(({ positive, negative }) => [...positive, ...negative]),
  );
  const sums = { map: 0, mrr: 0, ndcg: 0 };
  for (const { query, positive, negative } of used) {
    const isRelevant = [...positive.map(() => true), ...negative.map(() => false)];
    const scores = [...similarity(queryVector(query), [...positive, ...negative].map(vectorOf))];
    const ranked = scores
      .map((_, i) => i)
      .sort((i, j) => scores[j]! - scores[i]!)
      .map((i) => isRelevant[i]!);
    sums.map += averagePrecision(isRelevant, scores);
    sums.mrr += reciprocalRank(ranked, at);
    sums.ndcg += scoredGain(isRelevant.map(Number), scores, at);
  }
  return { map: sums.map / used.length, mrr: sums.mrr / used.length, ndcg: sums.ndcg / used.length };
}
