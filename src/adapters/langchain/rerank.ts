import type { Callbacks } from '@langchain/core/callbacks/manager';
import { Document, type DocumentInterface } from '@langchain/core/documents';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { Ranker, type RankOptions } from '../shared/ranker.js';
import type { AdapterCallOptions } from '../shared/text-vectors.js';

/**
 * A document compressor for LangChain's `ContextualCompressionRetriever`: documents in the order of how well they answer, the best `topK`
 * of them, each with its score as `metadata.relevanceScore`.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const compressor = new BerthaRerank({ model: 'cross-encoder/ms-marco-MiniLM-L6-v2', topK: 3 });
 * const best = await compressor.compressDocuments([{ pageContent: 'Cats sleep a lot.', metadata: {} }], 'how do cats sleep?');
 * await compressor.dispose();
 */
export class BerthaRerank extends BaseDocumentCompressor {
  readonly #ranker: Ranker;

  constructor(options: RankOptions) {
    super();
    this.#ranker = new Ranker('BerthaRerank', options);
  }

  /** New documents, the best first. Errors: those of `loadModel` and `rerank`, or of `embed`. */
  async compressDocuments(
    documents: DocumentInterface[],
    query: string,
    _callbacks?: Callbacks,
    options?: AdapterCallOptions,
  ): Promise<DocumentInterface[]> {
    const texts = documents.map(({ pageContent }) => pageContent);
    const ranked = await this.#ranker.rank(query, texts, options);
    return ranked.map(({ index, score }) => {
      const { pageContent, metadata, id } = documents[index]!;
      return new Document({ pageContent, metadata: { ...metadata, relevanceScore: score }, ...(id === undefined ? {} : { id }) });
    });
  }

  /** Gives back the model that was loaded here, never the caller's own. */
  dispose(): Promise<void> {
    return this.#ranker.dispose();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
