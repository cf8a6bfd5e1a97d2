// The parts of the AI SDK's specification v3 (@ai-sdk/provider) that the models keep to. Types of our own, so that nothing has to be
// installed for them; test/adapters compiles them against the real ones.

/** A value that JSON can hold. */
export type JsonValue = null | string | number | boolean | { readonly [key: string]: JsonValue | undefined } | readonly JsonValue[];

/** Options by the provider's name; those of `bertha` are read. */
export type ProviderOptions = Readonly<Record<string, { readonly [key: string]: JsonValue | undefined }>>;

/** What is said of a call that was not done quite as asked. */
export interface CompatibilityWarning {
  type: 'compatibility';
  feature: string;
  details?: string;
}

interface CallSettings {
  readonly abortSignal?: AbortSignal | undefined;
  readonly providerOptions?: ProviderOptions | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What `doEmbed` takes. */
export interface EmbedCall extends CallSettings {
  readonly values: readonly string[];
}

/** What `doEmbed` gives. */
export interface EmbedAnswer {
  /** [values, dimensions] */
  embeddings: number[][];
  /** Tokens that the model read. */
  usage: { tokens: number };
  warnings: CompatibilityWarning[];
}

/** An embedding model of specification v3. */
export interface BerthaEmbeddingModel {
  readonly specificationVersion: 'v3';
  readonly provider: 'bertha';
  readonly modelId: string;
  /** A call is cut into jobs here, not by the SDK. */
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: true;
  /** Errors: INVALID_OPTION, the signal's reason, those of `loadEmbedder` and `embed`. */
  doEmbed(call: EmbedCall): Promise<EmbedAnswer>;
}

/** What `doRerank` takes. */
export interface RerankCall extends CallSettings {
  readonly documents:
    | { readonly type: 'text'; readonly values: readonly string[] }
    | { readonly type: 'object'; readonly values: readonly { readonly [key: string]: JsonValue | undefined }[] };
  readonly query: string;
  readonly topN?: number | undefined;
}

/** What `doRerank` gives: the best first. */
export interface RerankAnswer {
  ranking: { index: number; relevanceScore: number }[];
  warnings: CompatibilityWarning[];
}

/** A reranking model of specification v3. */
export interface BerthaRerankingModel {
  readonly specificationVersion: 'v3';
  readonly provider: 'bertha';
  readonly modelId: string;
  /** Errors: INVALID_OPTION, the signal's reason, those of `loadModel` and `rerank`. */
  doRerank(call: RerankCall): Promise<RerankAnswer>;
}

/** A provider of specification v3. */
export interface BerthaProvider {
  readonly specificationVersion: 'v3';
  /** A name of the option `models`, a directory, or an id on the Hub. Default: the bundled all-MiniLM-L6-v2. The same id is the same model. */
  embeddingModel(modelId?: string): BerthaEmbeddingModel;
  /** As `embeddingModel`, under its older name. */
  textEmbeddingModel(modelId?: string): BerthaEmbeddingModel;
  /** A cross-encoder, or a name of the option `models`: an embedder there orders by the cosine of its vectors. */
  rerankingModel(modelId: string): BerthaRerankingModel;
  /** Errors: INVALID_ARG, always: an encoder does not write. */
  languageModel(modelId: string): never;
  /** Errors: INVALID_ARG, always. */
  imageModel(modelId: string): never;
  /** Gives back what was loaded here, not what `models` names; resolves when the calls that still run are finished. */
  dispose(): Promise<void>;
  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void>;
}
