import { TextReader } from '../calls/text-reader.js';
import type { Model } from '../models/index.js';
import { flag, oneOf } from '../options.js';
import { normalizeInPlace } from '../vectors/similarity.js';
import { startCall } from '../calls/call.js';
import { computeTexts } from '../calls/compute.js';
import { requireModel, requireString } from '../calls/inputs.js';
import { promptSchema, taskSchema, type PromptOptions, type TaskOptions } from '../calls/options.js';

/** Options of `extractFeatures`. */
export interface FeatureOptions extends TaskOptions, PromptOptions {
  /**
   * `none` (default): every token's last hidden state. `mean`, `cls` (also `first_token`) or `last_token` (also `eos`): one vector a text.
   * `model`: pooled and sent through the modules, as the model's own files say.
   */
  readonly pooling?: 'none' | 'mean' | 'cls' | 'first_token' | 'last_token' | 'eos' | 'model' | undefined;
  /** Scale every vector to length 1. Default false, with pooling `model` as the model says. */
  readonly normalize?: boolean | undefined;
}

/** Vectors with their shape. */
export interface FeatureTensor {
  readonly type: 'float32';
  readonly data: Float32Array;
  /** [texts, dimensions], or without pooling [texts, longest text, hidden], where shorter texts end in zeros. */
  readonly dims: readonly number[];
}

/**
 * The encoder's features of texts, as transformers.js's pipeline returns them. Texts are prepared as `embed` does it: with the model's
 * default prompt, if it has one, and in lower case if the model's files say so. `loadEmbedder` is the way to a model's own embeddings.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 */
export async function extractFeatures(model: Model, input: string | readonly string[], options?: FeatureOptions): Promise<FeatureTensor> {
  requireModel(model, 'extractFeatures');
  const [call, settings] = startCall('extractFeatures', model, options, {
    ...taskSchema,
    ...promptSchema,
    pooling: oneOf(['none', 'mean', 'cls', 'first_token', 'last_token', 'eos', 'model']),
    normalize: flag,
  });
  const texts = (Array.isArray(input) ? input : [input]).map((each: unknown, i) =>
    requireString(each, `the text at index ${i} of extractFeatures`),
  );
  const reader = new TextReader('extractFeatures', model, settings);
  const { pooling = 'none' } = settings;
  const { values } = model; // those of sentences may throw
  const isNormalized = settings.normalize ?? (pooling === 'model' && values.normalizes);
  const value = pooling !== 'model' ? values.lastHiddenState : isNormalized ? values.normalizedEmbedding : values.sentenceEmbedding;
  const { poolSkip } = reader;
  const rows = (await computeTexts(call, reader, texts, [value])).rows.map(([data]) => data!);
  const vectors = pooling === 'none' || pooling === 'model' ? rows : rows.map((data) => pool(data, value.width, pooling, poolSkip));
  if (isNormalized && pooling !== 'model') {
    for (const data of vectors) for (let i = 0; i < data.length; i += value.width) normalizeInPlace(data.subarray(i, i + value.width));
  }
  const longest = vectors.reduce((most, { length }) => Math.max(most, length), 0);
  const data = new Float32Array(vectors.length * longest);
  vectors.forEach((vector, i) => data.set(vector, i * longest));
  const dims = pooling === 'none' ? [vectors.length, longest / value.width, value.width] : [vectors.length, value.width];
  call.finish();
  return { type: 'float32', data, dims };
}

/** One vector from the hidden states of a text, [tokens, width], the mean without the first `skip` tokens; sums in float64. */
function pool(data: Float32Array, width: number, pooling: string, skip: number): Float32Array {
  if (pooling === 'cls' || pooling === 'first_token') return data.slice(0, width);
  if (pooling === 'last_token' || pooling === 'eos') return data.slice(-width);
  const rows = data.subarray(skip * width);
  const sums = new Float64Array(width);
  rows.forEach((value, i) => (sums[i % width]! += value));
  return Float32Array.from(sums, (sum) => (sum * width) / rows.length);
}
