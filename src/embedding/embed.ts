import { Call } from '../calls/call.js';
import { requireModel, requireString } from '../calls/inputs.js';
import { callSchema, promptSchema, type CallOptions, type CallSettings } from '../calls/options.js';
import { asIds, atOnce, TextReader } from '../calls/text-reader.js';
import { chunkText, type Chunk, type ChunkOptions } from './chunks/index.js';
import { unexpected, wrongArgument } from '../expected.js';
import { readModelPath, type ModelPath } from '../hub/index.js';
import { loadModel, type LoadModelOptions, loadSchema, memoryOf, type MemoryUsage, type Model } from '../models/index.js';
import { readOptions } from '../options.js';
import type { DeviceReport } from '../runtime/options/device.js';
import type { PrecisionReport } from '../runtime/options/precision.js';
import type { WeightCacheReport } from '../runtime/options/weight-cache.js';
import { defaultDimensions, defaultWidth, EmbedTexts, type EmbedSettings, type Given } from './embed-texts.js';
import { embedInBlocks, type EmbedManyOptions, manySchema } from './embed-many.js';
import type { Embedding, EmbedIdsOptions, EmbedOptions, EmbedSyncOptions } from './embedding.js';
import { embedSchema } from './schemas.js';
import { embedSparse, sparseSchema, type EmbedSparseOptions, type SparseEmbedding } from './sparse/embed-sparse.js';
import { embedTokens, tokensSchema, type EmbedTokensOptions, type TokenEmbedding } from './tokens/embed-tokens.js';
import { maxSim } from '../vectors/max-sim.js';
import type { SearchResult } from '../vectors/semantic-search.js';
import { createTokenizer } from '../architectures/create-tokenizer.js';
import type { SparseVector } from '../vectors/sparse-vectors.js';
import type { Tokenizer } from '../tokenizer/index.js';

/** How `loadEmbedder` loads: as `loadModel` does. Heads, and the tasks that choose them, are no matter of vectors. */
export type LoadEmbedderOptions = Omit<LoadModelOptions, 'task'>;

const { task: _, ...embedderSchema } = loadSchema;

/**
 * Loads a sentence-embedding model: a directory as sentence-transformers or transformers saves it, or the bundled all-MiniLM-L6-v2
 * when `model` is left out. A directory without modules.json pools by mean, as sentence-transformers does.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, NO_HEAD (a decoder alone), MODEL_NOT_FOUND, ADDON_LOAD, PRECISION, DEVICE, and those of reading a model directory.
 *
 * @example
 * const embedder = await loadEmbedder(); // the bundled all-MiniLM-L6-v2, or './models/mine', or 'org/name' on the Hub
 * const { vector } = await embedder.embed('A cat sits on the mat.');
 * embedder.dispose();
 */
export async function loadEmbedder(model?: ModelPath, options?: LoadEmbedderOptions): Promise<Embedder> {
  if (model !== undefined) readModelPath(model, 'loadEmbedder');
  const settings = readOptions('loadEmbedder', options, embedderSchema);
  const loaded = await loadModel(model, { heads: false, ...settings } as LoadModelOptions);
  try {
    return new Embedder(loaded);
  } catch (error) {
    loaded.dispose(); // what modules.json describes cannot be computed
    throw error;
  }
}

/**
 * An embedder over a model that is loaded already, heads and all: weights stand in memory once. Disposing of it disposes of the model.
 *
 * Errors: INVALID_ARG, DISPOSED, NO_HEAD (a decoder alone), and those of what modules.json describes.
 *
 * @example
 * const embedder = embedderOf(await loadModel('./models/bert-base-uncased'));
 */
export function embedderOf(model: Model): Embedder {
  requireModel(model, 'embedderOf');
  return new Embedder(model);
}

/** Options of `Embedder.rerank`. */
export interface RerankTokensOptions extends CallOptions {
  /** Results at most. Default: all documents. */
  readonly topK?: number | undefined;
}

/** Turns texts into vectors. Made by `loadEmbedder`; holds native memory until `dispose`. */
export class Embedder {
  readonly #model: Model;
  readonly #syncSchema;
  readonly #schema;
  #isDisposed = false;
  #numRunning = 0;
  readonly #whenIdle: (() => void)[] = [];
  #ofQueries: Tokenizer | undefined;

