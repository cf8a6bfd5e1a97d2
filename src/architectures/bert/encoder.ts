import type { Value } from '../../models/program/program.js';
import type { TokenRows } from '../encoder-decoder/decoder.js';
import { encoderLayers, readLayers, withPooler, type AttentionTerms, type EncoderOutputs, type LayerNames } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** BERT, and RoBERTa: embeddings with LayerNorm, the encoder's layers, and a pooler over [CLS]. */
export function bertEncoder(read: WeightReader): EncoderOutputs {
  return withPooler(read, encoderLayers(read, bertEmbeddings(read), readLayers(read, bertLayerNames), { terms: distanceTerms(read) }));
}

/**
 * The terms of Shaw et al., 2018 (https://arxiv.org/abs/1803.02155) as transformers 4 computes them: the query, with `relative_key_query` the key too, meets a vector
 * of the distance, one table a layer for all of its heads.
 */
function distanceTerms(read: WeightReader): (layer: number) => AttentionTerms {
  const { headDim, maxPositionEmbeddings, positionEmbeddingType } = read.config;
  if (positionEmbeddingType === 'absolute') return () => ({});
  const rows = 2 * maxPositionEmbeddings - 1;
  const buckets = Array.from({ length: rows }, (_, row) => row);
  return (layer) => {
    const name = `encoder.layer.${layer}.attention.self.distance_embedding.weight`;
    const vectors = read.b.constant(read.table(name, rows, headDim));
    const keys = positionEmbeddingType === 'relative_key_query' ? { positionToContent: vectors } : {};
    return { disentangled: { buckets, contentToPosition: vectors, ...keys } };
  };
}

/** LayerNorm(word + position + token type): [rows, embedding]; without positions where attention has them, without types where there are none. */
export function bertEmbeddings(read: WeightReader, rows: TokenRows = 'tokens'): Value {
  const { vocabSize, embeddingSize, maxPositionEmbeddings, positionOffset, typeVocabSize, layerNormEps, positionEmbeddingType } =
    read.config;
  const sum = read.b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, embeddingSize),
    ...(positionEmbeddingType === 'absolute'
      ? { position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, embeddingSize) }
      : {}),
    ...(typeVocabSize === 0 ? {} : { type: read.table('embeddings.token_type_embeddings.weight', typeVocabSize, embeddingSize) }),
    positionOffset,
    rows,
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
