import type { Value } from '../../models/program/program.js';
import type { EncoderOutputs } from '../encoder.js';
import { inverseFrequencies } from '../rope.js';
import type { WeightReader } from '../weight-reader.js';
import { readModernBert } from './settings.js';

/** The word embeddings' matrix. */
export const tokenTable = 'embeddings.tok_embeddings.weight';

/** ModernBERT: what a block reads is normalized, what it writes is added to x; the last state is normalized once more. */
export function modernBertEncoder(read: WeightReader): EncoderOutputs {
  const { b, config } = read;
  const { vocabSize, hiddenSize, intermediateSize, numHeads, headDim, hiddenAct, layerNormEps } = config;
  const { layers, ropes, window, attentionBias, mlpBias, normBias } = readModernBert(config);
  const norm = (value: Value, name: string): Value => b.layerNorm(value, read.norm(name, hiddenSize, normBias), layerNormEps);
  let x = read.dropout(norm(b.embed({ word: read.table(tokenTable, vocabSize, hiddenSize) }), 'embeddings.norm'), 'embeddings');
  const hiddenStates = [x];
  const attentions: Value[] = [];
  for (const [layer, kind] of layers.entries()) {
    const name = `layers.${layer}`;
    const normed = layer === 0 ? x : norm(x, `${name}.attn_norm`);
    const qkv = b.linear(normed, read.linear(`${name}.attn.Wqkv`, 3 * hiddenSize, hiddenSize, attentionBias));
    const { context, scores } = b.attention(qkv, {
      numHeads,
      rotary: { inverseFrequencies: inverseFrequencies(ropes[kind], headDim) },
      ...(kind === 'sliding_attention' ? { window } : {}),
      ...read.dropoutSite('attention'),
    });
    const output = read.linear(`${name}.attn.Wo`, hiddenSize, hiddenSize, attentionBias);
    x = b.linear(context, output, { residual: x, ...read.dropoutSite('attentionOutput') });
    const up = read.linear(`${name}.mlp.Wi`, 2 * intermediateSize, hiddenSize, mlpBias);
    const gated = read.dropout(b.linear(norm(x, `${name}.mlp_norm`), up, { gated: true, activation: hiddenAct }), 'hidden');
    x = b.linear(gated, read.linear(`${name}.mlp.Wo`, hiddenSize, intermediateSize, mlpBias), { residual: x });
    hiddenStates.push(layer === layers.length - 1 ? norm(x, 'final_norm') : x);
    attentions.push(scores);
  }
  return { hiddenStates, attentions };
}
