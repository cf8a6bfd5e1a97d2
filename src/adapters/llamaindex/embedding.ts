import { BaseEmbedding } from '@llamaindex/core/embeddings';
import type { MessageContentDetail } from '@llamaindex/core/llms';
import { type AdapterCallOptions, TextVectors, type VectorOptions } from '../shared/text-vectors.js';

/** Texts that LlamaIndex hands over at once, instead of its 10. */
const textsAtOnce = 256;

/**
 * An embedding for LlamaIndex.TS, computed in this process: `Settings.embedModel = new BerthaEmbedding()`. Nodes are bulk work, queries go
 * before them. With an embedder of the caller `embedInfo` says its dimensions and longest input.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const embedModel = new BerthaEmbedding(); // the bundled model, loaded at the first text
 * const vector = await embedModel.getTextEmbedding('A cat sits on the mat.');
 * await embedModel.dispose();
 */
export class BerthaEmbedding extends BaseEmbedding {
  readonly #vectors: TextVectors;

  constructor(options?: VectorOptions) {
    super();
    this.#vectors = new TextVectors('BerthaEmbedding', options);
    this.embedBatchSize = textsAtOnce;
    const { embedder, dimensions = embedder?.dimensions } = options ?? {};
    if (embedder !== undefined) this.embedInfo = { dimensions: dimensions!, maxTokens: embedder.maxTokens };
    // The base class assigns a function that embeds text by text: a method of the same name would be hidden by it.
    this.getTextEmbeddings = (texts: string[], call?: AdapterCallOptions) => this.#documents(texts, call);
  }

  /** [dimensions]. Errors: those of `loadEmbedder` and `embed`. */
  override async getTextEmbedding(text: string, options?: AdapterCallOptions): Promise<number[]> {
    return (await this.#documents([text], options))[0]!;
  }

  /** [dimensions], with the model's prompt for queries; null for what is no text. Errors: as `getTextEmbedding`. */
  override async getQueryEmbedding(query: MessageContentDetail, options?: AdapterCallOptions): Promise<number[] | null> {
    if (query.type !== 'text') return null;
    return (await this.#vectors.queries([query.text], options)).vectors[0]!;
  }

  /** Gives back the model that was loaded here, never the caller's own; resolves when the calls that still run are finished. */
  dispose(): Promise<void> {
    return this.#vectors.dispose();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #documents(texts: readonly string[], options: AdapterCallOptions | undefined): Promise<number[][]> {
    return (await this.#vectors.documents(texts, options)).vectors;
  }
}
