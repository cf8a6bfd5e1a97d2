import { types } from 'node:util';
import { wrongArgument } from '../expected.js';
import { callback, integer } from '../options.js';
import type { Embedding, EmbedOptions } from './embedding.js';

/** How `embedMany` embeds a stream. */
export interface EmbedManyOptions extends Omit<EmbedOptions, 'onTimings'> {
  /** Blocks of up to 256 texts that are in work at once. Default 4. */
  readonly concurrency?: number | undefined;
  /** Hears how many texts are done, after each block. What it throws ends the stream. */
  readonly onProgress?: ((progress: { readonly done: number }) => void) | undefined;
}

/** The checks of the options that `embed` has not. */
export const manySchema = { concurrency: integer(1, 64), onProgress: callback };

const kBlockTexts = 256;
/** UTF-16 units of a block, so that long texts make small blocks. */
const kBlockUnits = 1 << 18;
const kConcurrency = 4;

interface Settings {
  readonly concurrency: number | undefined;
  readonly onProgress: EmbedManyOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

/** Embeds a stream in blocks, several at once, and yields the results in order. Results never wait for the next text to arrive. */
export async function* embedInBlocks(
  embed: (texts: readonly string[], signal: AbortSignal) => Promise<Embedding[]>,
  source: AsyncIterable<string> | Iterable<string>,
  { concurrency = kConcurrency, onProgress, signal }: Settings,
): AsyncGenerator<Embedding, void, undefined> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal!.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const stopped = new Promise<'stopped'>((resolve) => stop.signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
  const texts = new StreamReader(source);
  const working: Promise<Embedding[]>[] = [];
  let done = 0;
  try {
    for (;;) {
      stop.signal.throwIfAborted();
      while (working.length < concurrency && texts.size > 0) {
        const block = embed(texts.takeBlock(), stop.signal);
        // Its failure is met when its turn comes.
        block.catch(() => undefined);
        working.push(block);
      }
      const first = working[0];
      if (first === undefined && texts.isAtEnd) break;
      const ready = await Promise.race([
        stopped,
        ...(first === undefined ? [] : [first.then(() => 'block' as const)]),
        ...(texts.hasRoom ? [texts.read()] : []),
      ]);
      if (ready !== 'block') continue;
      const embeddings = await working.shift()!;
      yield* embeddings;
      done += embeddings.length;
      onProgress?.({ done });
    }
    texts.throwFailure();
  } finally {
    signal?.removeEventListener('abort', abort);
    stop.abort();
    await Promise.allSettled(working);
    await texts.close();
  }
}

/** Reads a source ahead by up to a block. */
class StreamReader {
  readonly #iterator: Iterator<string> | AsyncIterator<string>;
  readonly #texts: string[] = [];
  #units = 0;
  #count = 0;
  #isDone = false;
  #failure: { readonly error: unknown } | undefined;
  #reading: Promise<'text'> | undefined;

  constructor(source: AsyncIterable<string> | Iterable<string>) {
    const iterable = Object(source) as Partial<AsyncIterable<string> & Iterable<string>>;
    const iterator = iterable[Symbol.asyncIterator]?.() ?? (typeof source === 'string' ? undefined : iterable[Symbol.iterator]?.());
    if (iterator === undefined) {
      throw wrongArgument('an iterable of strings for the texts of embedMany', source);
    }
    this.#iterator = iterator;
  }

  get size(): number {
    return this.#texts.length;
  }

  get hasRoom(): boolean {
    return !this.#isDone && this.#texts.length < kBlockTexts && this.#units < kBlockUnits;
  }

  get isAtEnd(): boolean {
    return this.#isDone && this.#texts.length === 0;
  }

  takeBlock(): string[] {
    this.#units = 0;
    return this.#texts.splice(0, kBlockTexts);
  }

  /** Reads one text of an asynchronous source, or all there is room for. Never rejects: a failure is the end. */
  read(): Promise<'text'> {
    this.#reading ??= this.#readNext().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readNext(): Promise<'text'> {
    try {
      do {
        const arrival = this.#iterator.next();
        const { done, value } = await arrival;
        if (done === true) this.#isDone = true;
        else this.#take(value);
        if (types.isPromise(arrival)) break;
      } while (this.hasRoom);
    } catch (error) {
      this.#isDone = true;
      this.#failure = { error };
    }
    return 'text';
  }

  #take(text: unknown): void {
    if (typeof text !== 'string') {
      throw wrongArgument(`a string for text ${this.#count} of embedMany`, text);
    }
    this.#texts.push(text);
    this.#units += text.length;
    this.#count++;
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Tells the source that no more is wanted. One that is still waiting for input cannot be asked: that would wait as well. */
  async close(): Promise<void> {
    if (!this.#isDone && this.#reading === undefined) await this.#iterator.return?.();
  }
}
