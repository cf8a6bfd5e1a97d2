import { wrongArgument, wrongOption } from '../../expected.js';
import { oneOf, readOptions, type Check } from '../../options.js';
import type { Attention } from './attention.js';

/** Options of `attentionRollout`. */
export interface RolloutOptions {
  /** How much of a token passes a layer by, from 0 to below 1. Default 0.5. */
  readonly residual?: number | undefined;
  /** What becomes of a layer's heads. Default `'mean'`. */
  readonly reduce?: 'mean' | 'max' | undefined;
}

/** Attention through all layers. */
export interface Rollout {
  /** [tokens, tokens]: row i says how much of each input token is in token i of the last layer; it adds up to 1. */
  readonly data: Float64Array;
  readonly dims: readonly [number, number];
  /** The options it was made with. */
  readonly residual: number;
  readonly reduce: 'mean' | 'max';
}

const share: Check<number> = (value, name) => {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw wrongOption(`a number from 0 to below 1 for ${name}`, value);
};

/**
 * Attention rollout (Abnar, Zuidema 2020): the product of the layers' attention, each with the residual connection added and rows that add up to 1. In
 * float64. It needs all layers of `attention`, in their order; of some heads it is what these heads do.
 *
 * Errors: INVALID_ARG where layers are missing, INVALID_OPTION.
 *
 * @example
 * const rollout = attentionRollout(await attention(model, 'The cat was tired.'));
 */
export function attentionRollout(given: Pick<Attention, 'layers' | 'weights'>, options?: RolloutOptions): Rollout {
  const { residual = 0.5, reduce = 'mean' } = readOptions('attentionRollout', options, { residual: share, reduce: oneOf(['mean', 'max']) });
  const { layers, weights } = given;
  if (weights.length === 0 || layers.some((layer, i) => layer !== i)) {
    throw wrongArgument('the attention of all layers, in their order, for attentionRollout', [...layers]);
  }
  const [heads = 1, tokens = 0] = weights[0]!.dims;
  let flow: Float64Array | undefined;
  for (const { data } of weights) {
    const layer = reduced(data, heads, tokens, reduce);
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) layer[i * tokens + j]! *= 1 - residual;
      layer[i * tokens + i]! += residual;
    }
    scaleRows(layer, tokens);
    flow = flow === undefined ? layer : product(layer, flow, tokens);
  }
  return { data: flow!, dims: [tokens, tokens], residual, reduce };
}

/** The heads' mean or maximum, its rows made to add up to 1. */
function reduced(data: Float32Array, heads: number, tokens: number, reduce: 'mean' | 'max'): Float64Array {
  const square = tokens * tokens;
  const all = new Float64Array(square);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < square; i++) {
      const weight = data[head * square + i]!;
      all[i] = reduce === 'max' ? Math.max(all[i]!, weight) : all[i]! + weight / heads;
    }
  }
  scaleRows(all, tokens);
  return all;
}

function scaleRows(matrix: Float64Array, tokens: number): void {
  for (let row = 0; row < tokens; row++) {
    const own = matrix.subarray(row * tokens, (row + 1) * tokens);
    const sum = own.reduce((total, value) => total + value, 0);
    for (let i = 0; i < tokens; i++) own[i]! /= sum;
  }
}

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k]!;
      for (let j = 0; j < n; j++) c[i * n + j]! += factor * b[k * n + j]!;
    }
  }
  return c;
}
