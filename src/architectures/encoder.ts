import type { AttentionOptions, DropoutSite, LinearWeights, NormWeights, Value } from '../models/program/program.js';
import type { ActivationName } from '../checkpoint/activation.js';
import type { WeightReader } from './weight-reader.js';

/** What an encoder computes, layer by layer. */
export interface EncoderOutputs {
  /** [tokens, hidden]: what enters the first layer, then the output of each layer. */
  readonly hiddenStates: readonly Value[];
  /** Attention probabilities of each layer, per sequence [heads, s, s]. */
  readonly attentions: readonly Value[];
  /** [sequences, hidden]: tanh(dense([CLS])), where the checkpoint has a pooler. */
  readonly poolerOutput?: Value;
}

/** One layer's weights. */
export interface EncoderLayer {
  /** Query, key and value on top of each other: [3 * hidden, hidden]. */
  readonly qkv: LinearWeights;
  readonly attentionOutput: LinearWeights;
  readonly attentionNorm: NormWeights;
  /** Where it `isGated`, the rows of what is activated, then as many that they are multiplied by. */
  readonly intermediate: LinearWeights;
  readonly isGated?: boolean;
  readonly output: LinearWeights;
  readonly outputNorm: NormWeights;
}

/** Where an architecture stores a layer's weights; names in full, without `.weight` and `.bias`. */
export interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  readonly intermediate: string;
  readonly output: string;
  readonly outputNorm: string;
}

/** The weights of every layer, first to last. */
export function* readLayers(read: WeightReader, namesOf: (layer: number) => LayerNames): Generator<EncoderLayer> {
  for (let i = 0; i < read.config.numLayers; i++) yield readLayer(read, namesOf(i));
}

/** The weights of one layer. */
export function readLayer(read: WeightReader, names: LayerNames): EncoderLayer {
  const { hiddenSize, intermediateSize } = read.config;
  return {
    qkv: read.stacked([names.query, names.key, names.value]),
    attentionOutput: read.linear(names.attentionOutput, hiddenSize, hiddenSize),
    attentionNorm: read.norm(names.attentionNorm, hiddenSize),
    intermediate: read.linear(names.intermediate, intermediateSize, hiddenSize),
    output: read.linear(names.output, hiddenSize, intermediateSize),
    outputNorm: read.norm(names.outputNorm, hiddenSize),
  };
}

/** What is added to attention's scores, or done to queries and keys. */
export type AttentionTerms = Omit<AttentionOptions, 'numHeads' | keyof DropoutSite>;

/** What all layers of an encoder have, or each. */
export interface LayerOptions {
  readonly terms?: AttentionTerms | ((layer: number) => AttentionTerms);
  /** Of the feed-forward block; `hiddenAct` unless given. */
  readonly activation?: ActivationName;
  /** What stands between self-attention and the feed-forward block. */
  readonly between?: (x: Value, layer: number) => Value;
  /** What becomes of a layer's output. */
  readonly afterLayer?: (output: Value, layer: number) => Value;
  /** Whether numbers between the feed-forward block's products are dropped while a model learns. */
  readonly dropsIntermediate?: boolean;
}

/** The layers that most architectures share: self-attention, then a feed-forward block, each with a residual and LayerNorm after it. */
export function encoderLayers(
  read: WeightReader,
  embeddings: Value,
  layers: Iterable<EncoderLayer>,
  { terms = {}, activation = read.config.hiddenAct, between, afterLayer, dropsIntermediate = false }: LayerOptions = {},
): EncoderOutputs {
  const { b, config } = read;
  let x = embeddings; // [tokens, hidden]
  const hiddenStates = [x];
  const attentions: Value[] = [];
  for (const layer of layers) {
    const qkv = b.linear(x, layer.qkv); // [tokens, 3, numHeads, headDim]
    const own = typeof terms === 'function' ? terms(attentions.length) : terms;
    const { context, scores } = b.attention(qkv, { numHeads: config.numHeads, ...own, ...read.dropoutSite('attention') });
    const attended = b.linear(context, layer.attentionOutput, { residual: x, ...read.dropoutSite('attentionOutput') });
    x = b.layerNorm(attended, layer.attentionNorm, config.layerNormEps);
    if (between !== undefined) x = between(x, attentions.length);
    const gated = layer.isGated === true ? { gated: true } : {};
    const intermediate = b.linear(x, layer.intermediate, { activation, ...gated });
    const kept = dropsIntermediate ? read.dropout(intermediate, 'hidden') : intermediate;
    const output = b.linear(kept, layer.output, { residual: x, ...read.dropoutSite('hidden') });
    x = b.layerNorm(output, layer.outputNorm, config.layerNormEps);
    if (afterLayer !== undefined) x = afterLayer(x, attentions.length);
    hiddenStates.push(x);
    attentions.push(scores);
  }
  return { hiddenStates, attentions };
}

/** BERT's pooler, where the checkpoint has one: tanh(dense([CLS])). */
export function withPooler(read: WeightReader, encoder: EncoderOutputs, name = 'pooler.dense'): EncoderOutputs {
  if (!read.has(`${name}.weight`)) return encoder;
  const { hiddenSize } = read.config;
  const first = read.b.firstTokens(encoder.hiddenStates.at(-1)!);
  return { ...encoder, poolerOutput: read.b.linear(first, read.linear(name, hiddenSize, hiddenSize), { activation: 'tanh' }) };
}
