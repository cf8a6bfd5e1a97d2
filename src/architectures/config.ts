import { readActivationName } from './config-checks.js';
import type { ActivationName } from '../checkpoint/activation.js';
import { describe, quote } from '../checkpoint/describe.js';
import { JsonFields, parseJsonObject, type JsonObject } from '../checkpoint/json-fields.js';
import { readLabels } from '../checkpoint/labels.js';
import { unexpected } from '../expected.js';
import type { ConfigFields, SizeField } from './config-fields.js';
import type { EncoderConfig, PositionEmbeddingType } from './encoder-config.js';
import type { Family } from './family.js';
import {
  encoderDecoderClass,
  encoderDecoderType,
  families,
  familyOf,
  knownNames,
  modelTypes,
  partTypes,
  type ModelType,
} from './registry.js';

/** What a config.json says of an encoder or a decoder, and of which family it is. */
export interface PartConfig extends EncoderConfig {
  readonly modelType: ModelType;
}

/** What a model's config.json says. Of an encoder-decoder the fields are those of its encoder, but for `architectures` and `raw`. */
export interface ModelConfig extends PartConfig {
  /** Present in an encoder-decoder. */
  readonly decoder?: PartConfig;
}

/** What a part of a model is: all of it, or one half of an encoder-decoder. */
type Role = 'whole' | 'encoder' | 'decoder';

// Bounds that keep every product of two of them below 2^53 and no allocation absurd; BERT-large is 1024 wide and 24 deep.
const kMaxWidth = 1 << 16;
const kMaxIntermediate = 1 << 18;
const kMaxLayers = 1024;
const kMaxHeads = 1024;
const kMaxVocab = 1 << 24;
const kMaxPositions = 1 << 20;
const kMaxTypes = 1 << 16;
const kFixedEpsilon = 1e-12;

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
  if (isEncoderDecoder(fields, architectures)) {
    forbidUnread(fields);
    const half = (role: 'encoder' | 'decoder'): PartConfig => readHalf(fields, role, file);
    return { ...half('encoder'), architectures, raw, decoder: half('decoder') };
  }
  const modelType = readModelType(fields, architectures, file);
  const { fields: own, decoderFields }: Family = families[modelType];
  const part = (reading: ConfigFields, role: Role): PartConfig => readPart(raw, file, { modelType, architectures, reading, role });
  return { ...part(own, 'whole'), ...(decoderFields && { decoder: part(decoderFields, 'decoder') }) };
}

function isEncoderDecoder(fields: JsonFields, architectures: readonly string[]): boolean {
  const type = fields.string('model_type');
  return type === undefined ? architectures.includes(encoderDecoderClass) : type === encoderDecoderType;
}

/** One of the two configurations inside an encoder-decoder's. */
function readHalf(fields: JsonFields, role: 'encoder' | 'decoder', file: string): PartConfig {
  const raw = fields.object(role);
  if (raw === undefined) throw fields.error(role, `the configuration of the ${role}`, undefined);
  const place = `${quote(role)} of ${file}`;
  const own = new JsonFields(raw, place, 'CONFIG');
  const name = own.string('model_type');
  const modelType = name === undefined ? undefined : familyOf(name, own);
  if (modelType === undefined || !partTypes.includes(modelType)) {
    throw own.error('model_type', `one of ${partTypes.join(', ')}`, name, name === undefined ? 'CONFIG' : 'CONFIG_UNSUPPORTED');
  }
  return readPart(raw, place, { modelType, architectures: readArchitectures(own), reading: families[modelType].fields, role });
}

interface PartKind {
  readonly modelType: ModelType;
  readonly architectures: readonly string[];
  readonly reading: ConfigFields;
  readonly role: Role;
}

