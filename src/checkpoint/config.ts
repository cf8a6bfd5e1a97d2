import { BerthaError } from '../errors.js';
import { HIDDEN_ACTIVATION_NAMES, hiddenActivation, type ActivationName } from './activation.js';
import { describe, quote } from './describe.js';
import { JsonFields, parseJsonObject, type JsonObject } from './json-fields.js';

/** Architectures whose config.json is understood. */
export const MODEL_TYPES = ['bert', 'distilbert', 'electra', 'mpnet'] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/** How class scores become answers: softmax over classes, one sigmoid per class, or one number as it is. */
export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';

/** config.json with one vocabulary for all architectures, every number within its bounds. */
export interface ModelConfig {
  readonly modelType: ModelType;
  /** Class names such as BertForMaskedLM; empty where the file names none. */
  readonly architectures: readonly string[];
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Width of the embedding tables; below `hiddenSize` only in ELECTRA, which then projects. */
  readonly embeddingSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
  /** Rows of the position table. */
  readonly maxPositionEmbeddings: number;
  /** Row of the first token: 0, or `padTokenId + 1` in MPNet. */
  readonly positionOffset: number;
  /** Most tokens a sequence can have: what is left of the position table after `positionOffset`. */
  readonly maxSequenceLength: number;
  /** Rows of the token type table; 0 where the architecture has none. */
  readonly typeVocabSize: number;
  /** Other kinds are rejected: CONFIG_UNSUPPORTED. */
  readonly positionEmbeddingType: 'absolute';
  /** Buckets of MPNet's relative attention bias, otherwise 0. */
  readonly relativeAttentionBuckets: number;
  readonly padTokenId: number;
  readonly tieWordEmbeddings: boolean;
  readonly numLabels: number;
  /** [numLabels], indexed by class; LABEL_0, LABEL_1, … where the file names none. */
  readonly id2label: readonly string[];
  readonly label2id: ReadonlyMap<string, number>;
  readonly problemType?: ProblemType;
  /** The file as parsed. Keys are untrusted; look them up with Object.hasOwn. */
  readonly raw: JsonObject;
}

/** Largest config.json that is read; classifiers with 100,000 labels need a few MiB. */
export const MAX_CONFIG_BYTES = 16 << 20;

// Bounds that keep every product of two of them below 2^53 and no allocation absurd; BERT-large is 1024 wide and 24 deep.
const kMaxWidth = 1 << 16;
const kMaxIntermediate = 1 << 18;
const kMaxLayers = 1024;
const kMaxHeads = 1024;
const kMaxVocab = 1 << 24;
const kMaxPositions = 1 << 20;
const kMaxTypes = 1 << 16;
const kMaxLabels = 1 << 20;

/** The names an architecture gives to the same sizes, and its defaults where the file may leave a field out. */
interface Spelling {
  readonly hiddenSize: string;
  readonly numLayers: string;
  readonly numHeads: string;
  readonly intermediateSize: string;
  readonly hiddenAct: string;
  readonly typeVocabSize: number;
  readonly padTokenId: number;
  readonly embeddingSize?: number;
}

const kBertSpelling: Spelling = {
  hiddenSize: 'hidden_size',
  numLayers: 'num_hidden_layers',
  numHeads: 'num_attention_heads',
  intermediateSize: 'intermediate_size',
  hiddenAct: 'hidden_act',
  typeVocabSize: 2,
  padTokenId: 0,
};

const SPELLINGS: Readonly<Record<ModelType, Spelling>> = {
  bert: kBertSpelling,
  electra: { ...kBertSpelling, embeddingSize: 128 },
  mpnet: { ...kBertSpelling, typeVocabSize: 0, padTokenId: 1 },
  distilbert: {
    hiddenSize: 'dim',
    numLayers: 'n_layers',
    numHeads: 'n_heads',
    intermediateSize: 'hidden_dim',
    hiddenAct: 'activation',
    typeVocabSize: 0,
    padTokenId: 0,
  },
};

/**
 * Parses the text of a config.json. Sizes must be there; what transformers fills in silently (activation, epsilon, type vocabulary) is
 * filled in the same way.
 *
 * Errors: CONFIG (malformed, naming the field), CONFIG_UNSUPPORTED (well-formed, but a model this library would compute wrongly).
 */
