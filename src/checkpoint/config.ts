import { unexpected } from '../expected.js';
import { HIDDEN_ACTIVATION_NAMES, hiddenActivation, type ActivationName } from './activation.js';
import { describe, quote } from './describe.js';
import { JsonFields, parseJsonObject, type JsonObject } from './json-fields.js';
import { readLabels, type Labels } from './labels.js';

/** Architectures whose config.json is understood. */
export const MODEL_TYPES = ['bert', 'distilbert', 'electra', 'mpnet'] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/**
 * config.json with one vocabulary for all architectures, every number within its bounds. What only some uses need (labels, problem type,
 * class names, the padding's id) never keeps a model from being loaded; see `Labels`.
 */
export interface ModelConfig extends Labels {
  readonly modelType: ModelType;
  /** Class names such as BertForMaskedLM; empty where the file names none. They choose between the heads that the weights allow. */
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
  /** Row of the first token: 0, or 2 in MPNet. */
  readonly positionOffset: number;
  /** Token that takes the row before `positionOffset` wherever it stands, and that positions do not count: MPNet's `<pad>`. */
  readonly uncountedId?: number;
  /** Most tokens a sequence can have: what is left of the position table after `positionOffset`. */
  readonly maxSequenceLength: number;
  /** Rows of the token type table; 0 where the architecture has none. */
  readonly typeVocabSize: number;
  /** Other kinds are rejected: CONFIG_UNSUPPORTED. */
  readonly positionEmbeddingType: 'absolute';
  /** Rows of MPNet's table of relative attention biases, otherwise 0. */
  readonly relativeAttentionBuckets: number;
  /** Undefined where the file says null or no id of the vocabulary (-1, for instance). The encoder does not need it. */
  readonly padTokenId: number | undefined;
  readonly tieWordEmbeddings: boolean;
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
const kDefaultEpsilon = 1e-12;

/** MPNet keeps the rows up to that of `<pad>` free, whatever `pad_token_id` says: its code has the number. */
const kMpnetPadding = 1;
/** MPNet's code sorts distances into so many buckets, whatever `relative_attention_num_buckets` says; that only sizes the table. */
export const MPNET_BUCKETS = 32;

/** How an architecture reads config.json: the names of sizes, the first that is there counts, and what transformers 5.24 fills in. */
interface Reading {
  readonly hiddenSize: readonly [names: readonly string[], fallback: number];
  readonly numLayers: readonly [names: readonly string[], fallback: number];
  readonly numHeads: readonly [names: readonly string[], fallback: number];
  readonly intermediateSize: readonly [names: readonly string[], fallback: number];
  readonly hiddenAct: string;
  readonly vocabSize: number;
  readonly typeVocabSize: number;
  readonly padTokenId: number;
  readonly embeddingSize?: number;
  /** Whether `layer_norm_eps` counts; DistilBERT's code has the number. */
  readonly hasEpsilon: boolean;
  /** Whether the fields of a decoder and of other position embeddings mean anything. */
  readonly canDecode: boolean;
}

const kBertReading: Reading = {
  hiddenSize: [['hidden_size'], 768],
  numLayers: [['num_hidden_layers'], 12],
  numHeads: [['num_attention_heads'], 12],
  intermediateSize: [['intermediate_size'], 3072],
  hiddenAct: 'hidden_act',
  vocabSize: 30522,
  typeVocabSize: 2,
  padTokenId: 0,
  hasEpsilon: true,
  canDecode: true,
};

const READINGS: Readonly<Record<ModelType, Reading>> = {
  bert: kBertReading,
  electra: {
    ...kBertReading,
    hiddenSize: [['hidden_size'], 256],
    numHeads: [['num_attention_heads'], 4],
    intermediateSize: [['intermediate_size'], 1024],
    embeddingSize: 128,
  },
  mpnet: { ...kBertReading, vocabSize: 30527, typeVocabSize: 0, padTokenId: kMpnetPadding, canDecode: false },
  distilbert: {
    ...kBertReading,
    hiddenSize: [['hidden_size', 'dim'], 768],
    numLayers: [['num_hidden_layers', 'n_layers'], 6],
    numHeads: [['num_attention_heads', 'n_heads'], 12],
    intermediateSize: [['hidden_dim'], 3072],
    hiddenAct: 'activation',
    typeVocabSize: 0,
    hasEpsilon: false,
    canDecode: false,
  },
};

/**
 * Parses the text of a config.json as transformers 5.24 reads it for that architecture: a field that is left out has its class's
 * default, and a field that the architecture does not know means nothing.
 *
 * Errors: CONFIG (malformed, naming the field), CONFIG_UNSUPPORTED (well-formed, but a model this library would compute wrongly).
 */
export function parseConfig(text: string, file = 'config.json'): ModelConfig {
  const raw = parseJsonObject(text, file, 'CONFIG');
  const fields = new JsonFields(raw, file, 'CONFIG');
  const architectures = readArchitectures(fields);
  const modelType = readModelType(fields, architectures, file);
  const reading = READINGS[modelType];
  requireEncoder(fields, reading);

  const size = ([names, fallback]: Reading['hiddenSize'], most: number): number => readSize(fields, names, fallback, most);
  const hiddenSize = size(reading.hiddenSize, kMaxWidth);
  const numHeads = size(reading.numHeads, kMaxHeads);
  if (hiddenSize % numHeads !== 0) {
    const expected = `a divisor of ${quote(presentName(fields, reading.hiddenSize[0]))} (${hiddenSize})`;
    throw fields.error(presentName(fields, reading.numHeads[0]), expected, numHeads);
  }
  const vocabSize = readSize(fields, ['vocab_size'], reading.vocabSize, kMaxVocab);
  const maxPositionEmbeddings = readSize(fields, ['max_position_embeddings'], 512, kMaxPositions);
  const positionOffset = modelType === 'mpnet' ? kMpnetPadding + 1 : 0;
  if (positionOffset >= maxPositionEmbeddings)
    throw fields.error('max_position_embeddings', `more than ${positionOffset}`, maxPositionEmbeddings);
  const hasTypes = reading.typeVocabSize > 0;

  return {
    modelType,
    architectures,
    vocabSize,
    hiddenSize,
    embeddingSize:
      reading.embeddingSize === undefined ? hiddenSize : readSize(fields, ['embedding_size'], reading.embeddingSize, kMaxWidth),
    numLayers: size(reading.numLayers, kMaxLayers),
    numHeads,
    headDim: hiddenSize / numHeads,
    intermediateSize: size(reading.intermediateSize, kMaxIntermediate),
    hiddenAct: readActivation(fields, reading.hiddenAct),
    layerNormEps: reading.hasEpsilon ? readEpsilon(fields) : kDefaultEpsilon,
    maxPositionEmbeddings,
    positionOffset,
    ...(modelType === 'mpnet' ? { uncountedId: kMpnetPadding } : {}),
    maxSequenceLength: maxPositionEmbeddings - positionOffset,
    typeVocabSize: hasTypes ? (fields.integer('type_vocab_size', 1, kMaxTypes) ?? reading.typeVocabSize) : 0,
    positionEmbeddingType: 'absolute',
    relativeAttentionBuckets:
      modelType === 'mpnet' ? (fields.integer('relative_attention_num_buckets', MPNET_BUCKETS, kMaxPositions) ?? MPNET_BUCKETS) : 0,
    padTokenId: readPadding(fields, reading.padTokenId, vocabSize),
    tieWordEmbeddings: fields.boolean('tie_word_embeddings') ?? true,
    ...readLabels(fields),
    raw,
  };
}

/** The first of a field's names that the file has, else the last one. */
function presentName(fields: JsonFields, names: readonly string[]): string {
  return names.find((name) => fields.contains(name)) ?? names.at(-1)!;
}

/** A size that must be a whole number where the file has it, null included. */
function readSize(fields: JsonFields, names: readonly string[], fallback: number, most: number): number {
  const name = presentName(fields, names);
  return fields.contains(name) ? fields.requiredInteger(name, 1, most) : fallback;
}

/** Class names; what is no list of them says nothing, since they only choose between what is there. */
function readArchitectures(fields: JsonFields): readonly string[] {
  const value = fields.get('architectures');
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each): each is string => typeof each === 'string');
}

