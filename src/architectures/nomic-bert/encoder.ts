import { wordsAndTypes } from '../embeddings.js';
import { encoderLayers, withPooler, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import { inverseFrequencies } from '../rope.js';
import type { WeightReader } from '../weight-reader.js';
import { nomicRope } from './settings.js';

/** NomicBERT: embeddings without positions, layers that turn queries and keys. Names are those of the published files, which transformers 5 writes too. */
export function nomicEncoder(read: WeightReader): EncoderOutputs {
  const { numLayers, headDim, raw } = read.config;
  const layers = Array.from({ length: numLayers }, (_, layer) => readNomicLayer(read, `encoder.layers.${layer}`));
  const terms = { rotary: { inverseFrequencies: inverseFrequencies(nomicRope(raw), headDim) } };
  return withPooler(read, encoderLayers(read, wordsAndTypes(read, 'emb_ln'), layers, { terms }));
}

function readNomicLayer(read: WeightReader, name: string): EncoderLayer {
  const { hiddenSize, intermediateSize } = read.config;
  return {
    qkv: read.linear(`${name}.attn.Wqkv`, 3 * hiddenSize, hiddenSize, false),
    attentionOutput: read.linear(`${name}.attn.out_proj`, hiddenSize, hiddenSize, false),
    attentionNorm: read.norm(`${name}.norm1`, hiddenSize),
    // fc12 is activated and multiplies fc11.
    intermediate: { weight: read.stackedMatrix([`${name}.mlp.fc12.weight`, `${name}.mlp.fc11.weight`], intermediateSize, hiddenSize) },
    isGated: true,
    output: read.linear(`${name}.mlp.fc2`, hiddenSize, intermediateSize, false),
    outputNorm: read.norm(`${name}.norm2`, hiddenSize),
  };
}
