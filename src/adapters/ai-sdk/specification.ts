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

/** What a language model does not do. */
export interface UnsupportedWarning {
  type: 'unsupported';
  feature: string;
}

/** What `doGenerate` and `doStream` take. */
export interface LanguageCall extends CallSettings {
  /** Messages, of which the texts are read. */
  readonly prompt: readonly {
    readonly role: string;
    readonly content: string | readonly { readonly type: string; readonly text?: unknown }[];
  }[];
  /** Default: as `generate`. */
  readonly maxOutputTokens?: number | undefined;
  /** 0: the likeliest tokens. Given, or `topP` or `topK` beside it, tokens are drawn; else as the model's files say. */
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  /** Without effect, with a warning. */
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly tools?: readonly unknown[] | undefined;
  readonly toolChoice?: unknown;
  readonly responseFormat?: { readonly type: string } | undefined;
}

/** Tokens read and written. */
export interface LanguageUsage {
  inputTokens: { total: number; noCache: number; cacheRead: undefined; cacheWrite: undefined };
  outputTokens: { total: number; text: number; reasoning: undefined };
}

/** Why a text ended: `raw` in the words of `generate`. */
export interface LanguageFinish {
  unified: 'stop' | 'length';
  raw: string;
}

/** A part of a stream. */
export type LanguagePart =
  | { type: 'stream-start'; warnings: UnsupportedWarning[] }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'finish'; finishReason: LanguageFinish; usage: LanguageUsage };

/** What `doGenerate` gives. */
export interface LanguageAnswer {
  content: { type: 'text'; text: string }[];
  finishReason: LanguageFinish;
  usage: LanguageUsage;
  warnings: UnsupportedWarning[];
}

/** A language model of specification v3, for completions: no chats, no tools. */
export interface BerthaLanguageModel {
  readonly specificationVersion: 'v3';
  readonly provider: 'bertha';
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  /** Errors: INVALID_ARG, INVALID_OPTION, the signal's reason, those of `loadModel` and `generate`. */
  doGenerate(call: LanguageCall): Promise<LanguageAnswer>;
  /** Errors: as `doGenerate`; from the first part on those of `generateStream`. */
  doStream(call: LanguageCall): Promise<{ stream: ReadableStream<LanguagePart> }>;
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
  /**
   * A model that writes, for completions: a name of the option `models`, a directory, or an id on the Hub. Errors: INVALID_ARG for an embedder of `models`;
   * its calls are NO_HEAD where the model does not write.
   */
  languageModel(modelId: string): BerthaLanguageModel;
  /** Errors: INVALID_ARG, always. */
  imageModel(modelId: string): never;
  /** Gives back what was loaded here, not what `models` names; resolves when the calls that still run are finished. */
  dispose(): Promise<void>;
  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void>;
}