  /** @internal */
  constructor(model: Model) {
    if (model.config.isDecoder) {
      throw unexpected('NO_HEAD', 'an encoder, or an encoder-decoder, for vectors', 'a decoder alone', {
        hint: 'It writes text: see generate.',
      });
    }
    this.#model = model;
    this.#syncSchema = embedSchema(defaultWidth(model));
    this.#schema = { ...this.#syncSchema, ...callSchema };
  }

  /** The model, for whoever looks into it. @internal */
  get model(): Model {
    return this.#model;
  }

  /** The model's directory. */
  get directory(): string {
    return this.#model.directory;
  }

  /** Numbers in a vector, unless the option `dimensions` asks for fewer; of sparse vectors the words of the vocabulary. */
  get dimensions(): number {
    return defaultDimensions(this.#model);
  }

  /** What the model computes in, and why. */
  get precision(): PrecisionReport {
    return this.#model.precision;
  }

  /** Where the model computes, and why. */
  get device(): DeviceReport {
    return this.#model.device;
  }

  /** What the cache of packed weights did; undefined where none was asked for. */
  get weightCache(): WeightCacheReport | undefined {
    return this.#model.weightCache;
  }

  /** Longest input in tokens, special tokens included, unless the option `maxLength` says otherwise. */
  get maxTokens(): number {
    return this.#model.maxTokens;
  }

  /** The model's tokenizer. */
  get tokenizer(): Tokenizer {
    return this.#model.tokenizer;
  }

  /** The model's prompts by name. */
  get prompts(): Readonly<Record<string, string>> {
    return (this.#model.sentence ?? this.#model.sparse ?? this.#model.multiVector)?.prompts ?? {};
  }

  /**
   * Embeds one text, or many in one go. Computes on threads of its own; the event loop only tokenizes, a few milliseconds at a time. A
   * text's vector is the same to the bit whatever else is in the call.
   *
   * Errors: INVALID_ARG (not a string; names the index), INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, OUT_OF_MEMORY, or the
   * signal's reason.
   *
   * @example
   * const { vector, tokens, truncated } = await embedder.embed('One text.');
   * const embeddings = await embedder.embed(['Many', 'texts'], { signal: AbortSignal.timeout(1000) });
   */
  embed(text: string, options?: EmbedOptions): Promise<Embedding>;
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Embedding[]>;
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]>;
  async embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]> {
    const results = await this.#run('embed', texts, readOptions('embed', options, this.#schema));
    return typeof texts === 'string' ? results[0]! : results;
  }

  /**
   * Embeds texts that are token ids already, special tokens included: what `tokenizer.encode(text).ids` gives has the vector of the text. What is longer
   * than the limit is cut at its end. Prompts are texts: there are none here.
   *
   * Errors: as `embed`; INVALID_IDS for ids that the model has no rows for, naming the index.
   *
   * @example
   * const [{ vector }] = await embedder.embedIds([embedder.tokenizer.encode('One text.').ids]);
   */
  async embedIds(ids: readonly Int32Array[], options?: EmbedIdsOptions): Promise<Embedding[]> {
    const { promptName: _name, prompt: _prompt, as: _as, ...schema } = this.#schema;
    const settings = readOptions('embedIds', options, schema);
    if (!Array.isArray(ids)) throw wrongArgument('an array of Int32Arrays for the ids of embedIds', ids);
    return this.#run('embedIds', { ids: ids.slice() as Int32Array[] }, { ...settings, prompt: '' });
  }

  /**
   * Embeds questions to search with, as sentence-transformers' `encode_query` does: with the prompt `query`, or none where the model has
   * none of that name; the default prompt is for `embed` alone. The options `prompt` and `promptName` come first.
   *
   * Errors: as `embed`.
   *
   * @example
   * const query = await embedder.encodeQuery('how do cats sleep?');
   * const found = await semanticSearch(query, await embedder.encodeDocument(documents), { topK: 3 });
   */
  encodeQuery(text: string, options?: EmbedOptions): Promise<Embedding>;
  encodeQuery(texts: readonly string[], options?: EmbedOptions): Promise<Embedding[]>;
  encodeQuery(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]> {
    return this.embed(texts, { as: 'query', ...options });
  }

  /**
   * Embeds documents to be found, as sentence-transformers' `encode_document` does: with the prompt `document`, or none. (Version 6.2 never
   * gets to `passage` and `corpus`, which its documentation names as well: name them by `promptName`.)
   *
   * Errors: as `embed`.
   */
  encodeDocument(text: string, options?: EmbedOptions): Promise<Embedding>;
  encodeDocument(texts: readonly string[], options?: EmbedOptions): Promise<Embedding[]>;
  encodeDocument(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]> {
    return this.embed(texts, { as: 'document', ...options });
  }

