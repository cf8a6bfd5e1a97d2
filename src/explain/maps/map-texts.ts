import { inSlices } from '../../calls/text-reader.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { type Check, integer, oneOf, readOptions } from '../../options.js';
import { isEmbedder } from '../../embedding/embedder-check.js';
import { embedderOf, type Embedder } from '../../embedding/embed.js';
import { KMeans } from '../../learn/clusters/k-means.js';
import { PCA } from '../../learn/decomposition/pca.js';
import { NumpyRandom } from '../../learn/split/numpy-random.js';
import type { AnalyzerOptions } from '../../learn/text/tokenize.js';
import { classesOf, placesOf } from '../../learn/linear/labels.js';
import type { Label } from '../../metrics/classification.js';
import { isModel, type Model } from '../../models/index.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { collectionSchema, seedCheck, type CollectionOptions } from '../reading/collection-options.js';
import { keywordSlices, type Keyword } from './keywords.js';
import { kUmapPoints, umapEpochs, umapFile, umapLayout } from './umap.js';

const kMethods = ['pca', 'umap'] as const;

/** Options of `mapTexts`. */
export interface MapOptions extends CollectionOptions {
  /**
   * How vectors become points: the first two principal components (default), or UMAP, which keeps neighbours together and nothing else, by
   * the package umap-js, an optional peer.
   */
  readonly method?: (typeof kMethods)[number] | undefined;
  /** Clusters of k-means, over the vectors. Default 8, fewer where there are fewer texts. Not beside `labels`. */
  readonly clusters?: number | undefined;
  /** Groups that are known: a label for each text, in the place of clusters. */
  readonly labels?: readonly Label[] | undefined;
  /** Words that tell each group from the others; 0: none. Default 8. */
  readonly keywords?: number | undefined;
  /** How texts become words; `{ tokenizer: segmentWords }` for Chinese. */
  readonly analyzer?: AnalyzerOptions | undefined;
  /** Of first centres, of the sample and of UMAP. Default 1. */
  readonly seed?: number | undefined;
  /** Texts at most; of more, so many are drawn. Default 20,000. */
  readonly maxPoints?: number | undefined;
}

/** A text in the plane. */
export interface MapPoint {
  /** Its place in the list that was given. */
  readonly index: number;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** The number of its group. */
  readonly group: number;
}

/** A cluster, or the texts of a label. */
export interface MapGroup {
  /** The label, or `cluster 0` and so on. */
  readonly name: string;
  readonly size: number;
  readonly keywords: readonly Keyword[];
}

/** Texts in a plane: neighbours are alike; distances between groups mean little. */
export interface TextMap {
  readonly points: readonly MapPoint[];
  readonly groups: readonly MapGroup[];
  readonly method: (typeof kMethods)[number];
  readonly seed: number;
  /** The shares of the variance that the two axes show. Axes of UMAP have none. */
  readonly explainedVarianceRatio?: readonly [number, number];
  /** How many texts were given; more than there are points where a sample was drawn. */
  readonly total: number;
  readonly warnings: readonly string[];
}

const labelList: Check<readonly Label[]> = (value, name) => {
  if (Array.isArray(value)) return value as readonly Label[];
  throw wrongArgument(`a list of labels for ${name}`, value);
};
const schema = {
  method: oneOf(kMethods),
  clusters: integer(1, 1000),
  labels: labelList,
  keywords: integer(0, 1000),
  analyzer: (value: unknown): AnalyzerOptions => value as AnalyzerOptions,
  seed: seedCheck,
  maxPoints: integer(2, 1_000_000),
  ...collectionSchema,
};

/** Variance of a second component below this share of the first is rounding noise. */
const kNoise = 1e-12;

/**
 * Texts as points of a plane, in groups with the words that tell them apart. Texts are embedded, or come with their vectors. UMAP runs in a thread
 * of its own; `onProgress` counts its epochs after the texts. Equal seeds give equal points.
 *
 * Errors: INVALID_ARG below 2 texts (4 of UMAP), for vectors that are not finite or of different widths, and labels of another number; INVALID_OPTION, also
 * where umap-js is not installed; those of `embed`; OUT_OF_MEMORY; the signal's reason.
 *
 * @example
 * const { points, groups } = await mapTexts(embedder, texts, { clusters: 8, keywords: 5 });
 */
