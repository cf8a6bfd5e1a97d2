import { chooseHeads, type ChosenHeads } from '../architectures/choose-heads.js';
import type { ModelConfig, PartConfig } from '../architectures/config.js';
import type { DecoderOutputs } from '../architectures/encoder-decoder/decoder.js';
import { appendDecoder, appendEncoder, halvesOf, type EncoderDecoderConfig } from '../architectures/encoder-decoder/encoder-decoder.js';
import type { EncoderOutputs } from '../architectures/encoder.js';
import type { Family } from '../architectures/family.js';
import { wordTable } from '../architectures/heads.js';
import { families } from '../architectures/registry.js';
import { WeightReader } from '../architectures/weight-reader.js';
import { quote } from '../checkpoint/describe.js';
import { JsonFields } from '../checkpoint/json-fields.js';
import { readLabels } from '../checkpoint/labels.js';
import type { SpladeConfig } from '../checkpoint/sentence/sparse.js';
import type { TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import { WeightMap } from '../checkpoint/weights/weights.js';
import { unexpected } from '../expected.js';
import type { ModelDirectory } from './model-directory.js';
import { AdaptedBuilder } from './program/low-rank.js';
import { ProgramBuilder, type Program, type ProgramLimits, type Value } from './program/program.js';
import { staticRows } from './static-model.js';
import { sentenceEmbedding, tokenEmbeddings, type SentenceOutputs } from './sentence.js';

/** A model as a program, and the values that callers can ask for. */
export interface BuiltModel extends ChosenHeads {
  readonly program: Program;
  /** The directory's, with as many labels as the head with labels has rows. */
  readonly config: ModelConfig;
  readonly encoder: EncoderOutputs;
  /** Of a model that writes: an encoder-decoder's decoder; of a decoder alone what `encoder` has, and its logits. */
  readonly decoder?: DecoderOutputs;
  readonly sentence: SentenceOutputs;
  /** [tokens, dimension], of a model of a vector for each token. */
  readonly tokenVectors?: Value;
  /** [sequences, vocab], of a model of sparse vectors. */
  readonly sparse?: Value;
  /** Stored tensors that the program does not use. */
  readonly surplus: readonly string[];
}

const noHeads: ChosenHeads = { heads: {}, otherHeads: {}, headFaults: {} };
/** Where the rows of a head are one a label. */
const kLabelTensors = ['classifier.out_proj.weight', 'classifier.weight'];

/**
 * Builds the program of an opened model: the encoder, and with `heads` every head whose tensors are there. Without them it needs no memory
 * for a decoder, and nothing that only heads read is looked at.
 *
 * Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED (see `WeightMap`), those of `chooseHeads`.
 */
export function buildModel(directory: ModelDirectory, options: { readonly heads: boolean }): BuiltModel {
  if (directory.staticTable !== undefined) return buildStatic(directory, directory.staticTable);
  const { decoder } = directory.config;
  if (decoder !== undefined) return buildEncoderDecoder(directory, { ...directory.config, decoder }, options);
  const family: Family = families[directory.config.modelType];
  const weights = new WeightMap(directory.tensors, { prefixes: family.prefixes, aliases: aliasesOf(directory.config) });
  const config = options.heads ? withLabelsOf(weights, directory.config) : directory.config;
  const { lowRank } = directory;
  const limits = { ...limitsOf(config), countsKeys: directory.multiVector?.expansion?.attend === false };
  const adapted = lowRank && new AdaptedBuilder(limits, lowRank);
  const b = adapted ?? new ProgramBuilder(limits);
  const read = new WeightReader(b, config, weights);
  const alone = config.isDecoder ? decoderAlone(family, read, options.heads) : undefined;
  const encoder = alone ?? family.encoder(read);
  const chosen = options.heads && alone === undefined ? chooseHeads(family, read, encoder) : noHeads;
  const tokenVectors = directory.multiVector && tokenEmbeddings(b, encoder.hiddenStates.at(-1)!, directory.multiVector);
  const sparse = directory.sparse && sparseVectors(family, read, encoder, directory.sparse);
  const sentence = sentenceEmbedding(b, encoder.hiddenStates.at(-1)!, directory.sentenceTransformers);
  const { surplus } = weights.finish();
  if (adapted !== undefined) requireAll(adapted, directory, surplus);
  return {
    program: b.build(),
    config,
    encoder,
    ...(alone && { decoder: alone }),
    sentence,
    ...(tokenVectors && { tokenVectors }),
    ...(sparse && { sparse }),
    surplus,
    ...chosen,
  };
}

/** Tied tensors, of which a file holds one. */
export function aliasesOf(config: ModelConfig): ReadonlyMap<string, string> {
  const family: Family = families[config.modelType];
  if (family.aliases !== undefined) return family.aliases(config);
  return new Map(config.tieWordEmbeddings ? [[family.wordTable ?? wordTable, family.decoder]] : []);
}

/** A decoder without an encoder; its head costs memory that embeddings do not need. */
function decoderAlone({ asDecoder }: Family, read: WeightReader, withHead: boolean): DecoderOutputs {
  const { logits, ...outputs } = asDecoder!(read);
  return { ...outputs, ...(withHead && logits && { logits }) };
}

function buildEncoderDecoder(directory: ModelDirectory, config: EncoderDecoderConfig, options: { readonly heads: boolean }): BuiltModel {
  const family: Family = families[config.modelType];
  const isPair = family.decoderFields !== undefined;
  const names = isPair ? { prefixes: family.prefixes, aliases: aliasesOf(config) } : { prefixes: [] };
  const weights = new WeightMap(directory.tensors, names);
  const { decoder: own, ...ofEncoder } = config;
  const b = new ProgramBuilder(limitsOf(options.heads ? config : ofEncoder));
  const halves = halvesOf(b, config, weights);
  const encoder = appendEncoder(halves, config);
  const states = encoder.hiddenStates.at(-1)!;
  const decoder = options.heads ? appendDecoder(halves, own, states) : undefined;
  const sentence = sentenceEmbedding(b, states, directory.sentenceTransformers);
  const { surplus } = weights.finish();
  return { program: b.build(), config, encoder, ...(decoder && { decoder }), sentence, surplus, ...noHeads };
}

/** Errors: MODEL_MISMATCH for a checkpoint without a head over its words, CONFIG_UNSUPPORTED for a family whose head is none. */
function sparseVectors(family: Family, read: WeightReader, encoder: EncoderOutputs, config: SpladeConfig): Value {
  const head = family.heads.maskedLm?.(read, encoder);
  if (head?.pooled !== undefined) return head.pooled(config);
  if (family.heads.maskedLm !== undefined && head === undefined)
    throw unexpected('MODEL_MISMATCH', 'a masked-word head for sparse vectors', 'a checkpoint without one');
  throw unexpected('CONFIG_UNSUPPORTED', 'a family with a masked-word head for sparse vectors', family.title);
}

function buildStatic({ config, sentenceTransformers }: ModelDirectory, table: TensorInfo): BuiltModel {
  const b = new ProgramBuilder(limitsOf(config));
  const rows = staticRows(b, table);
  const sentence = sentenceEmbedding(b, rows, sentenceTransformers);
  const encoder = { hiddenStates: [rows], attentions: [] };
  return { program: b.build(), config, encoder, sentence, surplus: [], ...noHeads };
}

/** Errors: CONFIG_UNSUPPORTED for a branch of a tensor that is used, but not as the matrix of a linear layer. */
function requireAll({ adapted }: AdaptedBuilder, { lowRank }: ModelDirectory, surplus: readonly string[]): void {
  const left = [...lowRank!.branches.keys()].find((name) => !adapted.has(name) && !surplus.includes(name));
  if (left === undefined) return;
  throw unexpected('CONFIG_UNSUPPORTED', 'an adapter of linear layers', `a branch of ${quote(left)}, which is none here`);
}

/** What a batch of a model may hold. */
export function limitsOf(config: ModelConfig): ProgramLimits {
  return {
    vocabSize: config.vocabSize,
    typeVocabSize: config.typeVocabSize,
    maxSeqLen: config.maxSequenceLength,
    ...(config.uncountedId === undefined ? {} : { paddingId: config.uncountedId }),
    ...(config.decoder && { target: targetOf(config.decoder) }),
  };
}

function targetOf({ vocabSize, maxSequenceLength, uncountedId }: PartConfig): NonNullable<ProgramLimits['target']> {
  return { vocabSize, maxSeqLen: maxSequenceLength, ...(uncountedId === undefined ? {} : { paddingId: uncountedId }) };
}

function withLabelsOf(weights: WeightMap, config: ModelConfig): ModelConfig {
  const [rows] = kLabelTensors.map((name) => weights.shapeOf(name)?.[0]).filter((count) => count !== undefined);
  return rows === undefined ? config : { ...config, ...readLabels(new JsonFields(config.raw, 'config.json', 'CONFIG'), rows) };
}
