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
  export interface ChatMessage {
    content: MessageContent;
    role: 'user' | 'assistant' | 'system' | 'memory' | 'developer';
  }
  export interface ChatResponse {
    message: ChatMessage;
    raw: object | null;
  }
  export interface ChatResponseChunk {
    raw: object | null;
    delta: string;
  }
  interface ChatParams<Additional extends object> {
    messages: ChatMessage[];
    additionalChatOptions?: Additional | undefined;
    tools?: object[] | undefined;
    responseFormat?: object | undefined;
  }
  export interface LLMChatParamsStreaming<Additional extends object = object> extends ChatParams<Additional> {
    stream: true;
  }
  export interface LLMChatParamsNonStreaming<Additional extends object = object> extends ChatParams<Additional> {
    stream?: false;
  }
  export interface LLMMetadata {
    model: string;
    temperature: number;
    topP: number;
    maxTokens?: number | undefined;
    contextWindow: number;
    tokenizer: undefined;
    structuredOutput: boolean;
  }
  export abstract class BaseLLM<Additional extends object = object> {
    abstract metadata: LLMMetadata;
    abstract chat(params: LLMChatParamsStreaming<Additional>): Promise<AsyncIterable<ChatResponseChunk>>;
    abstract chat(params: LLMChatParamsNonStreaming<Additional>): Promise<ChatResponse>;
  }
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
