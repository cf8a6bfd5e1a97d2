import { Embeddings } from '@langchain/core/embeddings';
import { type AdapterCallOptions, TextVectors, type VectorOptions } from '../shared/text-vectors.js';

/**
 * Embeddings for LangChain, computed in this process: for every vector store and retriever that takes `Embeddings`, and for
 * `SemanticSimilarityExampleSelector`. Documents are bulk work, queries go before them.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const embeddings = new BerthaEmbeddings(); // the bundled model, loaded at the first text
 * const vectors = await embeddings.embedDocuments(documents);
 * await embeddings.dispose();
 */
export class BerthaEmbeddings extends Embeddings {
  readonly #vectors: TextVectors;

  constructor(options?: VectorOptions) {
    super({}); // its caller would try typed errors again
    this.#vectors = new TextVectors('BerthaEmbeddings', options);
  }

  /** [documents, dimensions]. Errors: those of `loadEmbedder` and `embed`. */
  async embedDocuments(documents: string[], options?: AdapterCallOptions): Promise<number[][]> {
    return (await this.#vectors.documents(documents, options)).vectors;
  }

  /** [dimensions], with the model's prompt for queries. Errors: as `embedDocuments`. */
  async embedQuery(query: string, options?: AdapterCallOptions): Promise<number[]> {
    return (await this.#vectors.queries([query], options)).vectors[0]!;
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
