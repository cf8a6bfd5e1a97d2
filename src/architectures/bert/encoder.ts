import type { Value } from '../../models/program/program.js';
import { encoderLayers, readLayers, withPooler, type EncoderOutputs, type LayerNames } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** BERT, and RoBERTa: embeddings with LayerNorm, the encoder's layers, and a pooler over [CLS]. */
export function bertEncoder(read: WeightReader): EncoderOutputs {
  return withPooler(read, encoderLayers(read, bertEmbeddings(read), readLayers(read, bertLayerNames)));
}

/** LayerNorm(word + position + token type): [tokens, embedding]. */
export function bertEmbeddings(read: WeightReader): Value {
  const { vocabSize, embeddingSize, maxPositionEmbeddings, positionOffset, typeVocabSize, layerNormEps } = read.config;
  const sum = read.b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, embeddingSize),
    position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, embeddingSize),
    type: read.table('embeddings.token_type_embeddings.weight', typeVocabSize, embeddingSize),
    positionOffset,
  });
  return read.dropout(read.b.layerNorm(sum, read.norm('embeddings.LayerNorm', embeddingSize), layerNormEps), 'embeddings');
}

/** Where BERT and ELECTRA store a layer. */
export function bertLayerNames(layer: number): LayerNames {
  const name = `encoder.layer.${layer}`;
  return {
    query: `${name}.attention.self.query`,
    key: `${name}.attention.self.key`,
    value: `${name}.attention.self.value`,
    attentionOutput: `${name}.attention.output.dense`,
    attentionNorm: `${name}.attention.output.LayerNorm`,
    intermediate: `${name}.intermediate.dense`,
    output: `${name}.output.dense`,
    outputNorm: `${name}.output.LayerNorm`,
  };
}
