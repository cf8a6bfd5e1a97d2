import { parseConfig, type ModelConfig } from '../architectures/config.js';
import { ModelReader, type QueryTable } from '../checkpoint/model-reader.js';
import { isStatic, settle, type ModuleList } from '../checkpoint/sentence/module-list.js';
import type { TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import type {
  CrossEncoderConfig,
  MultiVectorConfig,
  SentenceFiles,
  SentenceTransformersConfig,
  SparseConfig,
} from '../checkpoint/sentence/sentence-transformers.js';
import { readTokenizerMaxLength, type TokenizerFiles } from '../checkpoint/tokenizer-files.js';
import type { JsonObject } from '../checkpoint/json-fields.js';
import { WeightMap } from '../checkpoint/weights/weights.js';
import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { hasStaticTable, staticConfig, staticTable, withoutSpecialTokens } from './static-model.js';
import type { LowRank } from './program/low-rank.js';

/** An open model: its configuration and texts in memory, its weights still in their files. */
export interface ModelDirectory {
  /** Real path of the directory. */
  readonly path: string;
  readonly config: ModelConfig;
  /** The encoder's and its heads' tensors by stored name, from one file or all shards. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly tokenizerFiles: TokenizerFiles;
  /** generation_config.json of a model that writes, where there is one. */
  readonly generationConfig?: JsonObject;
  /** The table [tokens, width] of a model that is nothing else; it stands in `tensors` alone. */
  readonly staticTable?: TensorInfo;
  /** Present where the model has a LoRA adapter. */
  readonly lowRank?: LowRank;
  /** Present where there is a modules.json that makes sentence vectors. */
  readonly sentenceTransformers?: SentenceTransformersConfig;
  /** Present where there is a modules.json of a model of sparse vectors; beside it `sentenceError`. */
  readonly sparse?: SparseConfig & { readonly queries?: QueryTable };
  /** Present where it is a model of a vector for each token; beside it `sentenceError`. */
  readonly multiVector?: MultiVectorConfig;
  /** Present where there is a modules.json of a cross-encoder. */
  readonly crossEncoder?: CrossEncoderConfig;
  /** Why what modules.json describes cannot be computed; whoever asks for sentence vectors throws it. Heads and the encoder do without. */
  readonly sentenceError?: BerthaError;
  /**
   * Most tokens of one input, special ones included: sentence_bert_config.json, else the tokenizer's model_max_length, and never more
   * than the model has positions.
   */
  readonly maxLength: number;
  /** Requires that no weight file has changed since it was opened; call it after reading them. Errors: IO, DISPOSED. */
  verifyUnchanged(): Promise<void>;
  /** Closes the weight files; a second call does nothing. */
  close(): Promise<void>;
}

/**
 * Opens a directory in the layout of the Hub: config.json, model.safetensors (or an index and its shards), tokenizer files, and
 * sentence-transformers' modules.json with what it names. Nothing in it is trusted; no weight is read yet.
 *
 * Files with fixed names may be links to anywhere. Names that come out of files (shards, modules) must stay inside the directory, or,
 * in a snapshot of the Hub's cache, inside the repository's folder.
 *
 * Errors: IO, MODEL_NOT_FOUND (no such directory, no weights), UNSAFE_FORMAT (only .bin or .pt), CONFIG, CONFIG_UNSUPPORTED, POOLING, INDEX, INDEX_PATH,
 * TOKENIZER, VOCAB, and those of `parseSafetensorsHeader`.
 */
export async function openModelDirectory(directory: string): Promise<ModelDirectory> {
  const reader = await ModelReader.start(directory);
  try {
    const { modules, table } = await readModuleList(reader);
    const config = table === undefined ? parseConfig(await reader.config(modules)) : staticConfig(table);
    const tensors = table === undefined ? (await reader.weights(modules)).tensors : new Map([[table.name, table]]);
    const files = await reader.tokenizerFiles(modules);
    const tokenizerFiles = table === undefined ? files : withoutSpecialTokens(files);
    const sentence = await reader.sentenceFiles(modules, config.hiddenSize);
    const writes = config.isDecoder || config.decoder !== undefined;
    const generationConfig = writes ? await reader.generationConfig() : undefined;
    return {
      path: reader.path,
      config,
      tensors,
      ...(table && { staticTable: table }),
      tokenizerFiles,
      ...(generationConfig && { generationConfig }),
      ...sentenceParts(sentence),
      ...(await multiVectorPart(reader, config, tensors, sentence)),
      ...(sentence?.sparse && { sparse: await withQueries(reader, sentence.sparse) }),
      maxLength: maxLength(config, tokenizerFiles, sentence),
      verifyUnchanged: () => reader.verifyUnchanged(),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/**
 * What modules.json lists, and the table of vectors that it begins with, if it does. That an encoder lies where the table should be concerns sentence
 * vectors alone.
 */
async function readModuleList(reader: ModelReader): Promise<{ readonly modules: ModuleList | undefined; readonly table?: TensorInfo }> {
  const modules = await reader.modules();
  // Without its routes nobody knows where the encoder is.
  if (modules?.error !== undefined && modules.entries[0]?.kind === 'Router') throw modules.error;
  if (modules === undefined || !isStatic(modules)) return { modules };
  const { tensors } = await reader.weights(modules);
  if (hasStaticTable(tensors) || !(await hasEncoder(reader, modules))) return { modules, table: staticTable(tensors) };
  const error = unexpected('CONFIG_UNSUPPORTED', 'a table of vectors for the module StaticEmbedding', 'the weights of an encoder');
  return { modules: { ...modules, error } };
}

async function hasEncoder(reader: ModelReader, modules: ModuleList): Promise<boolean> {
  const config = await settle(async () => parseConfig(await reader.config(modules)));
  return !(config instanceof BerthaError);
}

/** The length limit of a model's inputs, see `ModelDirectory.maxLength`. */
export function maxLength(config: ModelConfig, tokenizerFiles: TokenizerFiles, sentence?: SentenceFiles): number {
  const limit = sentence?.transformer.maxSeqLength ?? readTokenizerMaxLength(tokenizerFiles) ?? Infinity;
  return Math.min(limit, config.maxSequenceLength);
}

/** Of either layout of sentence-transformers, or of Stanford's ColBERT, whose projection stands among the encoder's tensors. */
async function multiVectorPart(
  reader: ModelReader,
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
  sentence: SentenceFiles | undefined,
): Promise<Pick<ModelDirectory, 'multiVector' | 'sentenceError'>> {
  if (sentence?.multiVector !== undefined) return { multiVector: sentence.multiVector };
  const reading = sentence === undefined ? await reader.stanford(config.raw) : undefined;
  if (reading === undefined || !tensors.has('linear.weight')) return {};
  const weights = new WeightMap(tensors, { prefixes: [] });
  const outFeatures = weights.shapeOf('linear.weight')?.[0] ?? 0;
  const inFeatures = config.hiddenSize;
  const linear = new Map([['linear.weight', weights.take('linear.weight', [outFeatures, inFeatures])]]);
  weights.finish();
  const projection = { type: 'dense', folder: '', inFeatures, outFeatures, bias: false, activation: 'none', tensors: linear } as const;
  return {
    multiVector: { ...reading, projections: [projection], normalizes: true, doLowerCase: false, prompts: {} },
    sentenceError: unexpected('POOLING', 'embedTokens for the vectors of a multi-vector model', 'a call for one a text'),
  };
}

async function withQueries(reader: ModelReader, sparse: SparseConfig): Promise<NonNullable<ModelDirectory['sparse']>> {
  const { queryFolder } = sparse;
  return queryFolder === undefined ? sparse : { ...sparse, queries: await reader.queryTable(queryFolder) };
}

/** The fields of `ModelDirectory` that come from a module list. */
export function sentenceParts(files?: SentenceFiles): Pick<ModelDirectory, 'sentenceTransformers' | 'crossEncoder' | 'sentenceError'> {
  const { sentenceTransformers, crossEncoder, error } = files ?? {};
  return {
    ...(sentenceTransformers && { sentenceTransformers }),
    ...(crossEncoder && { crossEncoder }),
    ...(error && { sentenceError: error }),
  };
}
