import { type CallOptions, callSchema, type LimitOptions, limitSchema } from '../../calls/options.js';
import { type Embedder, loadEmbedder, type LoadEmbedderOptions } from '../../embedding/embed.js';
import { embedderCheck } from '../../embedding/embedder-check.js';
import type { EmbedOptions } from '../../embedding/embedding.js';
import { wrongOption } from '../../expected.js';
import { type ModelPath, readModelPath } from '../../hub/index.js';
import { type Check, flag, integer, readOptions, text } from '../../options.js';
import { OnceLoaded } from './once-loaded.js';

/** When a call of an adapter runs. */
export type AdapterCallOptions = Pick<CallOptions, 'signal' | 'priority' | 'deadlineMs'>;

/** The checks of `AdapterCallOptions`. */
export const whenSchema = { signal: callSchema.signal, priority: callSchema.priority, deadlineMs: callSchema.deadlineMs };

/** Where an adapter's vectors come from, and how texts are read for them. */
export interface VectorOptions extends LimitOptions {
  /** One that `loadEmbedder` returned; whoever loaded it disposes of it. Default: one of the adapter's own, loaded at the first text. */
  readonly embedder?: Embedder | undefined;
  /** What the adapter loads: a directory, or an id on the Hub. Default: the bundled all-MiniLM-L6-v2. Not together with `embedder`. */
  readonly model?: ModelPath | undefined;
  /** How it is loaded, as `loadEmbedder` takes it. Not together with `embedder`. */
  readonly load?: LoadEmbedderOptions | undefined;
  /** Keep the first so many numbers of each vector (Matryoshka models). Default: all. */
  readonly dimensions?: number | undefined;
  /** Scale vectors to length 1, or leave them as pooled. Default: as the model's modules say. */
  readonly normalize?: boolean | undefined;
  /** Put before each query. Default: the model's prompt `query`, or none where it has none of that name. */
  readonly queryPrompt?: string | undefined;
  /** Put before each document. Default: the model's prompt `document`, or none. */
  readonly documentPrompt?: string | undefined;
}

/** The check of what is loaded: a directory, a file URL or an id. */
export const modelPath: Check<string> = (value, name) => readModelPath(value, name, 'INVALID_OPTION');

/** The check of the options of a load, which the load itself looks through. */
export const loadOptions: Check<object> = (value, name) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw wrongOption(`an object for ${name}`, value);
};

const mostDimensions = 1 << 20;

/** The checks of `VectorOptions`. */
export const vectorSchema = {
  ...limitSchema,
  embedder: embedderCheck,
  model: modelPath,
  load: loadOptions as Check<LoadEmbedderOptions>,
  dimensions: integer(1, mostDimensions),
  normalize: flag,
  queryPrompt: text,
  documentPrompt: text,
};

/** Vectors as frameworks want them, and what they cost. */
export interface PlainVectors {
  /** [texts, dimensions] */
  readonly vectors: number[][];
  /** Tokens that the model read, special tokens included. */
  readonly tokens: number;
}

/** Texts to vectors for an adapter: an embedder of the caller, or one that is loaded once. */
export class TextVectors {
  readonly #name: string;
  readonly #embedder: OnceLoaded<Embedder>;
  readonly #embedOptions: EmbedOptions;
  readonly #prompts: { readonly query: string | undefined; readonly document: string | undefined };

  /** `name` is what errors call the adapter. Errors: INVALID_OPTION, MAX_LENGTH. */
  constructor(name: string, options: VectorOptions | undefined) {
    const { embedder, model, load, queryPrompt, documentPrompt, ...embedOptions } = readOptions(name, options, vectorSchema);
    if (embedder !== undefined && (model ?? load) !== undefined) {
      throw wrongOption(`either an embedder or a model to load for ${name}`, 'both');
    }
    this.#name = name;
    this.#embedder = new OnceLoaded(name, embedder, () => loadEmbedder(model, load));
    this.#embedOptions = embedOptions;
    this.#prompts = { query: queryPrompt, document: documentPrompt };
  }

  /** Whether it was disposed. */
  get isDisposed(): boolean {
    return this.#embedder.isDisposed;
  }

  /** The vectors of queries, at once. Errors: INVALID_OPTION, those of the load and of `embed`. */
  queries(texts: readonly string[], call?: AdapterCallOptions): Promise<PlainVectors> {
    return this.#embed(texts, 'query', call, 'interactive');
  }

  /** The vectors of documents, after whatever is interactive. Errors: as `queries`. */
  documents(texts: readonly string[], call?: AdapterCallOptions): Promise<PlainVectors> {
    return this.#embed(texts, 'document', call, 'bulk');
  }

  /** Gives back the embedder that was loaded here. */
  dispose(): Promise<void> {
    return this.#embedder.dispose();
  }

  async #embed(
    texts: readonly string[],
    kind: 'query' | 'document',
    call: AdapterCallOptions | undefined,
    usual: 'interactive' | 'bulk',
  ): Promise<PlainVectors> {
    const { signal, deadlineMs: deadline, priority = usual } = readOptions(this.#name, call, whenSchema);
    const embedder = await this.#embedder.get(signal);
    const prompt = this.#prompts[kind];
    const when = { signal, priority, deadlineMs: deadline?.left };
    const options = { ...this.#embedOptions, ...when, ...(prompt === undefined ? {} : { prompt }) };
    return plain(kind === 'query' ? await embedder.encodeQuery(texts, options) : await embedder.encodeDocument(texts, options));
  }
}

/** Embeddings as lists of numbers, which read back to the same float32. */
export function plain(embeddings: readonly { readonly vector: Float32Array; readonly tokens: number }[]): PlainVectors {
  return {
    vectors: embeddings.map(({ vector }) => Array.from(vector)),
    tokens: embeddings.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}
