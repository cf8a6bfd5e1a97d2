import { type EmbeddingFunction, type EmbeddingFunctionSpace, knownEmbeddingFunctions, registerEmbeddingFunction } from 'chromadb';
import { unexpected, wrongOption } from '../../expected.js';
import { flag, integer, type Options, readOptions, text } from '../../options.js';
import type { PrecisionOption } from '../../runtime/options/precision.js';
import { type AdapterCallOptions, modelPath, TextVectors, type VectorOptions } from '../shared/text-vectors.js';

/** What Chroma keeps of an embedding function beside a collection, so that another process can make the same. */
export interface BerthaChromaConfig {
  /** Directory or id on the Hub; absent for the bundled model. */
  readonly model_name?: string;
  readonly revision?: string;
  readonly precision?: string;
  readonly dimensions?: number;
  readonly normalize?: boolean;
  readonly max_length?: number;
  readonly query_prompt?: string;
  readonly document_prompt?: string;
}

const configSchema = {
  model_name: modelPath,
  revision: text,
  precision: text,
  dimensions: integer(1, 1 << 20),
  normalize: flag,
  max_length: integer(1, 1 << 20),
  query_prompt: text,
  document_prompt: text,
};
const fixed = ['model_name', 'revision', 'precision', 'dimensions', 'normalize', 'document_prompt'] as const;

/** A function for each configuration that says all of it, so that a collection that is opened again finds a model that is loaded. */
const byConfig = new Map<string, BerthaEmbeddingFunction>();

/**
 * An embedding function for Chroma, computed in this process and registered as `bertha` where this module is imported: collections made
 * with it find it again by their configuration. A process that has not imported it cannot query them by text.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const embeddingFunction = new BerthaEmbeddingFunction(); // the bundled model, loaded at the first text
 * const vectors = await embeddingFunction.generate(documents);
 * await embeddingFunction.dispose();
 */
export class BerthaEmbeddingFunction implements EmbeddingFunction {
  readonly name = 'bertha';
  readonly #vectors: TextVectors;
  readonly #config: BerthaChromaConfig;

  constructor(options?: VectorOptions) {
    this.#vectors = new TextVectors('BerthaEmbeddingFunction', options);
    this.#config = configOf(options ?? {});
    const known = BerthaEmbeddingFunction.#known(this.#config);
    if (known === undefined && isAllInConfig(options ?? {})) byConfig.set(keyOf(this.#config), this);
  }

  /** The function of a configuration that `getConfig` gave. Errors: INVALID_OPTION. */
  static buildFromConfig(config: Record<string, unknown>): BerthaEmbeddingFunction {
    const read = readConfig(config);
    const known = BerthaEmbeddingFunction.#known(read as BerthaChromaConfig);
    if (known !== undefined) return known;
    const { revision, precision } = read;
    return new BerthaEmbeddingFunction({
      model: read.model_name,
      load: { revision, precision: precision as PrecisionOption },
      dimensions: read.dimensions,
      normalize: read.normalize,
      maxLength: read.max_length,
      queryPrompt: read.query_prompt,
      documentPrompt: read.document_prompt,
    });
  }

  static #known(config: BerthaChromaConfig): BerthaEmbeddingFunction | undefined {
    const known = byConfig.get(keyOf(config));
    return known === undefined || known.#vectors.isDisposed ? undefined : known;
  }

  /** Documents' vectors, [texts, dimensions]. Errors: those of `loadEmbedder` and `embed`. */
  async generate(texts: string[], options?: AdapterCallOptions): Promise<number[][]> {
    return (await this.#vectors.documents(texts, options)).vectors;
  }

  /** Queries' vectors, [texts, dimensions], with the model's prompt for queries. Errors: as `generate`. */
  async generateForQueries(texts: string[], options?: AdapterCallOptions): Promise<number[][]> {
    return (await this.#vectors.queries(texts, options)).vectors;
  }

  /** How Chroma compares the vectors unless the collection says otherwise. */
  defaultSpace(): EmbeddingFunctionSpace {
    return 'cosine';
  }

  /** How Chroma may compare them. */
  supportedSpaces(): EmbeddingFunctionSpace[] {
    return ['cosine', 'l2', 'ip'];
  }

  /** What Chroma keeps beside the collection. */
  getConfig(): Record<string, unknown> {
    return { ...this.#config };
  }

  /** Errors: INVALID_OPTION for a configuration that is none. */
  validateConfig(config: Record<string, unknown>): void {
    readConfig(config);
  }

  /** Errors: INVALID_OPTION for a change that would make the stored vectors those of another model. */
  validateConfigUpdate(config: Record<string, unknown>): void {
    const changed = readConfig(config);
    for (const key of fixed) {
      if (Object.hasOwn(changed, key) && changed[key] !== this.#config[key]) {
        throw wrongOption(`no other ${key} for a collection that has vectors`, changed[key]);
      }
    }
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#vectors.dispose();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function configOf({
  embedder,
  model,
  load,
  dimensions,
  normalize,
  maxLength,
  queryPrompt,
  documentPrompt,
}: VectorOptions): BerthaChromaConfig {
  const all = {
    model_name: embedder?.directory ?? (model === undefined ? undefined : modelPath(model, 'BerthaEmbeddingFunction option model')),
    revision: load?.revision,
    precision: load?.precision,
    dimensions,
    normalize,
    max_length: maxLength,
    query_prompt: queryPrompt,
    document_prompt: documentPrompt,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function keyOf(config: BerthaChromaConfig): string {
  return JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether the configuration says all that the options say. */
function isAllInConfig({ embedder, onTruncate, load = {} }: VectorOptions): boolean {
  return embedder === undefined && onTruncate === undefined && Object.keys(load).every((key) => key === 'revision' || key === 'precision');
}

/** A configuration as Chroma gives it back, where null is what was not set. */
function readConfig(config: unknown): Options<typeof configSchema> {
  if (typeof config !== 'object' || config === null)
    throw unexpected('INVALID_OPTION', 'an object for the configuration of bertha', String(config));
  const given = Object.entries(config).filter(([, value]) => value !== null);
  return readOptions('the configuration of bertha', Object.fromEntries(given), configSchema);
}

// Chroma throws for a name that it knows, and a bundle may hold this module twice.
if (!knownEmbeddingFunctions.has('bertha')) registerEmbeddingFunction('bertha', BerthaEmbeddingFunction);
