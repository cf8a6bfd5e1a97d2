import { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { torchActivation, type ActivationName } from '../activation.js';
import { quote } from '../describe.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';
import {
  isEncoder,
  isStatic,
  moduleFile,
  readModuleFile,
  reasonAgainst,
  settle,
  type ModuleEntry,
  type ModuleList,
} from './module-list.js';
import { parsePooling, type PoolingConfig } from './pooling.js';
import { readLengths, readMask, readPyLate, requireLast, type MultiVectorReading } from './multi-vector.js';
import { kSpladePooling, readSplade, type SpladeConfig } from './sparse.js';
import type { TensorInfo } from '../safetensors/safetensors.js';
import { WeightMap } from '../weights/weights.js';

/** A linear layer over the pooled vector: activation(weight · x + bias). */
export interface DenseModule {
  readonly type: 'dense';
  /** Where in the model's directory it lies. */
  readonly folder: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias: boolean;
  readonly activation: ActivationName;
  /** `linear.weight` [outFeatures, inFeatures] and, with `bias`, `linear.bias` [outFeatures]; names, shapes and types are checked. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Division by the Euclidean length (at least 1e-12). */
export interface NormalizeModule {
  readonly type: 'normalize';
}

/** A LayerNorm of the pooled vector, eps 1e-5. */
export interface LayerNormModule {
  readonly type: 'layer_norm';
  /** Where in the model's directory it lies. */
  readonly folder: string;
  /** `norm.weight` and `norm.bias` [width]; names, shapes and types are checked. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** How two vectors are compared. */
export type SimilarityName = 'cosine' | 'dot' | 'euclidean' | 'manhattan';

/** What may happen to a pooled vector. */
export type SentenceModule = DenseModule | NormalizeModule | LayerNormModule;

/** What a sentence-transformers directory adds to a BERT, either generation (before and since version 5.4). */
export interface SentenceTransformersConfig extends TransformerConfig, Prompts {
  readonly pooling: PoolingConfig;
  /** What happens to the pooled vector, in order. */
  readonly modules: readonly SentenceModule[];
  readonly similarity: SimilarityName;
  /** Leading dimensions to keep, for models trained so. */
  readonly truncateDim?: number;
}

/** What sentence-transformers' CrossEncoder (5.4 and later) saves beside a classifier. */
export interface CrossEncoderConfig {
  /** The torch class of what becomes of the logits, where the file names one. */
  readonly activation?: string;
  /** Goes before the first text of every pair. */
  readonly prompt: string;
  /** Why its scores cannot be computed. */
  readonly error?: BerthaError;
}

/** sentence_bert_config.json: how texts are read. */
export interface TransformerConfig {
  /** Most tokens, special ones included, from sentence_bert_config.json. */
  readonly maxSeqLength?: number;
  /** Lower-case the text before the tokenizer sees it. */
  readonly doLowerCase: boolean;
}

/** Texts to put before an input. */
export interface Prompts {
  /** By name; an object without prototype. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
}

/** What a sentence-transformers directory of sparse vectors adds to a masked-word model. */
export interface SparseConfig extends TransformerConfig, Prompts, SpladeConfig {
  /** The folder of a table of weights that stands for queries. */
  readonly queryFolder?: string;
}

/** What a sentence-transformers directory of a vector for each token adds to an encoder. */
export interface MultiVectorConfig extends TransformerConfig, Prompts, MultiVectorReading {
  /** Over the token vectors, in order. */
  readonly projections: readonly DenseModule[];
  /** Whether vectors are divided by their lengths. */
  readonly normalizes: boolean;
}

/** What the modules of a directory are. */
export interface SentenceFiles {
  readonly transformer: TransformerConfig;
  /** Absent for a cross-encoder, whose vectors sentence-transformers pools by mean, and where `error` is. */
  readonly sentenceTransformers?: SentenceTransformersConfig;
  readonly crossEncoder?: CrossEncoderConfig;
  /** Of a model of sparse vectors, beside `error`: it has no dense ones. */
  readonly sparse?: SparseConfig;
  /** Of a model of token vectors, likewise. */
  readonly multiVector?: MultiVectorConfig;
  /** Why sentence vectors cannot be computed. Whoever wants them throws it. */
  readonly error?: BerthaError;
}

const MODULES_FILE = 'modules.json';
const kMaxFeatures = 1 << 16;
const SIMILARITIES: readonly SimilarityName[] = ['cosine', 'dot', 'euclidean', 'manhattan'];
/** Names the Transformer module's own config had over the years. */
const TRANSFORMER_CONFIGS = ['sentence_bert_config.json', 'sentence_distilbert_config.json', 'sentence_roberta_config.json'];

const CONFIG_FILE = 'config_sentence_transformers.json';

/**
 * Reads the files behind a module list. `hiddenSize` is the width of the model's token vectors, where it is known. `openWeights` opens the
 * weights of a Dense module, given its folder; the caller owns what it opens.
 *
 * Errors: CONFIG (the length limit and lower case, which every use of the model needs), LFS_POINTER, IO, INDEX_PATH, OUT_OF_MEMORY. All
 * others become `error`: POOLING, CONFIG, CONFIG_UNSUPPORTED, MODEL_MISMATCH, DTYPE_UNSUPPORTED, and those of `openWeights`.
 */
export async function readSentenceFiles(
  directory: string,
  modules: ModuleList,
  hiddenSize: number | undefined,
  openWeights: (folder: string) => Promise<ReadonlyMap<string, TensorInfo>>,
): Promise<SentenceFiles> {
  const [first, ...rest] = modules.entries;
  const own = isEncoder(first?.kind) ? await readTransformerFile(directory, first!) : undefined;
  const transformer = readTransformerConfig(own);
  const settled = await settle(async () => {
    if (modules.error !== undefined) throw modules.error;
    const fields = await readConfigFile(directory);
    if (fields.get('model_type') === 'CrossEncoder') {
      const crossEncoder = await settle(async () => readCrossEncoder(fields, own, rest));
      return { crossEncoder: crossEncoder instanceof BerthaError ? { prompt: '', error: crossEncoder } : crossEncoder };
    }
    if (rest[0]?.kind === kSpladePooling) {
      const sparse = { ...transformer, ...readPrompts(fields), ...(await readSplade(directory, rest)), ...queryTable(modules) };
      return { sparse, error: unexpected('POOLING', 'embedSparse for the vectors of a sparse model', 'a call for dense ones') };
    }
    if (rest[0]?.kind === 'Dense' && hiddenSize !== undefined) {
      const reading = { own, fields, modules: rest, hiddenSize };
      const multiVector = { ...transformer, ...readPrompts(fields), ...(await readMultiVector(directory, reading, openWeights)) };
      return { multiVector, error: unexpected('POOLING', 'embedTokens for the vectors of a multi-vector model', 'a call for one a text') };
    }
    requireTokenVectors(own);
    if (modules.query !== undefined) {
      throw unexpected('CONFIG_UNSUPPORTED', 'the same modules for queries and documents', 'a Router that sends them different ways');
    }
    return {
      sentenceTransformers: await readSentenceTransformers(
        directory,
        { fields, transformer, modules: rest, hiddenSize, isStatic: isStatic(modules) },
        openWeights,
      ),
    };
  });
  return settled instanceof BerthaError ? { transformer, error: settled } : { transformer, ...settled };
}

type OpenWeights = (folder: string) => Promise<ReadonlyMap<string, TensorInfo>>;

/** A projection of token vectors, what has none, and a Normalize; PyLate's older directories have the projection alone. */
async function readMultiVector(
  directory: string,
  {
    own,
    fields,
    modules,
    hiddenSize,
  }: { own: JsonFields | undefined; fields: JsonFields; modules: readonly ModuleEntry[]; hiddenSize: number },
  openWeights: OpenWeights,
): Promise<MultiVectorReading & Pick<MultiVectorConfig, 'projections' | 'normalizes'>> {
  const projections: DenseModule[] = [];
  const rest = [...modules];
  for (let width = hiddenSize; rest[0]?.kind === 'Dense'; width = projections.at(-1)!.outFeatures) {
    projections.push(await readDense(directory, rest.shift()!, width, openWeights, 'token_embeddings'));
  }
  if (rest.length === 0) return { ...readPyLate(fields), projections, normalizes: true };
  const mask = rest[0]!.kind === 'MultiVectorMask' ? await readMask(directory, rest.shift()!) : { skipped: [], skippedIn: [] };
  const normalize = rest[0]?.kind === 'Normalize' ? rest.shift() : undefined;
  if (normalize !== undefined) await requireVectorsOf(directory, normalize, 'token_embeddings');
  requireLast(rest[0]);
  return { ...readLengths(own), ...mask, markers: {}, projections, normalizes: normalize !== undefined };
}

interface SentenceSources {
  readonly fields: JsonFields;
  readonly transformer: TransformerConfig;
  /** Those after the Transformer. */
  readonly modules: readonly ModuleEntry[];
  readonly hiddenSize: number | undefined;
  /** A table of vectors pools by mean, without a module that says so. */
  readonly isStatic: boolean;
}

async function readSentenceTransformers(
  directory: string,
  { fields, transformer, modules: entries, hiddenSize, isStatic: pools }: SentenceSources,
  openWeights: (folder: string) => Promise<ReadonlyMap<string, TensorInfo>>,
): Promise<SentenceTransformersConfig> {
  const pooling: PoolingConfig = pools
    ? { modes: ['mean'], includePrompt: true, wordEmbeddingDimension: hiddenSize! }
    : await readPooling(directory, entries[0], hiddenSize);
  const rest = pools ? entries : entries.slice(1);
  const modules: SentenceModule[] = [];
  let width = pooling.wordEmbeddingDimension * pooling.modes.length;
  for (const entry of rest) {
    if (entry.kind === 'Normalize') {
      await requireVectorsOf(directory, entry, 'sentence_embedding');
      modules.push({ type: 'normalize' });
    } else if (entry.kind === 'Dense') {
      const dense = await readDense(directory, entry, width, openWeights);
      width = dense.outFeatures;
      modules.push(dense);
    } else if (entry.kind === 'LayerNorm') {
      modules.push(await readLayerNorm(entry, width, openWeights));
    } else if (entry.kind !== 'Dropout') {
      const code = entry.kind === 'Pooling' ? 'POOLING' : 'CONFIG_UNSUPPORTED';
      throw unexpected(code, `Dense, LayerNorm, Normalize or Dropout after the Pooling module in ${MODULES_FILE}`, quote(entry.kind));
    }
  }
  return { ...transformer, pooling, modules, ...readPrompts(fields), ...readComparison(fields, width) };
}

async function readPooling(directory: string, pool: ModuleEntry | undefined, hiddenSize: number | undefined): Promise<PoolingConfig> {
  if (pool?.kind !== 'Pooling') {
    throw unexpected(
      'POOLING',
      `a Pooling module after the Transformer in ${MODULES_FILE}`,
      pool === undefined ? 'none' : quote(pool.kind),
      reasonAgainst(pool?.kind),
    );
  }
  const file = moduleFile(pool, 'config.json');
  const text = await readModuleFile(directory, file, 'POOLING');
  if (text === undefined) throw unexpected('POOLING', `${quote(file)} for the Pooling module`, 'no such file');
  return parsePooling(text, file, hiddenSize);
}

async function readLayerNorm(entry: ModuleEntry, width: number, openWeights: OpenWeights): Promise<LayerNormModule> {
  const tensors = await openWeights(entry.path);
  const weights = new WeightMap(tensors, { prefixes: [] });
  weights.take('norm.weight', [width]);
  weights.take('norm.bias', [width]);
  weights.finish();
  return { type: 'layer_norm', folder: entry.path, tensors };
}

async function readDense(
  directory: string,
  entry: ModuleEntry,
  width: number,
  openWeights: OpenWeights,
  feature = 'sentence_embedding',
): Promise<DenseModule> {
  const file = moduleFile(entry, 'config.json');
  const text = await readModuleFile(directory, file, 'CONFIG');
  if (text === undefined) throw unexpected('CONFIG', `${quote(file)} for the Dense module`, 'no such file');
  const fields = new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG');
  const inFeatures = fields.requiredInteger('in_features', 1, kMaxFeatures);
  if (inFeatures !== width) throw fields.error('in_features', `${width}, the width of the vector before it,`, inFeatures);
  const outFeatures = fields.requiredInteger('out_features', 1, kMaxFeatures);
  const bias = fields.boolean('bias') ?? true;
  const activationName = fields.string('activation_function') ?? 'torch.nn.modules.activation.Tanh';
  const activation = torchActivation(activationName);
  if (activation === undefined)
    throw fields.error('activation_function', 'an activation of torch without parameters', activationName, 'CONFIG_UNSUPPORTED');
  if (fields.boolean('use_residual') === true) throw fields.error('use_residual', 'false', true, 'CONFIG_UNSUPPORTED');
  requireNames(fields, feature);
  const tensors = await openWeights(entry.path);
  const weights = new WeightMap(tensors, { prefixes: [] });
  weights.take('linear.weight', [outFeatures, inFeatures]);
  if (bias) weights.take('linear.bias', [outFeatures]);
  weights.finish();
  return { type: 'dense', folder: entry.path, inFeatures, outFeatures, bias, activation, tensors };
}

/** Since version 6 a Normalize module may be over tokens. */
async function requireVectorsOf(directory: string, entry: ModuleEntry, feature: string): Promise<void> {
  if (entry.path === '') return;
  const file = moduleFile(entry, 'config.json');
  const text = await readModuleFile(directory, file, 'CONFIG');
  if (text !== undefined) requireNames(new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG'), feature);
}

/** Requires that a module reads and writes the feature `expected`, which is what it does where its config does not say. */
function requireNames(fields: JsonFields, expected: string): void {
  for (const key of ['module_input_name', 'module_output_name']) {
    const name = fields.string(key) ?? expected;
    if (name !== expected) throw fields.error(key, quote(expected), name, 'CONFIG_UNSUPPORTED');
  }
}

async function readTransformerFile(directory: string, entry: ModuleEntry): Promise<JsonFields | undefined> {
  for (const name of TRANSFORMER_CONFIGS) {
    const file = moduleFile(entry, name);
    const text = await readModuleFile(directory, file, 'CONFIG');
    if (text !== undefined) return new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG');
  }
  return undefined;
}

function readTransformerConfig(fields: JsonFields | undefined): TransformerConfig {
  const maxSeqLength = fields?.integer('max_seq_length', 1, Number.MAX_SAFE_INTEGER);
  return { ...(maxSeqLength === undefined ? {} : { maxSeqLength }), doLowerCase: fields?.boolean('do_lower_case') ?? false };
}

/** A Pooling module needs the encoder's token vectors. */
function requireTokenVectors(fields: JsonFields | undefined): void {
  const task = fields?.string('transformer_task') ?? 'feature-extraction';
  if (task !== 'feature-extraction') throw fields!.error('transformer_task', '"feature-extraction"', task, 'CONFIG_UNSUPPORTED');
  const output = fields?.string('module_output_name') ?? 'token_embeddings';
  if (output !== 'token_embeddings') throw fields!.error('module_output_name', '"token_embeddings"', output, 'CONFIG_UNSUPPORTED');
}

async function readConfigFile(directory: string): Promise<JsonFields> {
  const text = (await readModuleFile(directory, CONFIG_FILE, 'CONFIG')) ?? '{}';
  return new JsonFields(parseJsonObject(text, CONFIG_FILE, 'CONFIG'), CONFIG_FILE, 'CONFIG');
}

/** A cross-encoder is a classifier of transformers, and no module follows it. */
function readCrossEncoder(fields: JsonFields, transformer: JsonFields | undefined, rest: readonly ModuleEntry[]): CrossEncoderConfig {
  const task = transformer?.string('transformer_task') ?? 'sequence-classification';
  if (task !== 'sequence-classification')
    throw transformer!.error('transformer_task', '"sequence-classification"', task, 'CONFIG_UNSUPPORTED');
  if (rest[0] !== undefined) {
    const wanted = `the Transformer alone in ${MODULES_FILE} of a cross-encoder`;
    throw unexpected('CONFIG_UNSUPPORTED', wanted, `${quote(rest[0].kind)} after it`);
  }
  const { prompts, defaultPromptName } = readPrompts(fields);
  const activation = fields.string('activation_fn');
  return {
    ...(activation === undefined ? {} : { activation }),
    prompt: defaultPromptName === undefined ? '' : prompts[defaultPromptName]!,
  };
}

/** Errors: CONFIG_UNSUPPORTED for queries that take another way than a table of weights. */
function queryTable({ query }: ModuleList): Pick<SparseConfig, 'queryFolder'> {
  if (query === undefined) return {};
  if (query.length === 1 && query[0]!.kind === 'SparseStaticEmbedding') return { queryFolder: query[0]!.path };
  const kinds = query.map(({ kind }) => quote(kind)).join(', ');
  throw unexpected('CONFIG_UNSUPPORTED', 'a SparseStaticEmbedding alone for the queries of the Router', kinds);
}

function readPrompts(fields: JsonFields): Prompts {
  const prompts = Object.create(null) as Record<string, string>;
  for (const [name, prompt] of Object.entries(fields.object('prompts') ?? {})) {
    if (prompt !== null && typeof prompt !== 'string') throw fields.error('prompts', 'strings', prompt);
    prompts[name] = prompt ?? '';
  }
  const defaultPromptName = fields.string('default_prompt_name');
  if (defaultPromptName !== undefined && !Object.hasOwn(prompts, defaultPromptName))
    throw fields.error('default_prompt_name', 'one of the names in "prompts"', defaultPromptName);
  return { prompts, ...(defaultPromptName === undefined ? {} : { defaultPromptName }) };
}

function readComparison(fields: JsonFields, width: number): Pick<SentenceTransformersConfig, 'similarity' | 'truncateDim'> {
  const name = fields.string('similarity_fn_name') ?? 'cosine';
  const similarity = name === 'dot_product' ? 'dot' : SIMILARITIES.find((each) => each === name);
  if (similarity === undefined) throw fields.error('similarity_fn_name', `one of ${SIMILARITIES.join(', ')}`, name, 'CONFIG_UNSUPPORTED');
  const truncateDim = fields.integer('truncate_dim', 1, Number.MAX_SAFE_INTEGER);
  return { similarity, ...(truncateDim === undefined || truncateDim >= width ? {} : { truncateDim }) };
}
