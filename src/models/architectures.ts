import type { ModelDirectory } from '../checkpoint/model-directory.js';
import { WeightMap } from '../checkpoint/weights.js';
import { BerthaError } from '../errors.js';
import { bertEncoder, BertWeights, type EncoderOutputs } from './bert.js';
import { ProgramBuilder, type Program } from './program.js';
import { sentenceEmbedding, type SentenceOutputs } from './sentence.js';

/** A model as a program, and the values that callers can ask for. */
export interface BuiltModel {
  readonly program: Program;
  readonly encoder: EncoderOutputs;
  readonly sentence: SentenceOutputs;
  /** Stored tensors that the program does not use. */
  readonly surplus: readonly string[];
}

type Architecture = (b: ProgramBuilder, directory: ModelDirectory, weights: WeightMap) => EncoderOutputs;

const ARCHITECTURES: Readonly<Record<string, { readonly prefixes: readonly string[]; readonly build: Architecture }>> = {
  bert: { prefixes: ['bert.'], build: (b, { config }, weights) => bertEncoder(b, config, new BertWeights(b, config, weights)) },
};

/**
 * Builds the program of an opened model.
 *
 * Errors: CONFIG_UNSUPPORTED (no such architecture here), MODEL_MISMATCH, DTYPE_UNSUPPORTED (see `WeightMap`).
 */
export function buildModel(directory: ModelDirectory): BuiltModel {
  const { config } = directory;
  const architecture = ARCHITECTURES[config.modelType];
  if (architecture === undefined) {
    const known = Object.keys(ARCHITECTURES).join(', ');
    throw new BerthaError('CONFIG_UNSUPPORTED', `Expected one of ${known} for model_type but received ${config.modelType}.`);
  }
  const b = new ProgramBuilder({
    vocabSize: config.vocabSize,
    typeVocabSize: config.typeVocabSize,
    maxSeqLen: config.maxSequenceLength,
  });
  const weights = new WeightMap(directory.tensors, { prefixes: architecture.prefixes });
  const encoder = architecture.build(b, directory, weights);
  const sentence = sentenceEmbedding(b, encoder.hiddenStates.at(-1)!, directory.sentenceTransformers);
  const { surplus } = weights.finish();
  return { program: b.build(), encoder, sentence, surplus };
}
