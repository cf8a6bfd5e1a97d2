import path from 'node:path';
import { BerthaError } from '../errors.js';
import { torchActivation, type ActivationName } from './activation.js';
import { MAX_CONFIG_BYTES } from './config.js';
import { quote } from './describe.js';
import { readTextFile, resolveInside } from './files.js';
import { isJsonObject, JsonFields, parseJson, parseJsonObject } from './json-fields.js';
import { parsePooling, type PoolingConfig } from './pooling.js';
import type { TensorInfo } from './safetensors.js';
import { WeightMap } from './weights.js';

/** A linear layer over the pooled vector: activation(weight · x + bias). */
export interface DenseModule {
  readonly type: 'dense';
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

/** How two vectors are compared. */
export type SimilarityName = 'cosine' | 'dot' | 'euclidean' | 'manhattan';

/** What a sentence-transformers directory adds to a BERT, either generation (before and since version 5.4). */
export interface SentenceTransformersConfig {
  /** Most tokens, special ones included, from sentence_bert_config.json. */
  readonly maxSeqLength?: number;
  /** Lower-case the text before the tokenizer sees it. */
  readonly doLowerCase: boolean;
  readonly pooling: PoolingConfig;
  /** What happens to the pooled vector, in order. */
  readonly modules: readonly (DenseModule | NormalizeModule)[];
  /** Texts to put before an input, by name; an object without prototype. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly defaultPromptName?: string;
  readonly similarity: SimilarityName;
  /** Leading dimensions to keep, for models trained so. */
  readonly truncateDim?: number;
}

/** One entry of modules.json: the class without its package, and the folder inside the model directory. */
export interface ModuleEntry {
  readonly kind: string;
  readonly path: string;
}

const MODULES_FILE = 'modules.json';
const kMaxFeatures = 1 << 16;
const kMaxModules = 64;
const SIMILARITIES: readonly SimilarityName[] = ['cosine', 'dot', 'euclidean', 'manhattan'];
/** Names the Transformer module's own config had over the years. */
const TRANSFORMER_CONFIGS = ['sentence_bert_config.json', 'sentence_distilbert_config.json', 'sentence_roberta_config.json'];

/**
 * The module list of a sentence-transformers directory, or undefined where there is none. `directory` is a real path.
 *
 * Errors: CONFIG, CONFIG_UNSUPPORTED (a module that is not sentence-transformers' own), INDEX_PATH (a path that leaves the directory), IO.
 */
export async function readModules(directory: string): Promise<readonly ModuleEntry[] | undefined> {
  const text = await readSmallFile(directory, MODULES_FILE, 'CONFIG');
  if (text === undefined) return undefined;
  const list = parseJson(text, MODULES_FILE, 'CONFIG');
  if (!Array.isArray(list) || list.length === 0 || list.length > kMaxModules) {
    throw new BerthaError('CONFIG', `Expected an array of 1..${kMaxModules} modules for ${MODULES_FILE} but received something else.`);
  }
  const entries: ModuleEntry[] = [];
  for (const item of list) {
    if (!isJsonObject(item))
      throw new BerthaError('CONFIG', `Expected an object for each entry of ${MODULES_FILE} but received something else.`);
    const fields = new JsonFields(item, MODULES_FILE, 'CONFIG');
    const type = fields.string('type');
    if (type === undefined) throw fields.error('type', 'a class name', undefined);
    if (!type.startsWith('sentence_transformers.'))
      throw fields.error('type', 'a class of sentence_transformers', type, 'CONFIG_UNSUPPORTED');
    const folder = fields.string('path') ?? '';
    await resolveInside(directory, folder, MODULES_FILE);
    entries.push({ kind: type.slice(type.lastIndexOf('.') + 1), path: folder });
  }
  if (entries[0]?.kind !== 'Transformer') {
    throw new BerthaError(
      'CONFIG_UNSUPPORTED',
      `Expected a Transformer as first module of ${MODULES_FILE} but received ${quote(entries[0]?.kind ?? '')}.`,
    );
  }
  return entries;
}

/**
 * Reads the configuration behind a module list. `hiddenSize` is the width of the model's token vectors, where it is known.
 * `openWeights` opens the weights of a Dense module, given its folder; the caller owns what it opens.
 *
 * Errors: POOLING, CONFIG, CONFIG_UNSUPPORTED, MODEL_MISMATCH, DTYPE_UNSUPPORTED, IO, and those of `openWeights`.
 */
export async function readSentenceTransformers(
  directory: string,
  entries: readonly ModuleEntry[],
  hiddenSize: number | undefined,
  openWeights: (folder: string) => Promise<ReadonlyMap<string, TensorInfo>>,
): Promise<SentenceTransformersConfig> {
  const [transformer, pool, ...rest] = entries;
  if (pool?.kind !== 'Pooling') {
    throw new BerthaError(
      'POOLING',
      `Expected a Pooling module after the Transformer in ${MODULES_FILE} but received ${pool === undefined ? 'none' : quote(pool.kind)}.`,
    );
  }
  const poolingFile = moduleFile(pool, 'config.json');
  const poolingText = await readSmallFile(directory, poolingFile, 'POOLING');
  if (poolingText === undefined)
    throw new BerthaError('POOLING', `Expected ${quote(poolingFile)} for the Pooling module but received no such file.`);
  const pooling = parsePooling(poolingText, poolingFile, hiddenSize);

  const modules: (DenseModule | NormalizeModule)[] = [];
  let width = pooling.wordEmbeddingDimension * pooling.modes.length;
  for (const entry of rest) {
    if (entry.kind === 'Normalize') {
      modules.push({ type: 'normalize' });
    } else if (entry.kind === 'Dense') {
      const dense = await readDense(directory, entry, width, openWeights);
      width = dense.outFeatures;
      modules.push(dense);
    } else if (entry.kind !== 'Dropout') {
      const code = entry.kind === 'Pooling' ? 'POOLING' : 'CONFIG_UNSUPPORTED';
      throw new BerthaError(
        code,
        `Expected Dense, Normalize or Dropout after the Pooling module in ${MODULES_FILE} but received ${quote(entry.kind)}.`,
      );
    }
  }
  return {
    ...(await readTransformerConfig(directory, transformer!)),
    pooling,
    modules,
    ...(await readPrompts(directory, width)),
  };
}

async function readDense(
  directory: string,
  entry: ModuleEntry,
  width: number,
  openWeights: (folder: string) => Promise<ReadonlyMap<string, TensorInfo>>,
): Promise<DenseModule> {
  const file = moduleFile(entry, 'config.json');
  const text = await readSmallFile(directory, file, 'CONFIG');
  if (text === undefined) throw new BerthaError('CONFIG', `Expected ${quote(file)} for the Dense module but received no such file.`);
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
  for (const key of ['module_input_name', 'module_output_name']) {
    const name = fields.string(key) ?? 'sentence_embedding';
    if (name !== 'sentence_embedding') throw fields.error(key, '"sentence_embedding"', name, 'CONFIG_UNSUPPORTED');
  }
  const tensors = await openWeights(entry.path);
  const weights = new WeightMap(tensors, { prefixes: [] });
  weights.take('linear.weight', [outFeatures, inFeatures]);
  if (bias) weights.take('linear.bias', [outFeatures]);
  weights.finish();
  return { type: 'dense', inFeatures, outFeatures, bias, activation, tensors };
}

async function readTransformerConfig(
  directory: string,
  entry: ModuleEntry,
): Promise<Pick<SentenceTransformersConfig, 'maxSeqLength' | 'doLowerCase'>> {
  for (const name of TRANSFORMER_CONFIGS) {
    const file = moduleFile(entry, name);
    const text = await readSmallFile(directory, file, 'CONFIG');
    if (text === undefined) continue;
    const fields = new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG');
    const task = fields.string('transformer_task') ?? 'feature-extraction';
    if (task !== 'feature-extraction') throw fields.error('transformer_task', '"feature-extraction"', task, 'CONFIG_UNSUPPORTED');
    const output = fields.string('module_output_name') ?? 'token_embeddings';
    if (output !== 'token_embeddings') throw fields.error('module_output_name', '"token_embeddings"', output, 'CONFIG_UNSUPPORTED');
    const maxSeqLength = fields.integer('max_seq_length', 1, Number.MAX_SAFE_INTEGER);
    return { ...(maxSeqLength === undefined ? {} : { maxSeqLength }), doLowerCase: fields.boolean('do_lower_case') ?? false };
  }
  return { doLowerCase: false };
}

async function readPrompts(
  directory: string,
  width: number,
): Promise<Pick<SentenceTransformersConfig, 'prompts' | 'defaultPromptName' | 'similarity' | 'truncateDim'>> {
  const file = 'config_sentence_transformers.json';
  const text = (await readSmallFile(directory, file, 'CONFIG')) ?? '{}';
  const fields = new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG');

  const prompts = Object.create(null) as Record<string, string>;
  for (const [name, prompt] of Object.entries(fields.object('prompts') ?? {})) {
    if (prompt !== null && typeof prompt !== 'string') throw fields.error('prompts', 'strings', prompt);
    prompts[name] = prompt ?? '';
  }
  const defaultPromptName = fields.string('default_prompt_name');
  if (defaultPromptName !== undefined && !Object.hasOwn(prompts, defaultPromptName))
    throw fields.error('default_prompt_name', 'one of the names in "prompts"', defaultPromptName);
  const similarityName = fields.string('similarity_fn_name') ?? 'cosine';
  const similarity = similarityName === 'dot_product' ? 'dot' : SIMILARITIES.find((name) => name === similarityName);
  if (similarity === undefined)
    throw fields.error('similarity_fn_name', `one of ${SIMILARITIES.join(', ')}`, similarityName, 'CONFIG_UNSUPPORTED');
  const truncateDim = fields.integer('truncate_dim', 1, Number.MAX_SAFE_INTEGER);
  return {
    prompts,
    ...(defaultPromptName === undefined ? {} : { defaultPromptName }),
    similarity,
    ...(truncateDim === undefined || truncateDim >= width ? {} : { truncateDim }),
  };
}

function moduleFile(entry: ModuleEntry, name: string): string {
  return entry.path === '' ? name : `${entry.path}/${name}`;
}

function readSmallFile(directory: string, file: string, code: string): Promise<string | undefined> {
  return readTextFile(path.join(directory, file), MAX_CONFIG_BYTES, code);
}