export function parseConfig(text: string, file = 'config.json'): ModelConfig {
  const raw = parseJsonObject(text, file, 'CONFIG');
  const fields = new JsonFields(raw, file, 'CONFIG');
  const architectures = fields.strings('architectures') ?? [];
  const modelType = readModelType(fields, architectures, file);
  const spelling = SPELLINGS[modelType];
  requireEncoder(fields);

  const hiddenSize = fields.requiredInteger(spelling.hiddenSize, 1, kMaxWidth);
  const numHeads = fields.requiredInteger(spelling.numHeads, 1, kMaxHeads);
  if (hiddenSize % numHeads !== 0)
    throw fields.error(spelling.numHeads, `a divisor of ${quote(spelling.hiddenSize)} (${hiddenSize})`, numHeads);
  const vocabSize = fields.requiredInteger('vocab_size', 1, kMaxVocab);
  const padTokenId = fields.integer('pad_token_id', 0, vocabSize - 1) ?? spelling.padTokenId;
  const maxPositionEmbeddings = fields.requiredInteger('max_position_embeddings', 1, kMaxPositions);
  const positionOffset = modelType === 'mpnet' ? padTokenId + 1 : 0;
  if (positionOffset >= maxPositionEmbeddings)
    throw fields.error('max_position_embeddings', `more than ${positionOffset}`, maxPositionEmbeddings);
  const hasTypes = spelling.typeVocabSize > 0;
  const problemType = readProblemType(fields);

  return {
    modelType,
    architectures,
    vocabSize,
    hiddenSize,
    embeddingSize: readEmbeddingSize(fields, spelling, hiddenSize),
    numLayers: fields.requiredInteger(spelling.numLayers, 1, kMaxLayers),
    numHeads,
    headDim: hiddenSize / numHeads,
    intermediateSize: fields.requiredInteger(spelling.intermediateSize, 1, kMaxIntermediate),
    hiddenAct: readActivation(fields, spelling.hiddenAct),
    layerNormEps: readEpsilon(fields),
    maxPositionEmbeddings,
    positionOffset,
    maxSequenceLength: maxPositionEmbeddings - positionOffset,
    typeVocabSize: hasTypes ? (fields.integer('type_vocab_size', 1, kMaxTypes) ?? spelling.typeVocabSize) : 0,
    positionEmbeddingType: 'absolute',
    relativeAttentionBuckets: modelType === 'mpnet' ? (fields.integer('relative_attention_num_buckets', 2, kMaxPositions) ?? 32) : 0,
    padTokenId,
    tieWordEmbeddings: fields.boolean('tie_word_embeddings') ?? true,
    ...readLabels(fields),
    ...(problemType === undefined ? {} : { problemType }),
    raw,
  };
}

function readModelType(fields: JsonFields, architectures: readonly string[], file: string): ModelType {
  const named = fields.string('model_type');
  if (named !== undefined) {
    const known = MODEL_TYPES.find((type) => type === named);
    if (known === undefined) throw fields.error('model_type', `one of ${MODEL_TYPES.join(', ')}`, named, 'CONFIG_UNSUPPORTED');
    return known;
  }
  // Files older than transformers 2.0 have no model_type; class names begin with it.
  const prefixes: readonly (readonly [string, ModelType])[] = [
    ['Bert', 'bert'],
    ['DistilBert', 'distilbert'],
    ['Electra', 'electra'],
    ['MPNet', 'mpnet'],
  ];
  for (const [prefix, type] of prefixes) {
    if (architectures.some((name) => new RegExp(`^${prefix}(Model|For)`).test(name))) return type;
  }
  throw new BerthaError(
    'CONFIG',
    `Expected "model_type" in ${file}, or "architectures" that tell it, but received ${describe(architectures[0])}.`,
  );
}

/** Everything that would run but compute something else than this library does. */
function requireEncoder(fields: JsonFields): void {
  const forbid = (key: string, expected: string, isLegal: (value: unknown) => boolean): void => {
    const value = fields.get(key);
    if (value !== undefined && !isLegal(value)) throw fields.error(key, expected, value, 'CONFIG_UNSUPPORTED');
  };
  forbid('position_embedding_type', '"absolute"', (value) => value === 'absolute');
  forbid('is_decoder', 'false (an encoder)', (value) => value === false);
  forbid('add_cross_attention', 'false', (value) => value === false);
  forbid('is_encoder_decoder', 'false', (value) => value === false);
  forbid('pruned_heads', 'no pruned heads', (value) => typeof value === 'object' && Object.keys(value as object).length === 0);
  forbid('quantization_config', 'a checkpoint that is not quantized', () => false);
}

function readEmbeddingSize(fields: JsonFields, spelling: Spelling, hiddenSize: number): number {
  if (spelling.embeddingSize === undefined) return hiddenSize;
  return fields.integer('embedding_size', 1, kMaxWidth) ?? spelling.embeddingSize;
}

function readActivation(fields: JsonFields, key: string): ActivationName {
  const name = fields.string(key) ?? 'gelu';
  const activation = hiddenActivation(name);
  if (activation === undefined) throw fields.error(key, `one of ${HIDDEN_ACTIVATION_NAMES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
  return activation;
}

function readEpsilon(fields: JsonFields): number {
  const value = fields.get('layer_norm_eps') ?? 1e-12;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) throw fields.error('layer_norm_eps', 'a number between 0 and 1', value);
  return value;
}

function readProblemType(fields: JsonFields): ProblemType | undefined {
  const value = fields.string('problem_type');
  if (value === undefined || value === 'single_label_classification' || value === 'multi_label_classification' || value === 'regression')
    return value;
  throw fields.error('problem_type', 'single_label_classification, multi_label_classification or regression', value, 'CONFIG_UNSUPPORTED');
}

/** `id2label` decides, as in transformers; `num_labels` counts only without it. */
function readLabels(fields: JsonFields): Pick<ModelConfig, 'numLabels' | 'id2label' | 'label2id'> {
  const byId = fields.object('id2label');
  let id2label: readonly string[];
  if (byId === undefined) {
    const count = fields.integer('num_labels', 1, kMaxLabels) ?? 2;
    id2label = Array.from({ length: count }, (_, id) => `LABEL_${id}`);
  } else {
    const labels = new Map(Object.entries(byId));
    id2label = Array.from({ length: labels.size }, (_, id) => {
      const label = labels.get(String(id));
      if (typeof label !== 'string') throw fields.error('id2label', `a string for each of the ids 0..${labels.size - 1}`, label);
      return label;
    });
    if (id2label.length === 0) throw fields.error('id2label', 'at least one label', byId);
  }
  return { numLabels: id2label.length, id2label, label2id: new Map(id2label.map((label, id) => [label, id])) };
}