  /**
   * Weights of the vocabulary's words for each text, by a model with SpladePooling, as sentence-transformers' SparseEncoder gives them. `as`
   * chooses the prompt, and where queries have a table of weights of their own, that.
   *
   * Errors: as `embed`; POOLING for a model of dense vectors.
   *
   * @example
   * const query = await embedder.embedSparse('how do cats sleep?', { as: 'query' });
   * const documents = await embedder.embedSparse(texts, { as: 'document', topK: 128 });
   * const scores = documents.map((each) => sparseDot(query, each));
   */
  embedSparse(text: string, options?: EmbedSparseOptions): Promise<SparseEmbedding>;
  embedSparse(texts: readonly string[], options?: EmbedSparseOptions): Promise<SparseEmbedding[]>;
  async embedSparse(texts: string | readonly string[], options?: EmbedSparseOptions): Promise<SparseEmbedding | SparseEmbedding[]> {
    const settings = readOptions('embedSparse', options, sparseSchema);
    const results = await this.#whileOpen('embedSparse', () => embedSparse(this.#model, this.#queryTokenizer(), texts, settings));
    return typeof texts === 'string' ? results[0]! : results;
  }

  /**
   * A vector for each token of a text that counts, by a multi-vector model (ColBERT), as sentence-transformers' MultiVectorEncoder gives them.
   *
   * Errors: as `embed`; POOLING for a model of another kind.
   *
   * @example
   * const { data, dims } = await embedder.embedTokens('how do cats sleep?', { as: 'query' }); // [tokens, dimension]
   */
  embedTokens(text: string, options?: EmbedTokensOptions): Promise<TokenEmbedding>;
  embedTokens(texts: readonly string[], options?: EmbedTokensOptions): Promise<TokenEmbedding[]>;
  async embedTokens(texts: string | readonly string[], options?: EmbedTokensOptions): Promise<TokenEmbedding | TokenEmbedding[]> {
    const settings = readOptions('embedTokens', options, tokensSchema);
    const results = await this.#whileOpen('embedTokens', () => embedTokens('embedTokens', this.#model, texts, settings));
    return typeof texts === 'string' ? results[0]! : results;
  }

  /**
   * Documents in the order in which they answer a query, by MaxSim over the vectors of their tokens; equal scores in the order given.
   *
   * Errors: as `embedTokens`.
   *
   * @example
   * const [best] = await embedder.rerank('how do cats sleep?', documents, { topK: 3 });
   * console.log(documents[best.index], best.score);
   */
  async rerank(query: string, documents: readonly string[], options: RerankTokensOptions = {}): Promise<SearchResult[]> {
    const { topK = Infinity, ...settings } = readOptions('rerank', options, { ...callSchema, topK: sparseSchema.topK });
    requireString(query, 'the query of rerank');
    const scores = await this.#whileOpen('rerank', async () => {
      const [vectors] = await embedTokens('rerank', this.#model, query, { ...settings, as: 'query' });
      return maxSim(vectors!, await embedTokens('rerank', this.#model, documents, { ...settings, as: 'document' }));
    });
    const results = Array.from(scores, (score, index) => ({ index, score }));
    return results.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topK);
  }

  /** The words of a sparse vector with their weights, the heaviest first, as sentence-transformers' `decode` gives them. */
  decodeSparse({ indices, values }: SparseVector, options: { readonly topK?: number } = {}): { token: string; weight: number }[] {
    const { topK = Infinity } = readOptions('decodeSparse', options, { topK: sparseSchema.topK });
    const words = Array.from(indices, (id, i) => ({ token: this.tokenizer.idToToken(id) ?? '', weight: values[i]! }));
    return words.sort((a, b) => b.weight - a.weight).slice(0, topK);
  }