export async function mapTexts(
  embedder: Embedder | Model | readonly ArrayLike<number>[],
  texts: readonly string[],
  options?: MapOptions,
): Promise<TextMap> {
  const settings = readOptions('mapTexts', options, schema);
  const { method = 'pca', labels, keywords = 8, analyzer, seed = 1, maxPoints = 20_000, signal, onProgress } = settings;
  if (!Array.isArray(texts) || texts.length < 2 || texts.some((text) => typeof text !== 'string')) {
    throw wrongArgument('a list of 2 texts or more for mapTexts', texts);
  }
  if (labels !== undefined && labels.length !== texts.length) {
    throw unexpected('INVALID_ARG', `a label for each of ${texts.length} texts of mapTexts`, labels.length);
  }
  if (labels !== undefined && settings.clusters !== undefined)
    throw unexpected('INVALID_OPTION', 'either clusters or labels for mapTexts', 'both');
  const indices = sample(texts.length, maxPoints, seed);
  if (method === 'umap' && indices.length < kUmapPoints)
    throw unexpected('INVALID_ARG', `${kUmapPoints} texts or more for method 'umap' of mapTexts`, indices.length);
  const file = method === 'umap' ? umapFile() : undefined;
  const own = indices.map((index) => texts[index]!);
  const embedded = Array.isArray(embedder) ? 0 : own.length;
  const total = embedded + (file === undefined ? 0 : umapEpochs(own.length));
  const tell = (done: number): void => onProgress?.({ done, total });
  const vectors = await vectorsFor(embedder, indices, own, tell, signal);
  const warnings: string[] = [];
  if (indices.length < texts.length) warnings.push(`${indices.length} of ${texts.length} texts were drawn.`);
  const { xs, ys, ratio } =
    file === undefined ? await project(vectors) : await umapPlane(vectors, file, seed, (epoch) => tell(embedded + epoch), signal);
  if (ratio?.[1] === 0) warnings.push('The vectors differ in one direction at most: all points are on a line.');
  const { places, names } =
    labels === undefined ? await cluster(vectors, settings.clusters, seed, signal) : named(indices.map((i) => labels[i]!));
  const words = keywords === 0 ? [] : await inSlices(keywordSlices(own, places, { top: keywords, analyzer }), new Budget(signal, 'bulk'));
  const sizes = new Int32Array(names.length);
  for (const place of places) sizes[place]!++;
  return {
    points: indices.map((index, i) => ({ index, text: own[i]!, x: xs[i]!, y: ys[i]!, group: places[i]! })),
    groups: names.map((name, group) => ({ name, size: sizes[group]!, keywords: words[group] ?? [] })),
    method,
    seed,
    ...(ratio && { explainedVarianceRatio: ratio }),
    total: texts.length,
    warnings,
  };
}

/** Row numbers in their order, or as many drawn ones. */
function sample(count: number, most: number, seed: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return new NumpyRandom(seed)
    .permutation(count)
    .slice(0, most)
    .sort((a, b) => a - b);
}

async function vectorsFor(
  given: Embedder | Model | readonly ArrayLike<number>[],
  indices: readonly number[],
  texts: readonly string[],
  tell: (done: number) => void,
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  if (Array.isArray(given)) {
    return inSlices(rowSlices(given as readonly ArrayLike<number>[], indices), new Budget(signal, 'bulk'));
  }
  if (!isEmbedder(given) && !isModel(given)) throw wrongArgument('an embedder, a model or vectors for mapTexts', given);
  const embedder = isEmbedder(given) ? given : embedderOf(given);
  const vectors: Float32Array[] = [];
  for await (const { vector } of embedder.embedMany(texts, { signal, priority: 'bulk' })) {
    vectors.push(vector);
    if (vectors.length % 256 === 0 || vectors.length === texts.length) tell(vectors.length);
  }
  return vectors;
}

/** The vectors of the rows, a row in each slice. Errors: INVALID_ARG. */
function* rowSlices(given: readonly ArrayLike<number>[], indices: readonly number[]): Generator<void, Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const index of indices) {
    const row = Float32Array.from(given[index] ?? []);
    const width = rows[0]?.length ?? row.length;
    if (row.length !== width || width === 0 || row.some((value) => !Number.isFinite(value))) {
      throw unexpected('INVALID_ARG', `a vector of ${width} finite numbers for each text of mapTexts`, `another at index ${index}`);
    }
    rows.push(row);
    yield;
  }
  return rows;
}

interface Plane {
  readonly xs: Float64Array;
  readonly ys: Float64Array;
}

async function umapPlane(...given: Parameters<typeof umapLayout>): Promise<Plane & { readonly ratio?: undefined }> {
  const points = await umapLayout(...given);
  return { xs: points.filter((_, i) => i % 2 === 0), ys: points.filter((_, i) => i % 2 === 1) };
}

/** The first two principal components; the second is 0 where it is rounding noise. */
export async function project(vectors: readonly Float32Array[]): Promise<Plane & { readonly ratio: readonly [number, number] }> {
  const count = vectors.length;
  const components = Math.min(2, vectors[0]!.length, count);
  const zeros = new Float64Array(count);
  const first = vectors[0]!;
  if (vectors.every((vector) => vector.every((value, i) => value === first[i]))) return { xs: zeros, ys: zeros, ratio: [0, 0] };
  const pca = await new PCA({ nComponents: components }).fit(vectors);
  const { data } = await pca.transform(vectors);
  const [own = 0, second = 0] = pca.explainedVarianceRatio;
  const hasSecond = components === 2 && second > kNoise * own;
  const column = (of: number): Float64Array => Float64Array.from({ length: count }, (_, i) => data[i * components + of]!);
  return { xs: column(0), ys: hasSecond ? column(1) : zeros, ratio: [own, hasSecond ? second : 0] };
}

interface Grouping {
  readonly places: Int32Array;
  readonly names: readonly string[];
}

async function cluster(
  vectors: readonly Float32Array[],
  wanted: number | undefined,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<Grouping> {
  const nClusters = Math.min(wanted ?? 8, vectors.length);
  const { labels } = await new KMeans({ nClusters, nInit: 4, seed }).fit(vectors, { signal });
  return { places: labels, names: Array.from({ length: nClusters }, (_, i) => `cluster ${i}`) };
}

function named(labels: readonly Label[]): Grouping {
  const classes = classesOf(labels, 'labels of mapTexts');
  return { places: placesOf(labels, classes, 'labels of mapTexts'), names: classes.map(String) };
}
