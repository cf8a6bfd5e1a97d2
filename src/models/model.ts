import type { ModelConfig } from '../architectures/config.js';
import { createTokenizer } from '../architectures/create-tokenizer.js';
import type { JsonObject } from '../checkpoint/json-fields.js';
import type { CrossEncoderConfig, MultiVectorConfig, SentenceTransformersConfig } from '../checkpoint/sentence/sentence-transformers.js';
import { BerthaError } from '../errors.js';
import { unexpected, wrongOption } from '../expected.js';
import { readFilePath } from '../file-path.js';
import { hubSchema, readModelPath, resolveModel, type HubOptions, type ModelPath } from '../hub/index.js';
import { flag, integer, oneOf, readOptions, type Check, type Options } from '../options.js';
import { packBatch, type PackedBatch } from '../runtime/batch.js';
import { defaultModelDirectory } from '../runtime/default-model.js';
import { parseDevice, type DeviceOption, type DeviceReport } from '../runtime/options/device.js';
import { parseDtype, precisionOf, type DtypeOption } from '../runtime/options/dtype.js';
import { parsePrecision, type PrecisionOption, type PrecisionReport } from '../runtime/options/precision.js';
import type { Session } from '../runtime/session.js';
import { memoryOf, type MemoryUsage } from './memory-usage.js';
import { parseWeightCache, type WeightCacheOption, type WeightCacheReport } from '../runtime/options/weight-cache.js';
import type { Tokenizer } from '../tokenizer/index.js';
import { bundledHead, bundledTasks, type BundledTask } from './bundled-heads.js';
import { buildModel, type BuiltModel } from './build-model.js';
import type { DecoderOutputs } from '../architectures/encoder-decoder/decoder.js';
import type { Heads } from '../architectures/heads.js';
import { forward, type ForwardInput, type ForwardOptions, type ForwardResult } from './forward.js';
import { loadSession, type LoadedSession } from './load-session.js';
import { withAdapter } from './open-adapter.js';
import { openModelDirectory, type ModelDirectory } from './model-directory.js';
import type { Value } from './program/program.js';

/** How `loadModel` loads. */
export interface LoadModelOptions extends HubOptions {
  /** Threads that may compute for this model at once. Default: what affinity, cgroup quota and physical cores allow. */
  readonly threads?: number | undefined;
  /** Number format of the matrix products; `'auto'` chooses by processor and model. Default `'fp32'`. */
  readonly precision?: PrecisionOption | undefined;
  /**
   * The same under the names of transformers.js (`'q8'`, `'fp16'`, …): what does not exist is computed in a precision that does, said by a
   * warning once. Not together with `precision`.
   */
  readonly dtype?: DtypeOption | undefined;
  /** Where it computes; `'auto'` takes the first CUDA device that can be used. Default `'cpu'`. */
  readonly device?: DeviceOption | undefined;
  /**
   * Keep the weights as this processor multiplies them in a file, from which later loads map them: faster, and processes share the memory.
   * `true` for `bertha` in the user's cache folder, or a directory. Default: BERTHA_WEIGHT_CACHE (`1` or a directory), else not.
   */
  readonly weightCache?: WeightCacheOption | undefined;
  /** Load the checkpoint's heads as well; without them only the encoder. Default true. */
  readonly heads?: boolean | undefined;
  /**
   * Without a directory: load the bundled model with its head for this task, such as `'text-classification'` (sentiment). All its heads and `loadEmbedder`
   * share the model's weights. Where `configure` or BERTHA_MODEL_DIR names another model, that one's own heads are loaded.
   */
  readonly task?: BundledTask | undefined;
  /**
   * A LoRA adapter as peft saves it (adapter_config.json, adapter_model.safetensors), a directory. The head that it brings along takes the place of the
   * model's; all other weights are shared with models that were loaded with other adapters or none.
   */
  readonly adapter?: string | URL | undefined;
  /**
   * Add the adapter's products to the matrices while these are read, instead of computing them beside: as fast as the model alone, but the matrices are
   * not shared. Default false.
   */
  readonly merge?: boolean | undefined;
}

/** Values of the program, for `Session.run`. */
export interface ModelValues {
  readonly lastHiddenState: Value;
  readonly hiddenStates: readonly Value[];
  readonly attentions: readonly Value[];
  readonly poolerOutput?: Value;
  /** Of a model that writes: its decoder. A decoder alone has the values above too, and reads no `target`. */
  readonly decoder?: DecoderOutputs;
  /** These four throw the model's `sentenceError` where it has one. */
  readonly sentenceEmbedding: Value;
  readonly normalizedEmbedding: Value;
  readonly embeddingDimension: number;
  /** [tokens, dimension], of a model of a vector for each token. */
  readonly tokenVectors?: Value;
  /** [sequences, vocab], of a model of sparse vectors. */
  readonly sparse?: Value;
  /** Whether the model's modules end in Normalize. */
  readonly normalizes: boolean;
  readonly heads: Heads;
  /** Other readings of the tensors of `heads`, for tasks that ask for them by name. */
  readonly otherHeads: Heads;
  /** Why a head is in neither of the two although tensors of it are there. */
  readonly headFaults: BuiltModel['headFaults'];
}

