import { limitSchema, promptSchema } from '../../calls/options.js';
import { type Embedder, loadEmbedder, type LoadEmbedderOptions } from '../../embedding/embed.js';
import { isEmbedder } from '../../embedding/embedder-check.js';
import { received, unexpected, wrongArgument, wrongOption } from '../../expected.js';
import { loadModel, type LoadModelOptions, type Model } from '../../models/index.js';
import { type Check, flag, integer, oneOf, readOptions } from '../../options.js';
import { OnceLoaded } from '../shared/once-loaded.js';
import { isModel, Ranker } from '../shared/ranker.js';
import { loadOptions, plain, whenSchema } from '../shared/text-vectors.js';
import { languageModelOf } from './language-model.js';
import type {
  BerthaEmbeddingModel,
  BerthaProvider,
  BerthaRerankingModel,
  CompatibilityWarning,
  EmbedCall,
  ProviderOptions,
  RerankCall,
} from './specification.js';

/** How a provider finds its models. */
export interface BerthaProviderOptions {
  /** Embedders and cross-encoders of the caller by the ids that the provider offers them under; their owner disposes of them. */
  readonly models?: Readonly<Record<string, Embedder | Model>> | undefined;
  /** How other models are loaded, as `loadModel` takes it. */
  readonly load?: LoadModelOptions | undefined;
}

const ownModels: Check<Readonly<Record<string, Embedder | Model>>> = (value, name) => {
  const models = loadOptions(value, name) as Record<string, unknown>;
  for (const [id, model] of Object.entries(models)) {
    if (!isEmbedder(model) && !isModel(model)) throw wrongOption(`what loadEmbedder or loadModel returns for ${id} of ${name}`, model);
  }
  return models as Record<string, Embedder | Model>;
};
const providerSchema = { models: ownModels, load: loadOptions as Check<LoadModelOptions> };

/** What `providerOptions.bertha` may hold for vectors; `inputType` chooses the prompt as `encodeQuery` and `encodeDocument` do. */
const embedSchema = {
  ...limitSchema,
  ...promptSchema,
  priority: whenSchema.priority,
  deadlineMs: whenSchema.deadlineMs,
  normalize: flag,
  dimensions: integer(1, 1 << 20),
  inputType: oneOf(['query', 'document']),
};

const bundledId = 'all-MiniLM-L6-v2';

/**
 * A provider for the AI SDK (specification v3: `ai` 6 and 7) whose models compute in this process: vectors, rankings, and completions of models that write. A model is loaded at its first call,
 * once, however often it is asked for by its id. One value is interactive work, several are bulk. `providerOptions.bertha` takes `priority`
 * and `deadlineMs`, for vectors also `inputType`, `dimensions`, `normalize`, `prompt`, `promptName`, `maxLength` and `onTruncate`.
 *
 * Errors: INVALID_OPTION.
 *
 * @example
 * const provider = createBertha();
 * const embeddingModel = provider.embeddingModel(); // for embed and embedMany of 'ai'
 * const { embeddings, usage } = await embeddingModel.doEmbed({ values: documents });
 * await provider.dispose();
 */