function readPart(raw: JsonObject, file: string, { modelType, architectures, reading, role }: PartKind): PartConfig {
  const fields = new JsonFields(raw, file, 'CONFIG');
  const family: Family = families[modelType];
  const isDecoder = readDecoding(fields, family, role);
  forbidUnread(fields);

  const size = ([names, fallback]: SizeField, most: number): number => readSize(fields, names, fallback, most);
  const hiddenSize = size(reading.hiddenSize, kMaxWidth);
  const numHeads = size(reading.numHeads, kMaxHeads);
  if (hiddenSize % numHeads !== 0) {
    const expected = `a divisor of ${quote(presentName(fields, reading.hiddenSize[0]))} (${hiddenSize})`;
    throw fields.error(presentName(fields, reading.numHeads[0]), expected, numHeads);
  }
  const vocabNames = (reading.vocabNames ?? ['vocab_size']).filter((name, i, { length }) => fields.has(name) || i === length - 1);
  const vocabSize = readSize(fields, vocabNames, reading.vocabSize, kMaxVocab);
  const padTokenId = readPadding(fields, reading.padTokenId, vocabSize);
  const { relativeBuckets } = reading;

  const config: PartConfig = {
    modelType,
    architectures,
    vocabSize,
    hiddenSize,
    embeddingSize: readEmbeddingSize(fields, reading, hiddenSize),
    numLayers: size(reading.numLayers, kMaxLayers),
    numHeads,
    headDim: hiddenSize / numHeads,
    intermediateSize: size(reading.intermediateSize, kMaxIntermediate),
    hiddenAct: readActivation(fields, reading.hiddenAct),
    layerNormEps: readEpsilon(fields, reading.epsilon),
    ...readPositions(fields, raw, reading, padTokenId),
    typeVocabSize: readTypes(fields, reading),
    positionEmbeddingType: readPositionType(fields, reading),
    relativeAttentionBuckets:
      relativeBuckets === undefined
        ? 0
        : (fields.integer('relative_attention_num_buckets', relativeBuckets, kMaxPositions) ?? relativeBuckets),
    padTokenId,
    tieWordEmbeddings: fields.boolean('tie_word_embeddings') ?? true,
    isDecoder,
    ...readLabels(fields),
    raw,
  };
  family.check?.(config);
  if (isDecoder && config.positionEmbeddingType !== 'absolute') {
    throw fields.error('position_embedding_type', '"absolute" (a decoder)', config.positionEmbeddingType, 'CONFIG_UNSUPPORTED');
  }
  return config;
}

function readEmbeddingSize(fields: JsonFields, { embeddingSize: fallback }: ConfigFields, hiddenSize: number): number {
  if (fallback === undefined) return hiddenSize;
  return readSize(fields, ['embedding_size'], fallback === 'hidden' ? hiddenSize : fallback, kMaxWidth);
}

/** Positions: rows of their table, that of the first token, and what is left for an input. */
function readPositions(
  fields: JsonFields,
  raw: JsonObject,
  { maxPositions: [names, fallback], longestInput, uncountedId: uncounted }: ConfigFields,
  padTokenId: number | undefined,
): Pick<ModelConfig, 'maxPositionEmbeddings' | 'positionOffset' | 'uncountedId' | 'maxSequenceLength'> {
  const maxPositionEmbeddings = readSize(fields, names, fallback, kMaxPositions);
  const uncountedId = uncounted === 'padding' ? padTokenId : uncounted;
  if (uncounted !== undefined && uncountedId === undefined) {
    throw fields.error('pad_token_id', 'an id of the vocabulary, from which positions count,', fields.get('pad_token_id'));
  }
  const positionOffset = uncountedId === undefined ? 0 : uncountedId + 1;
  if (positionOffset >= maxPositionEmbeddings) {
    throw fields.error(presentName(fields, names), `more than ${positionOffset}`, maxPositionEmbeddings);
  }
  const maxSequenceLength = Math.min(maxPositionEmbeddings - positionOffset, longestInput?.(fields, raw) ?? Infinity);
  return { maxPositionEmbeddings, positionOffset, ...(uncountedId === undefined ? {} : { uncountedId }), maxSequenceLength };
}

