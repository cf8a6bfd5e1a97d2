import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { MAX_CONFIG_BYTES, parseConfig, type ModelConfig } from './config.js';
import { quote, quotePath } from './describe.js';
import { ioError, isMissing, readTextFile } from './files.js';
import type { SafetensorsFile, TensorInfo } from './safetensors.js';
import { readModules, transformerFolder, type ModuleList } from './module-list.js';
import {
  readSentenceFiles,
  type CrossEncoderConfig,
  type SentenceFiles,
  type SentenceTransformersConfig,
} from './sentence-transformers.js';
import { readTokenizerFiles, readTokenizerMaxLength, type TokenizerFiles } from './tokenizer-files.js';
import { openWeightFiles, type WeightFiles } from './weight-files.js';

export type { ModelConfig } from './config.js';
export type { TokenizerFiles } from './tokenizer-files.js';

/** An open model: its configuration and texts in memory, its weights still in their files. */
export interface ModelDirectory {
  /** Real path of the directory. */
  readonly path: string;
  readonly config: ModelConfig;
  /** The encoder's and its heads' tensors by stored name, from one file or all shards. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly tokenizerFiles: TokenizerFiles;
  /** Present where there is a modules.json that makes sentence vectors. */
  readonly sentenceTransformers?: SentenceTransformersConfig;
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
    const modules = await reader.modules();
    const config = await reader.config(modules);
    const { tensors } = await reader.weights(modules);
    const tokenizerFiles = await reader.tokenizerFiles(modules);
    const sentence = await reader.sentenceFiles(modules, config.hiddenSize);
    return {
      path: reader.path,
      config,
      tensors,
      tokenizerFiles,
      ...sentenceParts(sentence),
      maxLength: maxLength(config, tokenizerFiles, sentence),
      verifyUnchanged: () => reader.verifyUnchanged(),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The length limit of a model's inputs, see `ModelDirectory.maxLength`. */
export function maxLength(config: ModelConfig, tokenizerFiles: TokenizerFiles, sentence?: SentenceFiles): number {
  const limit = sentence?.transformer.maxSeqLength ?? readTokenizerMaxLength(tokenizerFiles) ?? Infinity;
  return Math.min(limit, config.maxSequenceLength);
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

/** The parts of a model directory, one method each, so that `inspectModelDirectory` can go on where one of them is bad. */
export class ModelReader {
  readonly path: string;
  readonly #open: SafetensorsFile[] = [];

  private constructor(realDirectory: string) {
    this.path = realDirectory;
  }

  /** Errors: MODEL_NOT_FOUND (there is no such directory), IO; the system's error as `cause`. */
  static async start(directory: string): Promise<ModelReader> {
    let real: string;
    let isDirectory: boolean;
    try {
      real = await realpath(directory);
      isDirectory = (await stat(real)).isDirectory();
    } catch (error) {
      const failure = ioError(`open the model directory ${quotePath(directory)}`, error);
      throw isMissing(error) ? new BerthaError('MODEL_NOT_FOUND', failure.message, { cause: error }) : failure;
    }
    if (!isDirectory) throw unexpected('IO', 'a directory for the model', `the file ${quotePath(directory)}`);
    return new ModelReader(real);
  }

  modules(): Promise<ModuleList | undefined> {
    return readModules(this.path);
  }

  async config(modules?: ModuleList): Promise<ModelConfig> {
    const folder = this.#transformerFolder(modules);
    const text = await readTextFile(path.join(folder, 'config.json'), MAX_CONFIG_BYTES, 'CONFIG');
    if (text === undefined) throw unexpected('CONFIG', `config.json in ${quotePath(folder)}`, await contents(folder));
    return parseConfig(text);
  }

  async weights(modules?: ModuleList): Promise<WeightFiles> {
    const weights = await openWeightFiles(this.#transformerFolder(modules), this.path);
    this.#open.push(...weights.files);
    return weights;
  }

  tokenizerFiles(modules?: ModuleList): Promise<TokenizerFiles> {
    return readTokenizerFiles(this.#transformerFolder(modules));
  }

  async sentenceFiles(modules: ModuleList | undefined, hiddenSize: number | undefined): Promise<SentenceFiles | undefined> {
    if (modules === undefined) return undefined;
    return readSentenceFiles(this.path, modules, hiddenSize, async (folder) => {
      const weights = await openWeightFiles(path.join(this.path, folder), this.path);
      this.#open.push(...weights.files);
      return weights.tensors;
    });
  }

  async verifyUnchanged(): Promise<void> {
    for (const file of this.#open) await file.verifyUnchanged();
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((file) => file.close()));
  }

  /** `readModules` has checked that path. */
  #transformerFolder(modules: ModuleList | undefined): string {
    return path.join(this.path, transformerFolder(modules));
  }
}

async function contents(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  return names.length === 0 ? 'an empty directory' : names.slice(0, 20).map(quote).join(', ');
}
