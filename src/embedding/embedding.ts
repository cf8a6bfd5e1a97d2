// What goes into a call of `embed`, and what comes out of it.
import type { Purpose } from './purpose.js';
import type { CallOptions, LimitOptions, PromptOptions } from '../calls/options.js';
import { shortestDecimal } from '../vectors/decimal.js';
import type { QuantizedVectors, VectorFormat } from '../vectors/quantize-vectors.js';

/** How one call of `embedSync` embeds. */
export interface EmbedSyncOptions extends LimitOptions, PromptOptions {
  /** What the texts are: put the prompt of that name before them, if the model has one. `prompt` and `promptName` come first. */
  readonly as?: Purpose | undefined;
  /** Scale vectors to length 1, or leave them as pooled. Default: as the model's modules say. */
  readonly normalize?: boolean | undefined;
  /** Keep the first so many numbers of each vector (Matryoshka models); normalized vectors are normalized again. Default: all. */
  readonly dimensions?: number | undefined;
  /** Give each vector in few bytes as well, see `quantizeVectors`. Default: no. */
  readonly quantize?: VectorFormat | undefined;
}

/** How one call of `embed` embeds. */
export interface EmbedOptions extends EmbedSyncOptions, CallOptions {}

/** How one call of `embedIds` embeds. */
export type EmbedIdsOptions = Omit<EmbedOptions, 'prompt' | 'promptName' | 'as'>;

/** What a text became. */
export interface Embedding {
  /** [dimensions], memory of its own. */
  readonly vector: Float32Array;
  /** Tokens the model read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
  /** With the option `quantize`: the vector as a list of one, `codes` [dimensions] or [ceil(dimensions / 8)]. */
  readonly quantized?: QuantizedVectors;
  /** What JSON.stringify writes: the same with plain lists of numbers, which read back to the same float32. */
  toJSON?(): EmbeddingJson;
}

/** An embedding as JSON: `vector` is a vector for every function that takes one. */
export interface EmbeddingJson {
  readonly vector: readonly number[];
  readonly tokens: number;
  readonly truncated: boolean;
  /** With `codes`, and for int8 `scales`, as lists of numbers. */
  readonly quantized?: object;
}

/** Gives an embedding its `toJSON`, which no loop over its fields sees. */
export function withJson(embedding: Embedding): Embedding {
  return Object.defineProperty(embedding, 'toJSON', { value: toJson, configurable: true, writable: true });
}

function toJson(this: Embedding): EmbeddingJson {
  const { vector, tokens, truncated, quantized } = this;
  const plain = { vector: Array.from(vector, shortestDecimal), tokens, truncated };
  if (quantized === undefined) return plain;
  const scales = quantized.format === 'int8' ? { scales: Array.from(quantized.scales, shortestDecimal) } : {};
  return { ...plain, quantized: { ...quantized, codes: Array.from(quantized.codes), ...scales } };
}
