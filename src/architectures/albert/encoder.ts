import { bertEmbeddings } from '../bert/encoder.js';
import { encoderLayers, readLayer, withPooler, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';
import { readGroups } from './groups.js';

/** ALBERT: embeddings widened to the layers' width, then each group's layers for its share of the rounds. Their weights are read once. */
export function albertEncoder(read: WeightReader): EncoderOutputs {
  const { embeddingSize, hiddenSize, numLayers } = read.config;
  const { numGroups, layersPerGroup } = readGroups(read.config);
  const x = read.b.linear(bertEmbeddings(read), read.linear('encoder.embedding_hidden_mapping_in', hiddenSize, embeddingSize));
  const groups = Array.from({ length: numGroups }, (_, group) =>
    Array.from({ length: layersPerGroup }, (_, layer) => readAlbertLayer(read, group, layer)),
  );
  const rounds = Array.from({ length: numLayers }, (_, round) => groups[Math.trunc(round / (numLayers / numGroups))]!);
  return withPooler(read, encoderLayers(read, x, rounds.flat()), 'pooler');
}

function readAlbertLayer(read: WeightReader, group: number, layer: number): EncoderLayer {
  const name = `encoder.albert_layer_groups.${group}.albert_layers.${layer}`;
  return readLayer(read, {
    query: `${name}.attention.query`,
    key: `${name}.attention.key`,
    value: `${name}.attention.value`,
    attentionOutput: `${name}.attention.dense`,
    attentionNorm: `${name}.attention.LayerNorm`,
    intermediate: `${name}.ffn`,
    output: `${name}.ffn_output`,
    outputNorm: `${name}.full_layer_layer_norm`,
  });
}
