import { wordsAndTypes } from '../embeddings.js';
import { encoderLayers, withPooler, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import { inverseFrequencies } from '../rope.js';
import type { WeightReader } from '../weight-reader.js';
import { gteRope } from './settings.js';

/** GTE: embeddings without positions, layers that turn queries and keys. Names are those of the published files, which transformers 5 writes too. */
export function gteEncoder(read: WeightReader): EncoderOutputs {
  const { numLayers, headDim, raw } = read.config;
  const layers = Array.from({ length: numLayers }, (_, layer) => readGteLayer(read, `encoder.layer.${layer}`));
  const terms = { rotary: { inverseFrequencies: inverseFrequencies(gteRope(raw), headDim) } };
  const embeddings = wordsAndTypes(read, 'embeddings.LayerNorm');
  return withPooler(read, encoderLayers(read, embeddings, layers, { terms, dropsIntermediate: true }));
}

function readGteLayer(read: WeightReader, name: string): EncoderLayer {
  const { hiddenSize, intermediateSize } = read.config;
  return {
    qkv: read.linear(`${name}.attention.qkv_proj`, 3 * hiddenSize, hiddenSize),
    attentionOutput: read.linear(`${name}.attention.o_proj`, hiddenSize, hiddenSize),
    attentionNorm: read.norm(`${name}.attn_ln`, hiddenSize),
    intermediate: { weight: read.swappedMatrix(`${name}.mlp.up_gate_proj.weight`, 2 * intermediateSize, hiddenSize) },
    isGated: true,
    output: read.linear(`${name}.mlp.down_proj`, hiddenSize, intermediateSize),
    outputNorm: read.norm(`${name}.mlp_ln`, hiddenSize),
  };
}
