// What the adapter needs of @langchain/core, an optional peer, so that this package builds without it. test/adapters compiles the adapter
// against the real declarations.
declare module '@langchain/core/embeddings' {
  export abstract class Embeddings {
    constructor(params: object);
    abstract embedDocuments(documents: string[]): Promise<number[][]>;
    abstract embedQuery(document: string): Promise<number[]>;
  }
}

declare module '@langchain/core/documents' {
  export interface DocumentInterface {
    pageContent: string;
    metadata: Record<string, unknown>;
    id?: string;
  }
  export class Document implements DocumentInterface {
    pageContent: string;
    metadata: Record<string, unknown>;
    id?: string;
    constructor(fields: DocumentInterface);
  }
}

declare module '@langchain/core/callbacks/manager' {
  export type Callbacks = object;
  export class CallbackManagerForLLMRun {
    handleLLMNewToken(token: string): Promise<void>;
  }
}

declare module '@langchain/core/outputs' {
  export interface Generation {
    text: string;
    generationInfo?: Record<string, unknown>;
  }
  export class GenerationChunk implements Generation {
    text: string;
    generationInfo?: Record<string, unknown>;
    constructor(fields: Generation);
  }
  export interface LLMResult {
    generations: Generation[][];
    llmOutput?: Record<string, unknown>;
  }
}

declare module '@langchain/core/language_models/llms' {
  import type { CallbackManagerForLLMRun, Callbacks } from '@langchain/core/callbacks/manager';
  import type { GenerationChunk, LLMResult } from '@langchain/core/outputs';
  export interface BaseLLMParams {
    callbacks?: Callbacks;
    cache?: boolean | object;
    verbose?: boolean;
    tags?: string[];
    metadata?: Record<string, unknown>;
  }
  export interface BaseLLMCallOptions {
    stop?: string[];
    signal?: AbortSignal;
  }
  export abstract class BaseLLM<CallOptions extends BaseLLMCallOptions = BaseLLMCallOptions> {
    ParsedCallOptions: CallOptions;
    constructor(params: BaseLLMParams);
    abstract _llmType(): string;
    abstract _generate(prompts: string[], options: this['ParsedCallOptions'], runManager?: CallbackManagerForLLMRun): Promise<LLMResult>;
    _streamResponseChunks(
      prompt: string,
      options: this['ParsedCallOptions'],
      runManager?: CallbackManagerForLLMRun,
    ): AsyncGenerator<GenerationChunk>;
    _identifyingParams(): Record<string, unknown>;
    invocationParams(options?: this['ParsedCallOptions']): Record<string, unknown>;
  }
}

declare module '@langchain/core/retrievers/document_compressors' {
  import type { Callbacks } from '@langchain/core/callbacks/manager';
  import type { DocumentInterface } from '@langchain/core/documents';
  export abstract class BaseDocumentCompressor {
    abstract compressDocuments(documents: DocumentInterface[], query: string, callbacks?: Callbacks): Promise<DocumentInterface[]>;
  }
}
