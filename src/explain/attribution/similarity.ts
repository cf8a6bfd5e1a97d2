import { requireString, requireModel } from '../../calls/inputs.js';
import { unexpected, wrongArgument } from '../../expected.js';
import { inSlices } from '../../calls/text-reader.js';
import { isEmbedder } from '../../embedding/embedder-check.js';
import type { Embedder } from '../../embedding/embed.js';
import { isModel, type Model, type ModelTensor } from '../../models/index.js';
import { oneOf, readOptions } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { similarity } from '../../vectors/similarity.js';
import { resolveBaseline } from '../evaluation/baseline.js';
import { valuesOf, type Running } from '../evaluation/evaluate.js';
import type { Score } from '../evaluation/score.js';
import { readExplained, type ExplainedText, type ExplainedToken } from '../reading/explained-text.js';
import { attribute, type Attribution } from './attribute.js';
import { attributionSchema, runningOf, type AttributionOptions } from './options.js';

/** Options of `explainSimilarity`. */
export interface SimilarityOptions extends AttributionOptions {
  /**
   * The token × token map: `'exact'` splits the cosine among pairs of tokens, which needs mean pooling; `'maxsim'` has the cosines of the tokens' vectors.
   * Default: exact where it can be.
   */
  readonly map?: 'exact' | 'maxsim' | undefined;
}

/** Why two texts are similar. */
export interface SimilarityExplanation {
  readonly cosine: number;
  /** What each word of a text adds to the cosine, the other text's vector being fixed. */
  readonly a: Attribution;
  readonly b: Attribution;
  /** [tokens of a, tokens of b]; special tokens have their rows and columns. */
  readonly map: ModelTensor;
  readonly tokensA: readonly ExplainedToken[];
  readonly tokensB: readonly ExplainedToken[];
  /** Whether the map's numbers add up to the cosine. */
  readonly additive: boolean;
  readonly warnings: readonly string[];
  /** The model's directory. */
  readonly model: string;
}

const schema = { ...attributionSchema, map: oneOf(['exact', 'maxsim']) };

/**
 * Says why two texts are similar: what each word adds to the cosine of their vectors, and which pairs of tokens it comes from.
 *
 * Errors: as `explain`; POOLING and others where sentence vectors cannot be made; INVALID_OPTION for an exact map of another pooling than the mean.
 *
 * @example
 * const { cosine, a, map } = await explainSimilarity(embedder, 'How do I reset it?', 'Restarting the device');
 */
export async function explainSimilarity(
  embedder: Embedder | Model,
  a: string,
  b: string,
  options?: SimilarityOptions,
): Promise<SimilarityExplanation> {
  const model = modelOf(embedder);
  requireModel(model, 'explainSimilarity');
  const settings = readOptions('explainSimilarity', options, schema);
  const running = runningOf(settings);
  const baseline = resolveBaseline(model, settings.baseline ?? 'pad');
  const reads: ExplainedText[] = [];
  for (const [i, text] of [a, b].entries()) {
    const { maxLength, splitSpecialTokens, signal } = settings;
    const name = `text ${i === 0 ? 'a' : 'b'} of explainSimilarity`;
    const read = await readExplained('explainSimilarity', model, requireString(text, name), {
      maxLength,
      splitSpecialTokens,
      signal,
      isSentence: true,
    });
    if (read.tokens.length === 0) throw unexpected('EMPTY_INPUT', `tokens in ${name}`, 'none');
    reads.push(read);
  }
  const [first, second] = reads as [ExplainedText, ExplainedText];
  const vectors = await vectorsOf(model, reads, running);
  const cosine = similarity(vectors[0]!, vectors[1]!);
  const map = await mapOf(model, first, second, settings.map, running);
  const warnings: string[] = [];
  if (vectors.some((vector) => Math.hypot(...vector) === 0))
    warnings.push('The vector of a text is zero: its cosine is 0 whatever the other text is.');
  const attributionOf = (read: ExplainedText, other: Float32Array): Promise<Attribution> =>
    attribute({ model, read, score: similarityScore(other), baseline, running }, settings);
  return {
    cosine,
    a: await attributionOf(first, vectors[1]!),
    b: await attributionOf(second, vectors[0]!),
    ...map,
    tokensA: first.tokens,
    tokensB: second.tokens,
    warnings,
    model: model.directory,
  };
}

