import { encoderLayers, readLayers, withPooler, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** MPNet's code sorts distances into so many buckets, whatever `relative_attention_num_buckets` says; that only sizes the table. */
export const mpnetBuckets = 32;

/** MPNet: BERT's layers without token types, with one bias a head and distance that every layer adds to its attention scores. */
export function mpnetEncoder(read: WeightReader): EncoderOutputs {
  const { b, config } = read;
  const { vocabSize, hiddenSize, numHeads, maxPositionEmbeddings, positionOffset, layerNormEps } = config;
  const sum = b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, hiddenSize),
    position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, hiddenSize),
    positionOffset,
  });
  const embeddings = read.dropout(b.layerNorm(sum, read.norm('embeddings.LayerNorm', hiddenSize), layerNormEps), 'embeddings');
  const name = 'encoder.relative_attention_bias.weight';
  const relativeBias = read.table(name, config.relativeAttentionBuckets, numHeads, mpnetBuckets);
  const layers = readLayers(read, (layer) => {
    const name = `encoder.layer.${layer}`;
    return {
      query: `${name}.attention.attn.q`,
      key: `${name}.attention.attn.k`,
      value: `${name}.attention.attn.v`,
      attentionOutput: `${name}.attention.attn.o`,
      attentionNorm: `${name}.attention.LayerNorm`,
      intermediate: `${name}.intermediate.dense`,
      output: `${name}.output.dense`,
      outputNorm: `${name}.output.LayerNorm`,
    };
  });
  return withPooler(read, encoderLayers(read, embeddings, layers, { terms: { relativeBias } }));
}
