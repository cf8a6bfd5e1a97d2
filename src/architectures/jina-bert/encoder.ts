import { wordsAndTypes } from '../embeddings.js';
import { encoderLayers, withPooler, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';
import { readJina } from './settings.js';
import { alibiSlopes } from './slopes.js';

/** JinaBERT: no positions but what ALiBi takes off attention's scores. */
export function jinaEncoder(read: WeightReader): EncoderOutputs {
  const { numLayers, numHeads, raw } = read.config;
  const { activation } = readJina(raw);
  const x = wordsAndTypes(read, 'embeddings.LayerNorm');
  const slopes = alibiSlopes(numHeads);
  const layers = Array.from({ length: numLayers }, (_, layer) => readJinaLayer(read, `encoder.layer.${layer}`));
  return withPooler(read, encoderLayers(read, x, layers, { terms: { slopes }, activation }));
}

function readJinaLayer(read: WeightReader, name: string): EncoderLayer {
  const { hiddenSize, intermediateSize } = read.config;
  return {
    qkv: read.stacked(['query', 'key', 'value'].map((part) => `${name}.attention.self.${part}`)),
    attentionOutput: read.linear(`${name}.attention.output.dense`, hiddenSize, hiddenSize),
    attentionNorm: read.norm(`${name}.attention.output.LayerNorm`, hiddenSize),
    intermediate: read.linear(`${name}.mlp.gated_layers`, 2 * intermediateSize, hiddenSize, false),
    isGated: true,
    output: read.linear(`${name}.mlp.wo`, hiddenSize, intermediateSize),
    outputNorm: read.norm(`${name}.mlp.layernorm`, hiddenSize),
  };
}
