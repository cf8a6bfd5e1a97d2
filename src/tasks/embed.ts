import { setImmediate } from 'node:timers/promises';
import { BerthaError } from '../errors.js';
import { loadModel, type LoadModelOptions, loadSchema, type Model } from '../models/index.js';
import { abortSignal, readOptions, received } from '../options.js';
import { defaultDimensions, EmbedCall, embedSchema, type EmbedJob, type EmbedSettings } from './embed-call.js';

/** How `loadEmbedder` loads: as `loadModel` does. */
export type LoadEmbedderOptions = LoadModelOptions;

/** How one call of `embedSync` embeds. */
export interface EmbedSyncOptions {
  /** Scale vectors to length 1, or leave them as pooled. Default: as the model's modules say. */
  readonly normalize?: boolean | undefined;
  /** Name of one of the model's prompts, put before each text. Default: the model's default prompt, if it has one. */
  readonly promptName?: string | undefined;
  /** A prompt of your own, put before each text as it is; `''` for none. Not together with `promptName`. */
  readonly prompt?: string | undefined;
  /** Keep the first so many numbers of each vector (Matryoshka models); normalized vectors are normalized again. Default: all. */
  readonly dimensions?: number | undefined;
  /** Longest input in tokens, special tokens included. Default: the model's limit. */
  readonly maxLength?: number | undefined;
  /** What happens to a longer text: cut it, cut it with a process warning, or reject with MAX_LENGTH. Default `'truncate'`. */
  readonly onTruncate?: 'truncate' | 'warn' | 'error' | undefined;
}

/** How one call of `embed` embeds. */
export interface EmbedOptions extends EmbedSyncOptions {
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a text became. */
export interface Embedding {
  /** [dimensions], memory of its own. */
  readonly vector: Float32Array;
  /** Tokens the model read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the limit, so that its end was not read. */
  readonly truncated: boolean;
}

/** Jobs of one call that may wait or run at once; the next is tokenized while they compute. */
const kJobsInFlight = 4;
/** Longest stretch of tokenization on the event loop, in milliseconds. */
const kSliceMs = 2;

/**
 * Loads a sentence-embedding model: a directory as sentence-transformers or transformers saves it, or the bundled all-MiniLM-L6-v2
 * when `model` is left out. A directory without modules.json pools by mean, as sentence-transformers does.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, MODEL_NOT_FOUND, ADDON_LOAD, PRECISION, DEVICE, and those of reading a model directory.
 */
export async function loadEmbedder(model?: string, options?: LoadEmbedderOptions): Promise<Embedder> {
  if (model !== undefined && typeof model !== 'string') {
    throw new BerthaError('INVALID_ARG', `Expected a model directory for the model of loadEmbedder but received ${received(model)}.`);
  }
  const settings = readOptions('loadEmbedder', options, loadSchema);
  return new Embedder(await loadModel(model, settings as LoadModelOptions));
}

/** Turns texts into vectors. Made by `loadEmbedder`; holds native memory until `dispose`. */
export class Embedder {
  readonly #model: Model;
  readonly #schema;

  /** @internal */
  constructor(model: Model) {
    this.#model = model;
    this.#schema = embedSchema(model.values.embeddingDimension);
  }

  /** The model's directory. */
  get directory(): string {
    return this.#model.directory;
  }