function readPadding(fields: JsonFields, fallback: number, vocabSize: number): number | undefined {
  if (!fields.contains('pad_token_id')) return fallback;
  const id = fields.get('pad_token_id');
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize ? id : undefined;
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
  throw unexpected('CONFIG', `"model_type" in ${file}, or "architectures" that tell it,`, describe(architectures[0]));
}

/** Everything that would run but compute something else than this library does. */
function requireEncoder(fields: JsonFields, { canDecode }: Reading): void {
  const forbid = (key: string, expected: string, isLegal: (value: unknown) => boolean): void => {
    const value = fields.get(key);
    if (value !== undefined && !isLegal(value)) throw fields.error(key, expected, value, 'CONFIG_UNSUPPORTED');
  };
  if (canDecode) {
    forbid('position_embedding_type', '"absolute"', (value) => value === 'absolute');
    forbid('is_decoder', 'false (an encoder)', (value) => value === false);
    forbid('add_cross_attention', 'false', (value) => value === false);
    forbid('is_encoder_decoder', 'false', (value) => value === false);
  }
  forbid('pruned_heads', 'no pruned heads', (value) => typeof value === 'object' && Object.keys(value as object).length === 0);
  forbid('quantization_config', 'a checkpoint that is not quantized', () => false);
}

function readActivation(fields: JsonFields, key: string): ActivationName {
  const name = fields.string(key) ?? 'gelu';
  const activation = hiddenActivation(name);
  if (activation === undefined) throw fields.error(key, `one of ${HIDDEN_ACTIVATION_NAMES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
  return activation;
}

function readEpsilon(fields: JsonFields): number {
  const value = fields.get('layer_norm_eps') ?? kDefaultEpsilon;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) throw fields.error('layer_norm_eps', 'a number between 0 and 1', value);
  return value;
}
