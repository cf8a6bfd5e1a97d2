import { JsonFields } from '../../checkpoint/json-fields.js';
import type { ProgramBuilder, Value } from '../../models/program/program.js';
import type { ModelConfig, PartConfig } from '../config.js';
import type { DropoutRates } from '../dropout.js';
import type { DecoderOutputs } from './decoder.js';
import type { EncoderOutputs } from '../encoder.js';
import type { Family } from '../family.js';
import { wordTable } from '../heads.js';
import { families } from '../registry.js';
import { WeightReader, type TensorSource } from '../weight-reader.js';
import { PartTensors } from './part-tensors.js';

/** The configuration of a model that has a decoder behind its encoder. */
export type EncoderDecoderConfig = ModelConfig & { readonly decoder: PartConfig };

/** Where the two halves of an encoder-decoder take their tensors from, and what joins them. */
export interface Halves {
  /** Reads the encoder's tensors. */
  readonly encoder: WeightReader;
  /** Reads the decoder's tensors. */
  readonly decoder: WeightReader;
  /** What the decoder sees of the encoder's states. */
  readonly sourceOf: (states: Value) => Value;
}

/** What the halves drop while they learn. */
export interface HalvesDropout {
  readonly encoder: DropoutRates;
  readonly decoder: DropoutRates;
}

/** An encoder-decoder's halves: of one family's model, whose names tell them apart, or of two families' (`EncoderDecoderModel`). */
export function halvesOf(b: ProgramBuilder, config: EncoderDecoderConfig, weights: TensorSource, dropout?: HalvesDropout): Halves {
  const { decoder } = config;
  const family: Family = families[config.modelType];
  if (family.decoderFields !== undefined) {
    const reader = new WeightReader(b, config, weights, dropout?.encoder);
    const decoding = new WeightReader(b, decoder, weights, dropout?.decoder, reader);
    return { encoder: reader, decoder: decoding, sourceOf: (states) => states };
  }
  // Of two tensors with one set of values conversions keep the name that sorts first; with both there, as transformers 5 needs them, that one is read.
  const isShared = new JsonFields(config.raw, 'config.json', 'CONFIG').boolean('tie_encoder_decoder') ?? false;
  const ofDecoder = families[decoder.modelType].prefixes.map((prefix) => `decoder.${prefix}`);
  const matrix = new Map(decoder.tieWordEmbeddings ? [[wordTable, families[decoder.modelType].decoder]] : []);
  const none = new Map<string, string>();
  const ofEncoder = isShared ? ([ofDecoder[0]!, ...ofDecoder.slice(1), 'decoder.', 'encoder.'] as const) : (['encoder.'] as const);
  const encoderTensors = new PartTensors(weights, ofEncoder, isShared ? matrix : none);
  const decoderTensors = new PartTensors(
    weights,
    [ofDecoder[0]!, ...ofDecoder.slice(1), 'decoder.', ...(isShared ? ['encoder.'] : [])],
    matrix,
  );
  const encoder = new WeightReader(b, config, encoderTensors, dropout?.encoder);
  return {
    encoder,
    decoder: new WeightReader(b, decoder, decoderTensors, dropout?.decoder, encoder),
    sourceOf: (states) => {
      if (config.hiddenSize === decoder.hiddenSize) return states;
      const joint = new WeightReader(b, decoder, weights);
      return b.linear(states, joint.linear('enc_to_dec_proj', decoder.hiddenSize, config.hiddenSize));
    },
  };
}

/** Appends the encoder. */
export function appendEncoder({ encoder }: Halves, { modelType }: PartConfig): EncoderOutputs {
  return families[modelType].encoder(encoder);
}

/** Appends the decoder behind an encoder. */
export function appendDecoder({ decoder, sourceOf }: Halves, { modelType }: PartConfig, states: Value): DecoderOutputs {
  const family: Family = families[modelType];
  return family.asDecoder!(decoder, sourceOf(states));
}
