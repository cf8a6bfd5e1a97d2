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
}

declare module '@langchain/core/retrievers/document_compressors' {
  import type { Callbacks } from '@langchain/core/callbacks/manager';
  import type { DocumentInterface } from '@langchain/core/documents';
  export abstract class BaseDocumentCompressor {
    abstract compressDocuments(documents: DocumentInterface[], query: string, callbacks?: Callbacks): Promise<DocumentInterface[]>;
  }
}