/** The model of an embedder, or a model itself. Errors: INVALID_ARG. */
export function modelOf(embedder: unknown): Model {
  if (isEmbedder(embedder)) return embedder.model;
  if (isModel(embedder)) return embedder;
  throw wrongArgument('an embedder or a model for the first argument', embedder);
}

/** The cosine with a vector of length 1. */
export function similarityScore(other: Float32Array): Score {
  return { value: 'normalizedVector', terms: Array.from(other, (coefficient, column) => ({ column, coefficient })) };
}

/** The texts' vectors, of length 1. */
export async function vectorsOf(model: Model, reads: readonly ExplainedText[], { signal, priority }: Running): Promise<Float32Array[]> {
  const [first] = reads;
  const sequences = reads.map(({ encoding: { ids, typeIds } }) => ({ ids, typeIds }));
  return valuesOf(model, sequences, model.values.normalizedEmbedding, first!.poolSkip, { signal, priority });
}

/** The map of two texts. Errors: INVALID_OPTION. */
export async function mapOf(
  model: Model,
  a: ExplainedText,
  b: ExplainedText,
  wanted: 'exact' | 'maxsim' | undefined,
  running: Running,
): Promise<{ readonly map: ModelTensor; readonly additive: boolean }> {
  const isMean = hasMeanPooling(model);
  if (wanted === 'exact' && !isMean) {
    throw unexpected('INVALID_OPTION', 'map "maxsim"', '"exact" for a model that does not pool by mean alone', {
      hint: 'Only of a mean the cosine is a sum over pairs of tokens.',
    });
  }
  const isExact = wanted === 'exact' || (wanted === undefined && isMean);
  const sequences = [a, b].map(({ encoding: { ids, typeIds } }) => ({ ids, typeIds }));
  const [left, right] = (await valuesOf(model, sequences, model.values.lastHiddenState, 0, { signal: running.signal })) as [
    Float32Array,
    Float32Array,
  ];
  const { width } = model.values.lastHiddenState;
  const scales = isExact
    ? ([pooledScales(left, width, a.poolSkip), pooledScales(right, width, b.poolSkip)] as const)
    : ([rowScales(left, width), rowScales(right, width)] as const);
  const data = await inSlices(productSlices(left, right, width, scales), new Budget(running.signal, running.priority ?? 'bulk'));
  return { map: { data, dims: [a.tokens.length, b.tokens.length] }, additive: isExact };
}

/** The products of all pairs of rows, times the scales of both [rows of left, rows of right], a row in each slice. */
function* productSlices(
  left: Float32Array,
  right: Float32Array,
  width: number,
  [scalesLeft, scalesRight]: readonly [Float64Array, Float64Array],
): Generator<void, Float32Array> {
  const [n, m] = [scalesLeft.length, scalesRight.length];
  const data = new Float32Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let dot = 0;
      for (let e = 0; e < width; e++) dot += left[i * width + e]! * right[j * width + e]!;
      data[i * m + j] = dot * scalesLeft[i]! * scalesRight[j]!;
    }
    yield;
  }
  return data;
}

/** Whether a text's vector is the mean of its tokens', at most made to length 1. */
function hasMeanPooling({ sentence }: Model): boolean {
  const modes = sentence?.pooling.modes ?? ['mean'];
  return modes.length === 1 && modes[0] === 'mean' && (sentence?.modules ?? []).every(({ type }) => type === 'normalize');
}

/** 1 / (tokens · ‖mean‖) for each token that is pooled, else 0. */
function pooledScales(rows: Float32Array, width: number, skip: number): Float64Array {
  const tokens = rows.length / width;
  const sum = new Float64Array(width);
  for (let row = skip; row < tokens; row++) {
    for (let e = 0; e < width; e++) sum[e]! += rows[row * width + e]!;
  }
  const length = Math.hypot(...sum);
  return Float64Array.from({ length: tokens }, (_, i) => (i < skip || length === 0 ? 0 : 1 / length));
}

function rowScales(rows: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: rows.length / width }, (_, i) => {
    const length = Math.hypot(...rows.subarray(i * width, (i + 1) * width));
    return length === 0 ? 0 : 1 / length;
  });
}
