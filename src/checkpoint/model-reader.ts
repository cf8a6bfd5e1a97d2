import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { quote, quotePath } from './describe.js';
import { ioError, isMissing, MAX_CONFIG_BYTES, readTextFile } from './files.js';
import { JsonFields, parseJsonObject, type JsonObject } from './json-fields.js';
import { readStanford, type MultiVectorReading } from './sentence/multi-vector.js';
import { readModel2Vec, readModules, transformerFolder, type ModuleList } from './sentence/module-list.js';
import { readSentenceFiles, type SentenceFiles } from './sentence/sentence-transformers.js';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';
import type { TensorFile } from './weights/tensor-file.js';
import { openWeightFiles, type WeightFiles } from './weights/weight-files.js';

/** Weights of tokens, which make a sparse vector of those that occur. */
export interface QueryTable {
  /** [vocabulary] */
  readonly weights: Float32Array;
  readonly tokenizerFiles: TokenizerFiles;
}

/** The parts of a model directory, one method each, so that an inspection can go on where one of them is bad. */
export class ModelReader {
  readonly path: string;
  readonly #open: TensorFile[] = [];

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

  async modules(): Promise<ModuleList | undefined> {
    return (await readModules(this.path)) ?? (await readModel2Vec(this.path));
  }

  /** The text of config.json. */
  async config(modules?: ModuleList): Promise<string> {
    const folder = this.#transformerFolder(modules);
    const text = await readTextFile(path.join(folder, 'config.json'), MAX_CONFIG_BYTES, 'CONFIG');
    if (text === undefined) throw unexpected('CONFIG', `config.json in ${quotePath(folder)}`, await contents(folder));
    return text;
  }

  /** generation_config.json; undefined where there is none. Errors: CONFIG, LFS_POINTER, IO. */
  async generationConfig(): Promise<JsonObject | undefined> {
    const file = 'generation_config.json';
    const text = await readTextFile(path.join(this.path, file), MAX_CONFIG_BYTES, 'CONFIG');
    return text === undefined ? undefined : parseJsonObject(text, file, 'CONFIG');
  }

  async weights(modules?: ModuleList): Promise<WeightFiles> {
    const weights = await openWeightFiles(this.#transformerFolder(modules), this.path);
    this.#open.push(...weights.files);
    return weights;
  }

  tokenizerFiles(modules?: ModuleList): Promise<TokenizerFiles> {
    return readTokenizerFiles(this.#transformerFolder(modules));
  }

  /** How Stanford's ColBERT reads texts; undefined for another directory. `config` is config.json. Errors: CONFIG, LFS_POINTER, IO. */
  async stanford(config: JsonObject): Promise<MultiVectorReading | undefined> {
    const architectures = config['architectures'];
    if (!Array.isArray(architectures) || !architectures.includes('HF_ColBERT')) return undefined;
    const file = 'artifact.metadata';
    const text = (await readTextFile(path.join(this.path, file), MAX_CONFIG_BYTES, 'CONFIG')) ?? '{}';
    return readStanford(new JsonFields(parseJsonObject(text, file, 'CONFIG'), file, 'CONFIG'));
  }

  /** A table of weights for queries, [vocabulary], and what reads them. Errors: MODEL_MISMATCH, DTYPE_UNSUPPORTED, those of the files. */
  async queryTable(folder: string): Promise<QueryTable> {
    const whole = path.join(this.path, folder);
    const { tensors, files } = await openWeightFiles(whole, this.path);
    this.#open.push(...files);
    const weight = tensors.get('weight');
    if (weight?.shape.length !== 1) {
      throw unexpected(
        'MODEL_MISMATCH',
        `"weight" [vocabulary] in ${quote(folder)}`,
        weight === undefined ? 'none' : `[${weight.shape.join(', ')}]`,
      );
    }
    return { weights: await weight.file.readFloat32('weight'), tokenizerFiles: await readTokenizerFiles(whole) };
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
