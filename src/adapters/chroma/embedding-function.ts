import { type EmbeddingFunction, type EmbeddingFunctionSpace, knownEmbeddingFunctions, registerEmbeddingFunction } from 'chromadb';
import { flag, integer } from '../../options.js';
import { type AdapterCallOptions, TextVectors, type VectorOptions } from '../shared/text-vectors.js';
import { commonOptions, commonSchema, configOf, Configured, Functions, readConfig, type CommonConfig } from './configuration.js';

const kName = 'bertha';

/** What Chroma keeps of an embedding function beside a collection, so that another process can make the same. */
export interface BerthaChromaConfig extends CommonConfig {
  readonly dimensions?: number;
  readonly normalize?: boolean;
}

const configSchema = { ...commonSchema, dimensions: integer(1, 1 << 20), normalize: flag };

const functions = new Functions<BerthaEmbeddingFunction>();

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
export class BerthaEmbeddingFunction extends Configured implements EmbeddingFunction {
  readonly name = kName;
  readonly #vectors: TextVectors;

  constructor(options?: VectorOptions) {
    const vectors = new TextVectors('BerthaEmbeddingFunction', options);
    const { dimensions, normalize, ...common } = options ?? {};
    super(kName, configSchema, configOf('BerthaEmbeddingFunction', common, { dimensions, normalize }));
    this.#vectors = vectors;
    functions.keep(this, this.getConfig(), common);
  }

  /** The function of a configuration that `getConfig` gave. Errors: INVALID_OPTION. */
  static buildFromConfig(config: Record<string, unknown>): BerthaEmbeddingFunction {
    const { dimensions, normalize, ...common } = readConfig(kName, config, configSchema);
    const known = functions.find({ dimensions, normalize, ...common });
    return known ?? new BerthaEmbeddingFunction({ ...commonOptions(common), dimensions, normalize });
  }

  /** Whether it was disposed. */
  get isDisposed(): boolean {
    return this.#vectors.isDisposed;
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

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#vectors.dispose();
  }
}

// Chroma throws for a name that it knows, and a bundle may hold this module twice.
if (!knownEmbeddingFunctions.has(kName)) registerEmbeddingFunction(kName, BerthaEmbeddingFunction);
