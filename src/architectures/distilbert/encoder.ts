import { encoderLayers, readLayers, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** DistilBERT: BERT's layers under other names, without token types and without a pooler. */
export function distilbertEncoder(read: WeightReader): EncoderOutputs {
  const { b, config } = read;
  const { vocabSize, hiddenSize, maxPositionEmbeddings, layerNormEps } = config;
  const sum = b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, hiddenSize),
    position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, hiddenSize),
  });
  const embeddings = read.dropout(b.layerNorm(sum, read.norm('embeddings.LayerNorm', hiddenSize), layerNormEps), 'embeddings');
  const layers = readLayers(read, (layer) => {
    const name = `transformer.layer.${layer}`;
    return {
      query: `${name}.attention.q_lin`,
      key: `${name}.attention.k_lin`,
      value: `${name}.attention.v_lin`,
      attentionOutput: `${name}.attention.out_lin`,
      attentionNorm: `${name}.sa_layer_norm`,
      intermediate: `${name}.ffn.lin1`,
      output: `${name}.ffn.lin2`,
      outputNorm: `${name}.output_layer_norm`,
    };
  });
  return encoderLayers(read, embeddings, layers);
}
