import type { LinearWeights, NormWeights, Value } from '../../models/program/program.js';
import { encoderLayers, type EncoderLayer, type LayerNames } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** Whose rows a decoder's are: a decoder alone reads the program's tokens, one behind an encoder has rows of its own. */
export type TokenRows = 'tokens' | 'target';

/** What a decoder computes, layer by layer. */
export interface DecoderOutputs {
  /** [rows, hidden]: what enters the first layer, then the output of each layer. */
  readonly hiddenStates: readonly Value[];
  /** Self-attention probabilities of each layer, per sequence [heads, t, t]. */
  readonly attentions: readonly Value[];
  /** Of a decoder behind an encoder, of each layer, per sequence [heads, t, s]. */
  readonly crossAttentions: readonly Value[];
  /** [rows, vocab]: scores of each word as the next one; absent where the checkpoint has no head. */
  readonly logits?: Value;
}

/**
 * Appends a decoder: in `target` rows with cross-attention over `source` [tokens, hidden], or, without one, in the program's tokens.
 *
 * Errors: MODEL_MISMATCH, CONFIG_UNSUPPORTED; tensors that are missing or misshapen go to the account of `read`.
 */
export type DecoderBuilder = (read: WeightReader, source?: Value) => DecoderOutputs;

/** Where an architecture stores a layer's cross-attention. */
export type CrossNames = Pick<LayerNames, 'query' | 'key' | 'value' | 'attentionOutput' | 'attentionNorm'>;

interface CrossAttention {
  readonly query: LinearWeights;
  readonly key: LinearWeights;
  readonly value: LinearWeights;
  readonly attentionOutput: LinearWeights;
  readonly attentionNorm: NormWeights;
}

/** The layers of a decoder: those of an encoder with causal self-attention, and between it and the feed-forward block cross-attention. */
export function decoderLayers(
  read: WeightReader,
  embeddings: Value,
  layers: Iterable<EncoderLayer>,
  source?: { readonly states: Value; readonly namesOf: (layer: number) => CrossNames },
): DecoderOutputs {
  const crossAttentions: Value[] = [];
  const between = (x: Value, layer: number): Value => {
    const { output, scores } = crossAttention(read, x, source!.states, readCross(read, source!.namesOf(layer)));
    crossAttentions.push(scores);
    return output;
  };
  const options = { terms: { causal: true }, ...(source === undefined ? {} : { between }) };
  return { ...encoderLayers(read, embeddings, layers, options), crossAttentions };
}

function readCross(read: WeightReader, names: CrossNames): CrossAttention {
  const { hiddenSize } = read.config;
  const linear = (name: string): LinearWeights => read.linear(name, hiddenSize, hiddenSize);
  return {
    query: linear(names.query),
    key: linear(names.key),
    value: linear(names.value),
    attentionOutput: linear(names.attentionOutput),
    attentionNorm: read.norm(names.attentionNorm, hiddenSize),
  };
}

function crossAttention(read: WeightReader, x: Value, source: Value, weights: CrossAttention): { output: Value; scores: Value } {
  const { b, config } = read;
  const [query, key, value] = [b.linear(x, weights.query), b.linear(source, weights.key), b.linear(source, weights.value)];
  const { context, scores } = b.attention({ query, key, value }, { numHeads: config.numHeads, ...read.dropoutSite('attention') });
  const attended = b.linear(context, weights.attentionOutput, { residual: x, ...read.dropoutSite('attentionOutput') });
  return { output: b.layerNorm(attended, weights.attentionNorm, config.layerNormEps), scores };
}
