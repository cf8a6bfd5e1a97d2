import { debertaEmbeddings } from '../deberta-v2/embeddings.js';
import { distanceTerms, readBlock } from '../deberta-v2/encoder.js';
import { readDeberta } from '../deberta-v2/settings.js';
import { encoderLayers, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** DeBERTa's first version: one matrix of queries, keys and values, head by head, and no buckets. */
export function debertaEncoder(read: WeightReader): EncoderOutputs {
  const { numLayers, hiddenSize } = read.config;
  const settings = readDeberta(read.config);
  const { longest, listed } = settings;
  const layers = Array.from({ length: numLayers }, (_, layer) => readDebertaLayer(read, `encoder.layer.${layer}`));
  const terms = distanceTerms(read, settings, {
    scaleTerms: listed.length,
    // Its code takes as many rows of the table as the input needs; they are those of the longest input.
    buckets: { buckets: 0, span: longest, longest },
    normalize: (table) => table,
    projections: (layer, table) => {
      const name = `encoder.layer.${layer}.attention.self`;
      return {
        c2p: () => read.b.linear(table, read.linear(`${name}.pos_proj`, hiddenSize, hiddenSize, false)),
        p2c: () => read.b.linear(table, read.linear(`${name}.pos_q_proj`, hiddenSize, hiddenSize)),
      };
    },
  });
  return encoderLayers(read, debertaEmbeddings(read), layers, { terms });
}

function readDebertaLayer(read: WeightReader, name: string): EncoderLayer {
  const self = `${name}.attention.self`;
  const biases = { query: `${self}.q_bias`, value: `${self}.v_bias` };
  return { qkv: read.stackedOfHeads(`${self}.in_proj.weight`, biases), ...readBlock(read, name) };
}