  /** Numbers in a vector, unless the option `dimensions` asks for fewer. */
  get dimensions(): number {
    return defaultDimensions(this.#model);
  }

  /** Longest input in tokens, special tokens included, unless the option `maxLength` says otherwise. */
  get maxTokens(): number {
    return this.#model.maxTokens;
  }

  /** The model's prompts by name. */
  get prompts(): Readonly<Record<string, string>> {
    return this.#model.sentence?.prompts ?? {};
  }

  /**
   * Embeds one text, or many in one go. Computes on threads of its own; the event loop only tokenizes, a few milliseconds at a time. A
   * text's vector is the same to the bit whatever else is in the call.
   *
   * Errors: INVALID_ARG (not a string; names the index), INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, OUT_OF_MEMORY, or the
   * signal's reason.
   */
  embed(text: string, options?: EmbedOptions): Promise<Embedding>;
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Embedding[]>;
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]>;
  async embed(texts: string | readonly string[], options?: EmbedOptions): Promise<Embedding | Embedding[]> {
    const { signal, ...settings } = readOptions('embed', options, { ...this.#schema, signal: abortSignal });
    const call = this.#start('embed', texts, settings);
    signal?.throwIfAborted();
    await this.#compute(call, signal);
    call.warn();
    return typeof texts === 'string' ? call.results[0]! : call.results;
  }

  /**
   * The same on the calling thread, which is blocked meanwhile: the shortest way for one short text, and for scripts.
   *
   * Errors: as `embed`, thrown.
   */
  embedSync(text: string, options?: EmbedSyncOptions): Embedding;
  embedSync(texts: readonly string[], options?: EmbedSyncOptions): Embedding[];
  embedSync(texts: string | readonly string[], options?: EmbedSyncOptions): Embedding | Embedding[];
  embedSync(texts: string | readonly string[], options?: EmbedSyncOptions): Embedding | Embedding[] {
    const call = this.#start('embedSync', texts, readOptions('embedSync', options, this.#schema));
    while (!call.isTokenized) {
      const job = call.newJob();
      while (!call.isTokenized && job.hasRoom) call.tokenizeNext(job);
      call.finish(job, this.#model.session.runSync(job.pack(), [call.output])[0]!);
    }
    call.warn();
    return typeof texts === 'string' ? call.results[0]! : call.results;
  }

  /** Gives the model's memory back. Calls that still run are finished first; later ones fail with DISPOSED. Twice is once. */
  dispose(): void {
    this.#model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #start(name: string, texts: string | readonly string[], settings: EmbedSettings): EmbedCall {
    if (this.#model.session.disposed)
      throw new BerthaError('DISPOSED', `Expected a loaded embedder for ${name} but received one that was disposed.`);
    return new EmbedCall(name, this.#model, texts, settings);
  }

  /** Tokenizes in slices and computes what is ready meanwhile. Returns, or throws the first failure, when nothing runs any more. */
  async #compute(call: EmbedCall, signal: AbortSignal | undefined): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    const turn = new Turn(signal);
    try {
      while (!call.isTokenized) {
        const job = await tokenizeJob(call, turn);
        const running = this.#model.session.run(job.pack(), [call.output], { signal }).then(([rows]) => {
          call.finish(job, rows!);
          inFlight.delete(running);
        });
        // It may fail while nobody waits for it; the next wait below finds it then.
        running.catch(() => undefined);
        inFlight.add(running);
        if (inFlight.size >= kJobsInFlight) await Promise.race(inFlight);
        if (turn.isOver && !call.isTokenized) await turn.next();
      }
      await Promise.all(inFlight);
    } finally {
      await Promise.allSettled(inFlight);
    }
  }
}

/** Tokenizes the texts of the next job. */
async function tokenizeJob(call: EmbedCall, turn: Turn): Promise<EmbedJob> {
  const job = call.newJob();
  while (!call.isTokenized && job.hasRoom) {
    if (call.isNextLong) {
      const slices = call.tokenizeNextInSlices(job);
      while (slices.next().done !== true) if (turn.isOver) await turn.next();
    } else {
      call.tokenizeNext(job);
    }
    if (turn.isOver && !call.isTokenized) await turn.next();
  }
  return job;
}

/** The time that a call has used of the event loop's present turn. */
class Turn {
  readonly #signal: AbortSignal | undefined;
  #end = performance.now() + kSliceMs;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Lets others run. Throws the signal's reason if it was aborted meanwhile. */
  async next(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#end = performance.now() + kSliceMs;
  }
}
