import type { ModelConfig } from '../../architectures/config.js';
import type { Family } from '../../architectures/family.js';
import { families } from '../../architectures/registry.js';
import { WeightReader } from '../../architectures/weight-reader.js';
import { limitsOf } from '../../models/build-model.js';
import { ProgramBuilder } from '../../models/program/program.js';
import { NewTensors } from '../create/new-tensors.js';
import { isTied } from '../seq2seq/pair-tensors.js';
import { fullName } from '../writers/append-writer.js';

/** A tensor of a decoder alone. */
export interface DecoderTensor {
  /** As transformers stores it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Its name in an encoder of the family, without a prefix. */
  readonly own: string;
}

/** The tensors that the decoder alone of a configuration has, by building its program. Errors: CONFIG_UNSUPPORTED, MODEL_MISMATCH. */
export function decoderTensors(config: ModelConfig): readonly DecoderTensor[] {
  const family: Family = families[config.modelType];
  const tensors = new DecoderAlone(config);
  family.asDecoder!(new WeightReader(new ProgramBuilder(limitsOf(config)), config, tensors));
  return [...tensors.shapes].map(([own, shape]) => ({ name: fullName(own, family), shape, own }));
}

class DecoderAlone extends NewTensors {
  readonly #config: ModelConfig;

  constructor(config: ModelConfig) {
    super();
    this.#config = config;
  }

  override has(name: string): boolean {
    return !isTied(name, this.#config);
  }
}
