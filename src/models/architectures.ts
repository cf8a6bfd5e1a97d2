import type { ModelConfig, ModelDirectory } from '../checkpoint/model-directory.js';
import { WeightMap } from '../checkpoint/weights.js';
import { BerthaError } from '../errors.js';
import { bertEncoder, bertHeads } from './bert.js';
import { distilbertEncoder, distilbertHeads } from './distilbert.js';
import { electraEncoder, electraHeads } from './electra.js';
import type { EncoderOutputs } from './encoder.js';
import type { HeadBuilder, Heads } from './heads.js';
import { mpnetEncoder, mpnetHeads } from './mpnet.js';
import { ProgramBuilder, type Program } from './program.js';
import { sentenceEmbedding, type SentenceOutputs } from './sentence.js';
import { WeightReader } from './weight-reader.js';

/** A model as a program, and the values that callers can ask for. */
export interface BuiltModel {
  readonly program: Program;
  readonly encoder: EncoderOutputs;
  readonly sentence: SentenceOutputs;
  readonly heads: Heads;
  /** Stored tensors that the program does not use. */
  readonly surplus: readonly string[];
}

interface Architecture {
  /** How its classes' names begin. */
  readonly name: string;
  /** What its tensors' names may begin with. */
  readonly prefix: string;
  readonly encoder: (read: WeightReader) => EncoderOutputs;
  /** By what follows `name` in a class's name. */
  readonly heads: Readonly<Record<string, HeadBuilder>>;
}

const ARCHITECTURES: Readonly<Record<ModelConfig['modelType'], Architecture>> = {
  bert: { name: 'Bert', prefix: 'bert.', encoder: bertEncoder, heads: bertHeads },
  distilbert: { name: 'DistilBert', prefix: 'distilbert.', encoder: distilbertEncoder, heads: distilbertHeads },
  electra: { name: 'Electra', prefix: 'electra.', encoder: electraEncoder, heads: electraHeads },
  mpnet: { name: 'MPNet', prefix: 'mpnet.', encoder: mpnetEncoder, heads: mpnetHeads },
};

/**
 * Builds the program of an opened model. Without `heads` only the encoder, which then needs no memory for a decoder.
 *
 * Errors: CONFIG_UNSUPPORTED (a class of models that is not here), MODEL_MISMATCH, DTYPE_UNSUPPORTED (see `WeightMap`).
 */
export function buildModel(directory: ModelDirectory, options: { readonly heads: boolean }): BuiltModel {
  const { config } = directory;
  const architecture = ARCHITECTURES[config.modelType];
  const buildHeads = headBuilder(architecture, config);
  const b = new ProgramBuilder({
    vocabSize: config.vocabSize,
    typeVocabSize: config.typeVocabSize,
    maxSeqLen: config.maxSequenceLength,
  });
  const weights = new WeightMap(directory.tensors, { prefixes: [architecture.prefix] });
  const read = new WeightReader(b, config, weights);
  const encoder = architecture.encoder(read);
  const heads = options.heads ? buildHeads(read, encoder) : {};
  const sentence = sentenceEmbedding(b, encoder.hiddenStates.at(-1)!, directory.sentenceTransformers);
  const { surplus } = weights.finish();
  return { program: b.build(), encoder, sentence, heads, surplus };
}

/** The heads of the class that config.json names first among those known; of the encoder's own class where it names none. */
function headBuilder({ name, heads }: Architecture, { architectures }: ModelConfig): HeadBuilder {
  if (architectures.length === 0) return heads['Model']!;
  const classes = new Map(Object.entries(heads).map(([suffix, build]) => [name + suffix, build]));
  const known = architectures.find((each) => classes.has(each));
  if (known !== undefined) return classes.get(known)!;
  throw new BerthaError(
    'CONFIG_UNSUPPORTED',
    `Expected one of ${[...classes.keys()].join(', ')} for architectures in config.json but received ${JSON.stringify(architectures[0])}.`,
  );
}
