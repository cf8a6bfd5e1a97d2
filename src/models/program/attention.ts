import type { NativeOp } from '../../runtime/native.js';
import type { DropoutSite, Value, WeightRef } from './values.js';

/**
 * What comes to the product of query i and key j before it is scaled: query · contentToPosition[row] and key · positionToContent[row], row =
 * buckets[n + i - j] (DeBERTa; BERT's relative_key and relative_key_query). Tables are constant rows, [rows, numHeads, headDim], or [rows, headDim] for all
 * heads alike.
 */
export interface DisentangledScores {
  readonly contentToPosition?: Value;
  readonly positionToContent?: Value;
  /** [2n + 1], of all distances from -n to n that the longest text has; they never fall. */
  readonly buckets: readonly number[];
}

/** Query, key and value, [rows, numHeads, headDim] each; key and value may have other rows than the query. */
export interface QueryKeyValue {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** Options of `attention`; what is dropped are probabilities. */
export interface AttentionOptions extends Partial<DropoutSite> {
  readonly numHeads: number;
  /** What scores are multiplied by; 1 / √headDim where absent. */
  readonly softmaxScale?: number;
  /** T5's buckets, [buckets, numHeads] (MPNet). */
  readonly relativeBias?: WeightRef;
  /** Columns i and i + n of query and key turn by the angle float32(position · inverseFrequencies[i]), i < n ≤ headDim / 2 (RoPE). */
  readonly rotary?: { readonly inverseFrequencies: readonly number[] };
  /** No query sees a later key. */
  readonly causal?: boolean;
  /** No query sees a key at more than this distance. */
  readonly window?: number;
  /** For each head what each step of distance takes off a score (ALiBi). */
  readonly slopes?: readonly number[];
  readonly disentangled?: DisentangledScores;
}

type NativeAttentionOp = NativeOp & { readonly op: 'attention' };

/** The op that writes `context` and `scores`. */
export function attentionOp(qkv: Value | QueryKeyValue, options: AttentionOptions, context: Value, scores: Value): NativeAttentionOp {
  const { numHeads, relativeBias, rotary, disentangled, ...rest } = options;
  const parts = 'query' in qkv ? { query: qkv.query.id, key: qkv.key.id, value: qkv.value.id } : { query: qkv.id };
  return {
    op: 'attention',
    ...parts,
    output: context.id,
    scores: scores.id,
    numHeads,
    softmaxScale: 1 / Math.sqrt(context.width / numHeads),
    relativeBias: relativeBias?.id,
    inverseFrequencies: rotary?.inverseFrequencies,
    contentToPosition: disentangled?.contentToPosition?.id,
    positionToContent: disentangled?.positionToContent?.id,
    buckets: disentangled?.buckets,
    ...rest,
  };
}
