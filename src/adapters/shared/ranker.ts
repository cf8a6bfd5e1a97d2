import { type CallOptions, type LimitOptions, limitSchema } from '../../calls/options.js';
import type { Embedder } from '../../embedding/embed.js';
import { embedderCheck } from '../../embedding/embedder-check.js';
import { wrongOption } from '../../expected.js';
import type { ModelPath } from '../../hub/index.js';
import { loadModel, type LoadModelOptions, type Model } from '../../models/index.js';
import { type Check, integer, oneOf, readOptions } from '../../options.js';
import { rerank } from '../../tasks/index.js';
import { similarity } from '../../vectors/similarity.js';
import { OnceLoaded } from './once-loaded.js';
import { type AdapterCallOptions, loadOptions, modelPath, whenSchema } from './text-vectors.js';

/** What documents are ordered by: a cross-encoder, or the similarity of vectors. One of `model` and `embedder` has to be named. */
export interface RankOptions extends LimitOptions {
  /** A cross-encoder: one that `loadModel` returned, which its owner disposes of, or a directory or an id on the Hub, loaded at the first query. */
  readonly model?: Model | ModelPath | undefined;
  /** How the cross-encoder is loaded, as `loadModel` takes it. */
  readonly load?: LoadModelOptions | undefined;
  /** Instead of a cross-encoder: the cosine of its vectors of query and document. */
  readonly embedder?: Embedder | undefined;
  /** Keep the best so many. Default: all. */
  readonly topK?: number | undefined;
  /** What becomes of a cross-encoder's logits. Default: as `rerank` chooses. */
  readonly activation?: 'sigmoid' | 'none' | undefined;
}

/** A document's place in the list that was given, and how well it answers. */
export interface Ranked {
  readonly index: number;
  readonly score: number;
}

/** Whether it is what `loadModel` returns. */
export function isModel(value: unknown): value is Model {
  const { forward, session } = (value ?? {}) as Partial<Model>;
  return typeof forward === 'function' && typeof session === 'object';
}

const modelOrPath: Check<Model | string> = (value, name) => (isModel(value) ? value : modelPath(value, name));

/** The checks of `RankOptions`. */
export const rankSchema = {
  ...limitSchema,
  model: modelOrPath,
  load: loadOptions as Check<LoadModelOptions>,
  embedder: embedderCheck,
  topK: integer(1, Number.MAX_SAFE_INTEGER),
  activation: oneOf(['sigmoid', 'none']),
};

const callSchema = { ...whenSchema, topK: rankSchema.topK };

/** Orders documents for an adapter. */
export class Ranker {
  readonly #name: string;
  readonly #model: OnceLoaded<Model> | undefined;
  readonly #embedder: OnceLoaded<Embedder> | undefined;
  readonly #topK: number | undefined;
  readonly #scoring: LimitOptions & Pick<RankOptions, 'activation'>;

  /** `name` is what errors call the adapter. Errors: INVALID_OPTION, MAX_LENGTH. */
  constructor(name: string, options: RankOptions | undefined) {
    const { model, load, embedder, topK, ...scoring } = readOptions(name, options, rankSchema);
    if ((model === undefined) === (embedder === undefined)) {
      const got = model === undefined ? 'neither' : 'both';
      throw wrongOption(`either a cross-encoder as the option model or an embedder for ${name}`, got);
    }
    if (load !== undefined && typeof model !== 'string') throw wrongOption(`a model to load beside the option load of ${name}`, model);
    if (scoring.activation !== undefined && model === undefined) {
      throw wrongOption(`no activation, which is a cross-encoder's, beside the embedder of ${name}`, scoring.activation);
    }
    if (typeof model === 'string') this.#model = new OnceLoaded(name, undefined, () => loadModel(model, load));
    else if (model !== undefined) this.#model = new OnceLoaded(name, model, () => Promise.resolve(model));
    if (embedder !== undefined) this.#embedder = new OnceLoaded(name, embedder, () => Promise.resolve(embedder));
    this.#name = name;
    this.#topK = topK;
    this.#scoring = scoring;
  }

  /** The best first. Errors: INVALID_OPTION, those of the load, and of `rerank` or `embed`. */
  async rank(query: string, documents: readonly string[], call?: AdapterCallOptions & Pick<RankOptions, 'topK'>): Promise<Ranked[]> {
    const { signal, deadlineMs: deadline, priority, topK = this.#topK } = readOptions(this.#name, call, callSchema);
    const when = (): CallOptions => ({ ...this.#scoring, signal, priority, deadlineMs: deadline?.left });
    const ranked =
      this.#model === undefined
        ? await byVectors(await this.#embedder!.get(signal), query, documents, when())
        : await rerank(await this.#model.get(signal), query, documents, when());
    return ranked.slice(0, topK).map(({ index, score }) => ({ index, score }));
  }

  /** Gives back the model that was loaded here. */
  async dispose(): Promise<void> {
    await Promise.all([this.#model?.dispose(), this.#embedder?.dispose()]);
  }
}

async function byVectors(embedder: Embedder, query: string, documents: readonly string[], options: CallOptions): Promise<Ranked[]> {
  const [asked, embedded] = await Promise.all([embedder.encodeQuery(query, options), embedder.encodeDocument(documents, options)]);
  const vectors = embedded.map(({ vector }) => vector);
  const scores = similarity(asked.vector, vectors);
  return Array.from(scores, (score, index) => ({ index, score })).sort((a, b) => b.score - a.score || a.index - b.index);
}
