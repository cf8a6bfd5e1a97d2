import type { ModelConfig, ModelDirectory } from '../checkpoint/model-directory.js';
import { JsonFields } from '../checkpoint/json-fields.js';
import { readLabels } from '../checkpoint/labels.js';
import { WeightMap } from '../checkpoint/weights.js';
import { bertEncoder, bertHeads } from './bert.js';
import { distilbertEncoder, distilbertHeads } from './distilbert.js';
import { electraEncoder, electraHeads } from './electra.js';
import type { EncoderOutputs } from './encoder.js';
import { chooseHeads, type ChosenHeads } from './choose-heads.js';
import type { HeadBuilders } from './heads.js';
import { mpnetEncoder, mpnetHeads } from './mpnet.js';
import { ProgramBuilder, type Program } from './program.js';
import { sentenceEmbedding, type SentenceOutputs } from './sentence.js';
import { WeightReader } from './weight-reader.js';

/** A model as a program, and the values that callers can ask for. */
export interface BuiltModel extends ChosenHeads {
  readonly program: Program;
  /** The directory's, with as many labels as the head with labels has rows. */
  readonly config: ModelConfig;
  readonly encoder: EncoderOutputs;
  readonly sentence: SentenceOutputs;
  /** Stored tensors that the program does not use. */
  readonly surplus: readonly string[];
}

interface Architecture {
  /** How its classes' names begin. */
  readonly name: string;
  /** What its tensors' names may begin with. */
  readonly prefix: string;
  readonly encoder: (read: WeightReader) => EncoderOutputs;
  readonly heads: HeadBuilders;
  /** The matrix that is tied to the word embeddings. */
  readonly decoder: string;
}

const ARCHITECTURES: Readonly<Record<ModelConfig['modelType'], Architecture>> = {
  bert: { name: 'Bert', prefix: 'bert.', encoder: bertEncoder, heads: bertHeads, decoder: 'cls.predictions.decoder.weight' },
  distilbert: {
    name: 'DistilBert',
    prefix: 'distilbert.',
    encoder: distilbertEncoder,
    heads: distilbertHeads,
    decoder: 'vocab_projector.weight',
  },
  electra: { name: 'Electra', prefix: 'electra.', encoder: electraEncoder, heads: electraHeads, decoder: 'generator_lm_head.weight' },
  mpnet: { name: 'MPNet', prefix: 'mpnet.', encoder: mpnetEncoder, heads: mpnetHeads, decoder: 'lm_head.decoder.weight' },
};

/** Where the rows of a head are one a label. */
const kLabelTensors = ['classifier.out_proj.weight', 'classifier.weight'];

/**
 * Builds the program of an opened model: the encoder, and with `heads` every head whose tensors are there. Without them it needs no memory
 * for a decoder, and nothing that only heads read is looked at.
 *
 * Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED (see `WeightMap`), those of `chooseHeads`.
 */
export function buildModel(directory: ModelDirectory, options: { readonly heads: boolean }): BuiltModel {
  const architecture = ARCHITECTURES[directory.config.modelType];
  const tied: [string, string][] = [['embeddings.word_embeddings.weight', architecture.decoder]];
  const aliases = new Map(directory.config.tieWordEmbeddings ? tied : []);
  const weights = new WeightMap(directory.tensors, { prefixes: [architecture.prefix], aliases });
  const config = options.heads ? withLabelsOf(weights, directory.config) : directory.config;
  const b = new ProgramBuilder({
    vocabSize: config.vocabSize,
    typeVocabSize: config.typeVocabSize,
    maxSeqLen: config.maxSequenceLength,
    ...(config.uncountedId === undefined ? {} : { paddingId: config.uncountedId }),
  });
  const read = new WeightReader(b, config, weights);
  const encoder = architecture.encoder(read);
  const chosen = options.heads
    ? chooseHeads(architecture.name, architecture.heads, read, encoder)
    : { heads: {}, otherHeads: {}, headFaults: {} };
  const sentence = sentenceEmbedding(b, encoder.hiddenStates.at(-1)!, directory.sentenceTransformers);
  const { surplus } = weights.finish();
  return { program: b.build(), config, encoder, sentence, surplus, ...chosen };
}

function withLabelsOf(weights: WeightMap, config: ModelConfig): ModelConfig {
  const [rows] = kLabelTensors.map((name) => weights.shapeOf(name)?.[0]).filter((count) => count !== undefined);
  return rows === undefined ? config : { ...config, ...readLabels(new JsonFields(config.raw, 'config.json', 'CONFIG'), rows) };
}
