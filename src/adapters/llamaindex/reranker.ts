import type { MessageContent } from '@llamaindex/core/llms';
import type { BaseNodePostprocessor } from '@llamaindex/core/postprocessor';
import { MetadataMode, type NodeWithScore } from '@llamaindex/core/schema';
import { wrongArgument } from '../../expected.js';
import { Ranker, type RankOptions } from '../shared/ranker.js';
import type { AdapterCallOptions } from '../shared/text-vectors.js';

/**
 * A node postprocessor for LlamaIndex.TS: nodes in the order of how well they answer, the best `topK` of them, with the reranker's scores.
 *
 * Errors of the constructor: INVALID_OPTION, MAX_LENGTH.
 *
 * @example
 * const reranker = new BerthaReranker({ model: 'cross-encoder/ms-marco-MiniLM-L6-v2', topK: 3 });
 * const best = await reranker.postprocessNodes([], 'how do cats sleep?');
 * await reranker.dispose();
 */
export class BerthaReranker implements BaseNodePostprocessor {
  readonly #ranker: Ranker;

  constructor(options: RankOptions) {
    this.#ranker = new Ranker('BerthaReranker', options);
  }

  /** The best first. Errors: INVALID_ARG without a query of text; those of `loadModel` and `rerank`, or of `embed`. */
  async postprocessNodes(nodes: NodeWithScore[], query?: MessageContent, options?: AdapterCallOptions): Promise<NodeWithScore[]> {
    const texts = nodes.map(({ node }) => node.getContent(MetadataMode.ALL));
    const ranked = await this.#ranker.rank(textOf(query), texts, options);
    return ranked.map(({ index, score }) => ({ node: nodes[index]!.node, score }));
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

function textOf(query: MessageContent | undefined): string {
  const parts = typeof query === 'string' ? [query] : (query ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : []));
  if (parts.length === 0) throw wrongArgument('a query with text for postprocessNodes', query);
  return parts.join('\n');
}
