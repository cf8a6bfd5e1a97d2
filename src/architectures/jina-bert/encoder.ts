import type { Value } from '../../models/program/program.js';
import { wordsAndTypes } from '../embeddings.js';
import { encoderLayers, withPooler, type EncoderLayer, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';
import { readJina, type JinaSettings } from './settings.js';
import { alibiSlopes } from './slopes.js';

/** JinaBERT: no positions but what ALiBi takes off attention's scores. */
export function jinaEncoder(read: WeightReader): EncoderOutputs {
  const { numLayers, numHeads, raw } = read.config;
  const settings = readJina(raw);
  const x = wordsAndTypes(read, 'embeddings.LayerNorm');
  const slopes = alibiSlopes(numHeads);
  if (settings.normalizesKeys) return withPooler(read, normalizingLayers(read, x, slopes, settings));
  const layers = Array.from({ length: numLayers }, (_, layer) => readJinaLayer(read, `encoder.layer.${layer}`));
  return withPooler(read, encoderLayers(read, x, layers, { terms: { slopes }, activation: settings.activation }));
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

/** The layers of jina-embeddings-v2-base-code. */
function normalizingLayers(read: WeightReader, embeddings: Value, slopes: readonly number[], settings: JinaSettings): EncoderOutputs {
  const { b, config } = read;
  const { hiddenSize, intermediateSize, numHeads, numLayers, layerNormEps } = config;
  const { activation } = settings;
  let x = embeddings;
  const hiddenStates = [x];
  const attentions: Value[] = [];
  for (let layer = 0; layer < numLayers; layer++) {
    const name = `encoder.layer.${layer}`;
    const own = `${name}.attention.self`;
    const project = (part: string): Value => b.linear(x, read.linear(`${own}.${part}`, hiddenSize, hiddenSize));
    const normalize = (part: string): Value =>
      b.layerNorm(project(part), read.norm(`${own}.layer_norm_${part[0]}`, hiddenSize), layerNormEps);
    const parts = { query: normalize('query'), key: normalize('key'), value: project('value') };
    const { context, scores } = b.attention(parts, { numHeads, slopes, ...read.dropoutSite('attention') });
    const output = read.linear(`${name}.attention.output.dense`, hiddenSize, hiddenSize);
    const attended = b.linear(context, output, { residual: x, ...read.dropoutSite('attentionOutput') });
    const inner = b.layerNorm(attended, read.norm(`${name}.attention.output.LayerNorm`, hiddenSize), layerNormEps);
    const a = b.layerNorm(b.activate(inner, 'none', x), read.norm(`${name}.layer_norm_1`, hiddenSize), layerNormEps);
    const weight = read.swappedMatrix(`${name}.mlp.up_gated_layer.weight`, 2 * intermediateSize, hiddenSize);
    const gated = b.linear(a, { weight }, { gated: true, activation });
    const down = read.linear(`${name}.mlp.down_layer`, hiddenSize, intermediateSize);
    const summed = b.linear(gated, down, { residual: a, ...read.dropoutSite('hidden') });
    x = b.layerNorm(summed, read.norm(`${name}.layer_norm_2`, hiddenSize), layerNormEps);
    hiddenStates.push(x);
    attentions.push(scores);
  }
  return { hiddenStates, attentions };
}
