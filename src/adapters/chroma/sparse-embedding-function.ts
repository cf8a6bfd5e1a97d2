import { knownSparseEmbeddingFunctions, registerSparseEmbeddingFunction, type SparseEmbeddingFunction, type SparseVector } from 'chromadb';
import { limitSchema } from '../../calls/options.js';
import { type Embedder, loadEmbedder, type LoadEmbedderOptions } from '../../embedding/embed.js';
import { embedderCheck } from '../../embedding/embedder-check.js';
import { wrongOption } from '../../expected.js';
import { type Check, integer, readOptions, text } from '../../options.js';
import { OnceLoaded } from '../shared/once-loaded.js';
import { type AdapterCallOptions, loadOptions, modelPath, whenSchema } from '../shared/text-vectors.js';
import {
  commonOptions,
  commonSchema,
  configOf,
  Configured,
  Functions,
  readConfig,
  type CommonConfig,
  type CommonOptions,
} from './configuration.js';

const kName = 'bertha-sparse';
const most = Number.MAX_SAFE_INTEGER;

/** A model of sparse vectors (SPLADE), and how it reads. One of `model` and `embedder` has to be named: the bundled model's vectors are dense. */
export interface SparseVectorOptions extends CommonOptions {
  /** Keep the so many largest weights of each text. Default: all above 0. */
  readonly topK?: number | undefined;
}

/** What Chroma keeps of a sparse embedding function. */
export interface BerthaSparseChromaConfig extends CommonConfig {
  readonly top_k?: number;
}

const optionSchema = {
  ...limitSchema,
  embedder: embedderCheck,
  model: modelPath,
  load: loadOptions as Check<LoadEmbedderOptions>,
  topK: integer(1, most),
  queryPrompt: text,
  documentPrompt: text,
};
const configSchema = { ...commonSchema, top_k: integer(1, most) };
const functions = new Functions<BerthaSparseEmbeddingFunction>();

/**
 * A sparse embedding function for Chroma, of a SPLADE model in this process, registered as `bertha-sparse` where this module is imported: for the
 * `SparseVectorIndexConfig` of a collection's schema.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const embeddingFunction = new BerthaSparseEmbeddingFunction({ model: 'naver/splade-v3' });
 * const vectors = await embeddingFunction.generate(documents); // [{ indices, values }, …]
 * await embeddingFunction.dispose();
 */
export class BerthaSparseEmbeddingFunction extends Configured implements SparseEmbeddingFunction {
  readonly name = kName;
  readonly #embedder: OnceLoaded<Embedder>;
  readonly #options: object;
  readonly #prompts: { readonly query: string | undefined; readonly document: string | undefined };

  constructor(options: SparseVectorOptions) {
    const name = 'BerthaSparseEmbeddingFunction';
    const { embedder, model, load, queryPrompt, documentPrompt, ...reading } = readOptions(name, options, optionSchema);
    if ((embedder === undefined) === (model === undefined)) {
      throw wrongOption(`either a model of sparse vectors or an embedder for ${name}`, model === undefined ? 'neither' : 'both');
    }
    if (embedder !== undefined && load !== undefined) throw wrongOption(`a model to load beside the option load of ${name}`, embedder);
    super(kName, configSchema, configOf(name, options, { top_k: reading.topK }));
    this.#embedder = new OnceLoaded(name, embedder, () => loadEmbedder(model, load));
    this.#options = reading;
    this.#prompts = { query: queryPrompt, document: documentPrompt };
    functions.keep(this, this.getConfig(), options);
  }

  /** The function of a configuration that `getConfig` gave. Errors: INVALID_OPTION. */
  static buildFromConfig(config: Record<string, unknown>): BerthaSparseEmbeddingFunction {
    const read = readConfig(kName, config, configSchema);
    return functions.find(read) ?? new BerthaSparseEmbeddingFunction({ ...commonOptions(read), topK: read.top_k });
  }

  /** Whether it was disposed. */
  get isDisposed(): boolean {
    return this.#embedder.isDisposed;
  }

  /** Documents' vectors, by rising index. Errors: those of `loadEmbedder` and `embedSparse`: POOLING for a model of dense vectors. */
  generate(texts: string[], options?: AdapterCallOptions): Promise<SparseVector[]> {
    return this.#embed(texts, 'document', options, 'bulk');
  }

  /** Queries' vectors, with the model's prompt and its own way of queries, if it has one. Errors: as `generate`. */
  generateForQueries(texts: string[], options?: AdapterCallOptions): Promise<SparseVector[]> {
    return this.#embed(texts, 'query', options, 'interactive');
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#embedder.dispose();
  }

  async #embed(
    texts: string[],
    as: 'query' | 'document',
    call: AdapterCallOptions | undefined,
    usual: 'interactive' | 'bulk',
  ): Promise<SparseVector[]> {
    const { signal, deadlineMs: deadline, priority = usual } = readOptions('BerthaSparseEmbeddingFunction', call, whenSchema);
    const embedder = await this.#embedder.get(signal);
    const prompt = this.#prompts[as];
    const when = { signal, priority, deadlineMs: deadline?.left };
    const options = { ...this.#options, ...when, ...(prompt === undefined ? { as } : { as, prompt }) };
    const found = await embedder.embedSparse(texts, options);
    return found.map(({ indices, values }) => ({ indices: Array.from(indices), values: Array.from(values) }));
  }
}

if (!knownSparseEmbeddingFunctions.has(kName)) registerSparseEmbeddingFunction(kName, BerthaSparseEmbeddingFunction);