const parseAdapter: Check<string> = (value, name) => {
  const directory = readFilePath(value);
  if (directory !== undefined && directory !== '') return directory;
  throw wrongOption(`the path or URL of a directory for ${name}`, value);
};

/** The checks of `LoadModelOptions`. */
export const loadSchema = {
  threads: integer(1, 1024),
  precision: parsePrecision,
  dtype: parseDtype,
  device: parseDevice,
  weightCache: parseWeightCache,
  heads: flag,
  task: oneOf(bundledTasks),
  adapter: parseAdapter,
  merge: flag,
  ...hubSchema,
};
/**
 * Loads a model directory (config.json, safetensors, tokenizer files), or the bundled all-MiniLM-L6-v2 when `directory` is absent. What is
 * no directory is taken as an id on the Hub, such as `sentence-transformers/all-MiniLM-L6-v2`: from the cache, else downloaded into it.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MODEL_NOT_FOUND, IO, CONFIG, CONFIG_UNSUPPORTED, MODEL_MISMATCH, DTYPE_UNSUPPORTED, NON_FINITE,
 * UNSAFE_FORMAT (pickles, also as an adapter), TOKENIZER, VOCAB, OUT_OF_MEMORY, DEVICE, DEVICE_OOM, DEVICE_LOST, PRECISION, CALIBRATION, ADDON_LOAD, those of a safetensors header, and, for
 * an id, those of `downloadModel` and HUB_OFFLINE.
 *
 * @example
 * const model = await loadModel('./models/bert-base-uncased', { threads: 2 });
 * const { lastHiddenState } = await model.forward(model.tokenizer.encode('A cat sits on the mat.'));
 * model.dispose();
 */
export async function loadModel(directory?: ModelPath, options?: LoadModelOptions): Promise<Model> {
  const model = directory === undefined ? undefined : readModelPath(directory, 'loadModel');
  const settings = readOptions('loadModel', options, loadSchema);
  requireConsistent(model, settings);
  const precision = precisionOf(settings);
  const path = model === undefined ? defaultModelDirectory() : await resolveModel(model, settings, 'model');
  const adapter = settings.task === undefined ? settings.adapter : await bundledHead(path, settings.task);
  const source = { path, adapter, merge: settings.merge ?? false, heads: settings.heads ?? true };
  const opened = await openSource(source);
  try {
    const built = buildModel(opened, source);
    const loading = loadSession(opened, built.program, {
      ...settings,
      precision,
      ...(adapter === undefined ? {} : { weightCache: false }),
    });
    let tokenizer: Tokenizer;
    try {
      tokenizer = readTokenizer(opened); // while native threads read the weights
    } catch (error) {
      await loading.then(({ session }) => session.dispose()).catch(() => undefined);
      throw error;
    }
    return new Model(opened, built, tokenizer, await loading, source);
  } finally {
    await opened.close();
  }
}

/** The files that a model was made of, for whoever reads them again. */
export interface ModelSource {
  readonly path: string;
  readonly adapter: string | undefined;
  readonly merge: boolean;
  /** Whether heads were loaded. */
  readonly heads: boolean;
}

/** Opens the files of a model. Errors: those of `openModelDirectory` and `withAdapter`. */
export async function openSource({ path, adapter, merge }: ModelSource): Promise<ModelDirectory> {
  const base = await openModelDirectory(path);
  return adapter === undefined ? base : withAdapter(base, adapter, merge);
}

function requireConsistent(model: string | undefined, { task, adapter, merge }: Options<typeof loadSchema>): void {
  if (task !== undefined && model !== undefined)
    throw wrongOption('no task, which chooses a head of the bundled model, beside a model', task);
  if (task !== undefined && adapter !== undefined) throw wrongOption('either a task or an adapter', 'both');
  if (merge !== undefined && adapter === undefined && task === undefined) throw wrongOption('an adapter for the option merge', undefined);
}

function readTokenizer({ tokenizerFiles, maxLength, config }: ModelDirectory): Tokenizer {
  const tokenizer = createTokenizer(tokenizerFiles, { maxLength, maxPositions: config.maxSequenceLength });
  if (tokenizer.vocabSize <= config.vocabSize) return tokenizer;
  throw unexpected('VOCAB', `at most ${config.vocabSize} tokens (vocab_size of config.json)`, `a vocabulary of ${tokenizer.vocabSize}`);
}