export function createBertha(options?: BerthaProviderOptions): BerthaProvider {
  const { models = {}, load } = readOptions('createBertha', options, providerSchema);
  const owned = (id: string): Embedder | Model | undefined => (Object.hasOwn(models, id) ? models[id] : undefined);
  const embedders = new Map<string, OnceLoaded<Embedder>>();
  const rankers = new Map<string, Ranker>();
  const writers = new Map<string, OnceLoaded<Model>>();
  let isDisposed = false;
  const requireOpen = (): void => {
    if (isDisposed) throw unexpected('DISPOSED', 'a provider in use', 'one that was disposed');
  };

  const embedderOf = (id: string | undefined): OnceLoaded<Embedder> => {
    requireOpen();
    const own = owned(id ?? bundledId);
    if (own !== undefined && !isEmbedder(own))
      throw unexpected('INVALID_ARG', `an embedder for embeddingModel(${JSON.stringify(id)})`, 'a model');
    return found(
      embedders,
      id ?? bundledId,
      () => new OnceLoaded('the embedding model', own, () => loadEmbedder(id === bundledId ? undefined : id, load as LoadEmbedderOptions)),
    );
  };
  const rankerOf = (id: string): Ranker => {
    requireOpen();
    if (typeof id !== 'string') throw wrongArgument('the id of a cross-encoder for rerankingModel', id);
    const own = owned(id);
    const loading = load === undefined ? {} : { load };
    return found(
      rankers,
      id,
      () => new Ranker('the reranking model', isEmbedder(own) ? { embedder: own } : own ? { model: own } : { model: id, ...loading }),
    );
  };
  const writerOf = (id: string): OnceLoaded<Model> => {
    requireOpen();
    if (typeof id !== 'string') throw wrongArgument('the id of a model that writes for languageModel', id);
    const own = owned(id);
    if (isEmbedder(own)) throw unexpected('INVALID_ARG', `a model that writes for languageModel(${JSON.stringify(id)})`, 'an embedder');
    return found(writers, id, () => new OnceLoaded('the language model', own, () => loadModel(id, load)));
  };
  const embeddingModel = (id?: string): BerthaEmbeddingModel => embeddingModelOf(id ?? bundledId, embedderOf(id));
  const none =
    (kind: string) =>
    (id: string): never => {
      throw unexpected(
        'INVALID_ARG',
        'an embedding, reranking or language model to be asked of Bertha',
        `the ${kind} model ${received(id)}`,
      );
    };
  const provider: BerthaProvider = {
    specificationVersion: 'v3',
    embeddingModel,
    textEmbeddingModel: embeddingModel,
    rerankingModel: (id) => rerankingModelOf(id, rankerOf(id)),
    languageModel: (id) => languageModelOf(id, writerOf(id), ownOf),
    imageModel: none('image'),
    dispose: async () => {
      isDisposed = true;
      await Promise.all([...embedders.values(), ...rankers.values(), ...writers.values()].map((each) => each.dispose()));
    },
    [Symbol.asyncDispose]: () => provider.dispose(),
  };
  return provider;
}

function embeddingModelOf(modelId: string, embedder: OnceLoaded<Embedder>): BerthaEmbeddingModel {
  return {
    specificationVersion: 'v3',
    provider: 'bertha',
    modelId,
    maxEmbeddingsPerCall: Infinity,
    supportsParallelCalls: true,
    async doEmbed({ values, abortSignal: signal, providerOptions }: EmbedCall) {
      const { inputType, deadlineMs: deadline, ...given } = readOptions('providerOptions.bertha', ownOf(providerOptions), embedSchema);
      const loaded = await embedder.get(signal);
      const options = { priority: values.length === 1 ? 'interactive' : 'bulk', ...given, signal, deadlineMs: deadline?.left } as const;
      const encode = inputType === undefined ? 'embed' : inputType === 'query' ? 'encodeQuery' : 'encodeDocument';
      const { vectors, tokens } = plain(await loaded[encode](values as readonly string[], options));
      return { embeddings: vectors, usage: { tokens }, warnings: [] };
    },
  };
}

function rerankingModelOf(modelId: string, ranker: Ranker): BerthaRerankingModel {
  return {
    specificationVersion: 'v3',
    provider: 'bertha',
    modelId,
    async doRerank({ documents, query, topN, abortSignal: signal, providerOptions }: RerankCall) {
      const texts = documents.type === 'text' ? documents.values : documents.values.map((value) => JSON.stringify(value));
      const ranked = await ranker.rank(query, texts, { ...ownOf(providerOptions), signal, topK: topN });
      const ranking = ranked.map(({ index, score }) => ({ index, relevanceScore: score }));
      return { ranking, warnings: documents.type === 'text' ? [] : [asTexts()] };
    },
  };
}

/** Documents that are objects are read as the SDK's own providers read them. */
function asTexts(): CompatibilityWarning {
  return { type: 'compatibility', feature: 'object documents', details: 'Objects are ranked by their JSON.' };
}

function ownOf(options: ProviderOptions | undefined): object | undefined {
  return options?.['bertha'];
}

function found<T>(among: Map<string, T>, id: string, make: () => T): T {
  const known = among.get(id);
  if (known !== undefined) return known;
  const made = make();
  among.set(id, made);
  return made;
}
