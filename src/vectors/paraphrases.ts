import { abortSignal, finite, integer, oneOf, readOptions, type Options } from '../options.js';
import { wrongArgument } from '../expected.js';
import { searchRows } from './pool.js';
import { toRows } from './rows.js';
import type { VectorLike, VectorMatrix } from './vector-like.js';

/** Options of `paraphraseMining`. */
export interface ParaphraseOptions {
  /** Partners of each vector at most. Default 100. */
  readonly topK?: number | undefined;
  /** Pairs at most, the best ones. Default 500,000. */
  readonly maxPairs?: number | undefined;
  /** Least score of a pair. Default: none. */
  readonly threshold?: number | undefined;
  /** Cosine similarity (default) or dot product. */
  readonly score?: 'cosine' | 'dot' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What turns texts into vectors, such as an embedder. */
export interface TextEmbedder {
  /** The vectors of texts, in their order. Rejects with the signal's reason. */
  embed(texts: readonly string[], options: { readonly signal?: AbortSignal | undefined }): Promise<readonly VectorLike[]>;
}

/** Two vectors of a list, `i` before `j`, and how alike they are. */
export interface VectorPair {
  readonly i: number;
  readonly j: number;
  readonly score: number;
}

const schema = {
  topK: integer(1, 2 ** 31),
  maxPairs: integer(1, 2 ** 31),
  threshold: finite,
  score: oneOf(['cosine', 'dot']),
  signal: abortSignal,
};

/**
 * The pairs of vectors that are most alike, as `sentence_transformers.util.paraphrase_mining_embeddings` finds them: of each vector its
 * `topK` nearest others, each pair once, best first; equal scores in the order of `i`, then `j`. Computed on the pool, in float64. With an
 * embedder and texts, the pairs of texts, as `paraphrase_mining` finds them: the texts are embedded first.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, ADDON_LOAD, OUT_OF_MEMORY, those of `embed`, the signal's reason.
 *
 * @example
 * for (const { i, j, score } of await paraphraseMining(embedder, texts, { threshold: 0.8 })) console.log(score, texts[i], texts[j]);
 */
export async function paraphraseMining(vectors: readonly VectorLike[] | VectorMatrix, options?: ParaphraseOptions): Promise<VectorPair[]>;
export async function paraphraseMining(
  embedder: TextEmbedder,
  texts: readonly string[],
  options?: ParaphraseOptions,
): Promise<VectorPair[]>;
export async function paraphraseMining(
  source: TextEmbedder | readonly VectorLike[] | VectorMatrix,
  ...rest: readonly unknown[]
): Promise<VectorPair[]> {
  if (!isEmbedder(source)) return minePairs(source, readOptions('paraphraseMining', rest[0], schema));
  const [texts, options] = rest;
  if (!Array.isArray(texts)) throw wrongArgument('a list of texts for paraphraseMining', texts);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0) throw wrongArgument(`a string for text ${wrong} of paraphraseMining`, texts[wrong]);
  const settings = readOptions('paraphraseMining', options, schema);
  const vectors = texts.length === 0 ? [] : await source.embed(texts as string[], { signal: settings.signal });
  return minePairs(vectors, settings);
}

function isEmbedder(source: unknown): source is TextEmbedder {
  return typeof source === 'object' && source !== null && typeof (source as { embed?: unknown }).embed === 'function';
}

async function minePairs(vectors: readonly VectorLike[] | VectorMatrix, settings: Options<typeof schema>): Promise<VectorPair[]> {
  const { topK = 100, maxPairs = 500_000, threshold = -Infinity, score = 'cosine', signal } = settings;
  const [rows, corpus] = [0, 1].map(() => toRows(vectors, 'the vectors of paraphraseMining'));
  const { count } = rows!;
  let pairs: VectorPair[] = [];
  // Pairs by their two indices: the same one is found from either side.
  let known = new Set<number>();
  const keepBest = (most: number): void => {
    pairs = pairs.sort((a, b) => b.score - a.score || a.i - b.i || a.j - b.j).slice(0, most);
    known = new Set(pairs.map(({ i, j }) => i * count + j));
  };
  const wanted = { name: 'paraphraseMining', topK: Math.min(topK + 1, count), threshold, isCosine: score === 'cosine', signal };
  let [query, left] = [-1, 0];
  await searchRows(rows!, corpus!, wanted, (first, indices, scores) => {
    if (first !== query) [query, left] = [first, topK];
    for (let at = 0; at < indices.length && left > 0; at++) {
      const second = indices[at]!;
      if (second === first) continue;
      left--;
      const [i, j] = first < second ? [first, second] : [second, first];
      if (known.has(i * count + j)) continue;
      known.add(i * count + j);
      pairs.push({ i, j, score: scores[at]! });
    }
    if (pairs.length >= 2 * maxPairs + 1024) keepBest(maxPairs);
  });
  keepBest(maxPairs);
  return pairs;
}
