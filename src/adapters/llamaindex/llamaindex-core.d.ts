// What the adapter needs of @llamaindex/core, an optional peer, so that this package builds without it. test/adapters compiles the adapter
// against the real declarations.
declare module '@llamaindex/core/embeddings' {
  import type { MessageContentDetail } from '@llamaindex/core/llms';
  export abstract class BaseEmbedding {
    embedBatchSize: number;
    embedInfo?: { dimensions?: number; maxTokens?: number };
    protected constructor();
    abstract getTextEmbedding(text: string): Promise<number[]>;
    getQueryEmbedding(query: MessageContentDetail): Promise<number[] | null>;
    getTextEmbeddings: (texts: string[]) => Promise<number[][]>;
  }
}

declare module '@llamaindex/core/llms' {
  export type MessageContentDetail = { type: 'text'; text: string } | { type: 'image_url' | 'audio' | 'video' | 'image' | 'file' };
  export type MessageContent = string | MessageContentDetail[];
}

declare module '@llamaindex/core/schema' {
  export enum MetadataMode {
    ALL = 'ALL',
  }
  export interface BaseNode {
    getContent(mode: MetadataMode): string;
  }
  export interface NodeWithScore {
    node: BaseNode;
    score?: number | undefined;
  }
}

declare module '@llamaindex/core/postprocessor' {
  import type { MessageContent } from '@llamaindex/core/llms';
  import type { NodeWithScore } from '@llamaindex/core/schema';
  export interface BaseNodePostprocessor {
    postprocessNodes(nodes: NodeWithScore[], query?: MessageContent): Promise<NodeWithScore[]>;
  }
}