  /**
   * Embeds a stream of texts and yields the results in their order, with constant memory: the source is read as results are taken.
   * Priority `'bulk'` unless the options say otherwise. Leaving the loop early stops the work.
   *
   * Errors, thrown by the iterator: as `embed`; what the source throws, after the results of the texts before it.
   *
   * @example
   * for await (const { vector } of embedder.embedMany(lines, { concurrency: 4 })) store(vector);
   */
  embedMany(source: AsyncIterable<string> | Iterable<string>, options?: EmbedManyOptions): AsyncGenerator<Embedding, void, undefined> {
    const { onTimings: _ofOneCall, ...schedule } = callSchema;
    const read = readOptions('embedMany', options, { ...this.#syncSchema, ...schedule, ...manySchema });
    const { concurrency, onProgress, signal, priority = 'bulk', deadlineMs: deadline, ...settings } = read;
    // Settings that no call would take are errors now, not at the first text.
    this.#prepare('embedMany', [], settings);
    const embed = (texts: readonly string[], signal: AbortSignal): Promise<Embedding[]> =>
      this.embed(texts, { ...settings, priority, signal, deadlineMs: deadline?.left });
    return embedInBlocks(embed, source, { concurrency, onProgress, signal });
  }

  /**
   * The same on the calling thread, which is blocked meanwhile: the shortest way for one short text, and for scripts.
   *
   * Errors: as `embed`, thrown.
   *
   * @example
   * const { vector } = embedder.embedSync('One short text.');
   */
  embedSync(text: string, options?: EmbedSyncOptions): Embedding;
  embedSync(texts: readonly string[], options?: EmbedSyncOptions): Embedding[];
  embedSync(texts: string | readonly string[], options?: EmbedSyncOptions): Embedding | Embedding[];
  embedSync(texts: string | readonly string[], options?: EmbedSyncOptions): Embedding | Embedding[] {
    const work = this.#prepare('embedSync', texts, readOptions('embedSync', options, this.#syncSchema));
    work.runSync();
    work.warn();
    return typeof texts === 'string' ? work.results[0]! : work.results;
  }

  /**
   * How many tokens `embed` would read of a text if there were no limit: special tokens and the prompt included. Compare it with
   * `maxTokens`. Counts on the calling thread.
   *
   * Errors: INVALID_ARG, INVALID_OPTION, INPUT_TOO_LARGE.
   */
  countTokens(text: string, options?: Pick<EmbedOptions, 'prompt' | 'promptName'>): number {
    const settings = readOptions('countTokens', options, promptSchema);
    requireString(text, 'the text of countTokens');
    const reader = new TextReader('countTokens', this.#model, settings, { truncation: false });
    return atOnce(reader.read(text, 0, asIds)).ids.length;
  }

  /**
   * Cuts a text into chunks that this model reads whole, see `chunkText`.
   *
   * Errors: as `chunkText`.
   *
   * @example
   * const chunks = await embedder.chunk(document, { overlap: 16 });
   * const vectors = await embedder.embed(chunks.map(({ text }) => text));
   */
  chunk(text: string, options?: ChunkOptions): Promise<Chunk[]> {
    return chunkText(this.#model, text, options);
  }

  /** Bytes of native memory. Errors: DISPOSED. */
  memoryUsage(): MemoryUsage {
    return memoryOf(this.#model.session);
  }

  /** Gives the model's memory back. Calls that still run are finished first; later ones fail with DISPOSED. Twice is once. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#numRunning === 0) this.#close();
  }

  /** As `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Like `dispose`, and waits for the calls that still run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
    if (this.#numRunning > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** What reads queries where they have a table of weights; made when it is first asked for. */
  #queryTokenizer(): Tokenizer | undefined {
    const files = this.#model.sparse?.queries?.tokenizerFiles;
    if (files !== undefined) this.#ofQueries ??= createTokenizer(files);
    return this.#ofQueries;
  }

  /** Runs a call; `dispose` waits for it. Errors: DISPOSED. */
  async #whileOpen<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#requireOpen(name);
    this.#numRunning++;
    try {
      return await run();
    } finally {
      if (--this.#numRunning === 0 && this.#isDisposed) this.#close();
    }
  }

  async #run(name: string, given: Given, settings: EmbedSettings & CallSettings): Promise<Embedding[]> {
    const call = new Call('embed', this.#model, settings);
    const work = this.#prepare(name, given, settings);
    return this.#whileOpen(name, async () => {
      await call.compute(work.source, [work.output], (job, outputs) => work.take(job, outputs));
      work.warn();
      call.finish();
      return work.results;
    });
  }

  #close(): void {
    this.#model.dispose();
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #requireOpen(name: string): void {
    if (this.#isDisposed) throw unexpected('DISPOSED', `a loaded embedder for ${name}`, 'one that was disposed');
  }

  #prepare(name: string, texts: Given, settings: EmbedSettings): EmbedTexts {
    this.#requireOpen(name);
    return new EmbedTexts(name, this.#model, texts, settings);
  }
}