function readTypes(fields: JsonFields, { typeVocabSize, mayLackTypes = false }: ConfigFields): number {
  if (typeVocabSize === 0 && !mayLackTypes) return 0;
  return fields.integer('type_vocab_size', mayLackTypes ? 0 : 1, kMaxTypes) ?? typeVocabSize;
}

function readPositionType(fields: JsonFields, { positionType, otherPositionTypes }: ConfigFields): PositionEmbeddingType {
  const value = fields.get('position_embedding_type');
  if (otherPositionTypes === undefined || value === undefined) return positionType;
  const known = [positionType, ...otherPositionTypes];
  const type = known.find((each) => each === value);
  if (type !== undefined) return type;
  throw fields.error('position_embedding_type', known.map((each) => JSON.stringify(each)).join(' or '), value, 'CONFIG_UNSUPPORTED');
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
  if (!fields.contains('pad_token_id')) return fallback < vocabSize ? fallback : undefined;
  const id = fields.get('pad_token_id');
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize ? id : undefined;
}

function readModelType(fields: JsonFields, architectures: readonly string[], file: string): ModelType {
  const named = fields.string('model_type');
  if (named !== undefined) {
    const known = familyOf(named, fields);
    if (known === undefined) throw fields.error('model_type', `one of ${knownNames.join(', ')}`, named, 'CONFIG_UNSUPPORTED');
    return known;
  }
  // Files older than transformers 2.0 have no model_type; class names begin with it.
  const ofClass = (type: ModelType): RegExp => new RegExp(`^${families[type].className}(Model|For)`);
  const told = modelTypes.find((type) => architectures.some((name) => ofClass(type).test(name)));
  if (told !== undefined) return told;
  throw unexpected('CONFIG', `"model_type" in ${file}, or "architectures" that tell it,`, describe(architectures[0]));
}

function forbid(fields: JsonFields, key: string, expected: string, isLegal: (value: unknown) => boolean): void {
  const value = fields.get(key);
  if (value !== undefined && !isLegal(value)) throw fields.error(key, expected, value, 'CONFIG_UNSUPPORTED');
}

/** Whether a part is a decoder. Errors: CONFIG_UNSUPPORTED where its file says that it is what it cannot be. */
function readDecoding(fields: JsonFields, { fields: { canDecode }, asDecoder }: Family, role: Role): boolean {
  if (!canDecode) return role === 'decoder';
  const [isDecoder, expected] =
    role === 'decoder'
      ? [true, 'true (a decoder)']
      : role === 'encoder' || asDecoder === undefined
        ? [false, 'false (an encoder)']
        : [fields.get('is_decoder') === true, 'true or false'];
  if (role === 'decoder' && !fields.has('is_decoder')) throw fields.error('is_decoder', expected, undefined, 'CONFIG_UNSUPPORTED');
  forbid(fields, 'is_decoder', expected, (value) => value === isDecoder);
  if (role === 'decoder') forbid(fields, 'cross_attention_hidden_size', 'none', () => false);
  else forbid(fields, 'add_cross_attention', 'false', (value) => value === false);
  forbid(fields, 'is_encoder_decoder', 'false', (value) => value === false);
  return isDecoder;
}

/** Everything that would run but compute something else than this library does. */
function forbidUnread(fields: JsonFields): void {
  const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value as object).length === 0;
  forbid(fields, 'pruned_heads', 'no pruned heads', isEmpty);
  forbid(fields, 'quantization_config', 'a checkpoint that is not quantized', () => false);
}

function readActivation(fields: JsonFields, [names, fallback]: ConfigFields['hiddenAct']): ActivationName {
  const key = presentName(fields, names);
  return readActivationName(fields, key, fallback);
}

function readEpsilon(fields: JsonFields, epsilon: ConfigFields['epsilon'] = kFixedEpsilon): number {
  if (typeof epsilon === 'number') return epsilon;
  const [names, fallback] = epsilon;
  const key = presentName(fields, names);
  const value = fields.get(key) ?? fallback;
  if (typeof value !== 'number' || !(value > 0 && value < 1)) throw fields.error(key, 'a number between 0 and 1', value);
  return value;
}