/** A model ready to run. Made by `loadModel`; holds native memory until `dispose`. */
export class Model {
  readonly directory: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** Longest input in tokens, special ones included: sentence_bert_config.json, else the tokenizer's limit, else the positions. */
  readonly maxTokens: number;
  readonly values: ModelValues;
  /** What sentence-transformers' files say, where the directory has them. */
  readonly sentence?: SentenceTransformersConfig;
  /** What the files of a model of a vector for each token say. */
  readonly multiVector?: MultiVectorConfig;
  /** What sentence-transformers' files say of a model of sparse vectors. */
  readonly sparse?: ModelDirectory['sparse'];
  /** What sentence-transformers' CrossEncoder says, where it saved the directory. */
  readonly crossEncoder?: CrossEncoderConfig;
  /** generation_config.json of a model that writes, where the directory has one. */
  readonly generationConfig?: JsonObject;
  /** Why the sentence vectors that modules.json describes cannot be computed; whoever asks for them gets it. */
  readonly sentenceError?: BerthaError;
  /** Tensors of the checkpoint that this program does not use, such as the heads of other tasks. */
  readonly unusedTensors: readonly string[];
  readonly session: Session;
  /** What the products are computed in, and why. */
  readonly precision: PrecisionReport;
  /** Where it computes, and why. */
  readonly device: DeviceReport;
  /** Where its weights are; undefined for weights that training has changed. @internal */
  readonly source: ModelSource | undefined;

  /** What the cache of packed weights did; undefined where none was asked for. */
  get weightCache(): WeightCacheReport | undefined {
    return this.session.weightCache;
  }

  /** @internal */
  constructor(
    directory: ModelDirectory,
    { config, encoder, decoder, sentence, sparse, tokenVectors, heads, otherHeads, headFaults, surplus }: BuiltModel,
    tokenizer: Tokenizer,
    { session, precision, device }: LoadedSession,
    source?: ModelSource,
  ) {
    this.source = source;
    this.directory = directory.path;
    this.config = config;
    this.tokenizer = tokenizer;
    this.maxTokens = directory.maxLength;
    if (directory.sentenceTransformers !== undefined) this.sentence = directory.sentenceTransformers;
    if (directory.multiVector !== undefined) this.multiVector = directory.multiVector;
    if (directory.sparse !== undefined) this.sparse = directory.sparse;
    if (directory.crossEncoder !== undefined) this.crossEncoder = directory.crossEncoder;
    if (directory.generationConfig !== undefined) this.generationConfig = directory.generationConfig;
    if (directory.sentenceError !== undefined) this.sentenceError = directory.sentenceError;
    this.unusedTensors = surplus;
    this.session = session;
    this.precision = precision;
    this.device = device;
    const error = this.sentenceError;
    const needed = <T>(value: T): T => {
      if (error !== undefined) throw new BerthaError(error.code, error.message, { cause: error });
      return value;
    };
    this.values = {
      lastHiddenState: encoder.hiddenStates.at(-1)!,
      hiddenStates: encoder.hiddenStates,
      attentions: encoder.attentions,
      ...(encoder.poolerOutput === undefined ? {} : { poolerOutput: encoder.poolerOutput }),
      ...(decoder && { decoder }),
      ...(tokenVectors && { tokenVectors }),
      ...(sparse && { sparse }),
      get sentenceEmbedding() {
        return needed(sentence.embedding);
      },
      get normalizedEmbedding() {
        return needed(sentence.normalizedEmbedding);
      },
      get embeddingDimension() {
        return needed(sentence.embedding.width);
      },
      get normalizes() {
        return needed(sentence.normalizes);
      },
      heads,
      otherHeads,
      headFaults,
    };
  }

  /**
   * Runs the model over encoded texts, packed into one batch without padding; one result a text, in order. Of an encoder-decoder the encoder, and with
   * `decoderInputIds` the decoder over what it is given (teacher forcing): logits of the word after each of these ids.
   *
   * Errors: INVALID_OPTION, INVALID_IDS, MAX_LENGTH (more decoder ids than positions), INVALID_ARG (a text without tokens or longer than the positions; `pooler` without a pooler), DISPOSED,
   * QUEUE_FULL, DEADLINE, OUT_OF_MEMORY, NON_FINITE, or the signal's reason.
   */
  forward(encodings: ForwardInput, options?: ForwardOptions): Promise<ForwardResult>;
  forward(encodings: readonly ForwardInput[], options?: ForwardOptions): Promise<ForwardResult[]>;
  async forward(encodings: ForwardInput | readonly ForwardInput[], settings?: ForwardOptions): Promise<ForwardResult | ForwardResult[]> {
    const list = isList(encodings) ? encodings : [encodings];
    const results = await forward(this, list, settings, !isList(encodings));
    return isList(encodings) ? results : results[0]!;
  }

  /** Lays encoded texts end to end. A model without token types reads none, whatever its tokenizer says. */
  pack(encodings: readonly ForwardInput[]): PackedBatch {
    return packBatch(this.config.typeVocabSize === 0 ? encodings.map(({ ids }) => ({ ids })) : encodings);
  }

  /** Gives native memory back once calls in flight are done. A second call does nothing. */
  dispose(): void {
    this.session.dispose();
  }

  /** As `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Bytes of native memory. Errors: DISPOSED. */
  memoryUsage(): MemoryUsage {
    return memoryOf(this.session);
  }
}

/** Whether it is a model that `loadModel` returned, of this copy of the package or another. */
export function isModel(value: unknown): value is Model {
  const { session, forward } = (value ?? {}) as Partial<Model>;
  return typeof session === 'object' && typeof forward === 'function';
}

function isList(encodings: ForwardInput | readonly ForwardInput[]): encodings is readonly ForwardInput[] {
  return Array.isArray(encodings);
}
