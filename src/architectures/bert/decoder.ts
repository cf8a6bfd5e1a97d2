import type { Value } from '../../models/program/program.js';
import { decoderLayers, type CrossNames, type DecoderBuilder } from '../encoder-decoder/decoder.js';
import { readLayers } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';
import { bertEmbeddings, bertLayerNames } from './encoder.js';

/** BERT's layers as a decoder. `logitsOf`: the head over its states, where the checkpoint has one. */
export function bertDecoder(logitsOf: (read: WeightReader, states: Value) => Value | undefined): DecoderBuilder {
  return (read, source) => {
    const embeddings = bertEmbeddings(read, source === undefined ? 'tokens' : 'target');
    const cross = source === undefined ? undefined : { states: source, namesOf: crossNames };
    const outputs = decoderLayers(read, embeddings, readLayers(read, bertLayerNames), cross);
    const logits = logitsOf(read, outputs.hiddenStates.at(-1)!);
    return { ...outputs, ...(logits && { logits }) };
  };
}

function crossNames(layer: number): CrossNames {
  const name = `encoder.layer.${layer}.crossattention`;
  return {
    query: `${name}.self.query`,
    key: `${name}.self.key`,
    value: `${name}.self.value`,
    attentionOutput: `${name}.output.dense`,
    attentionNorm: `${name}.output.LayerNorm`,
  };
}
