import { unexpected } from '../../expected.js';
import { onAbort } from '../../runtime/abort.js';

/** What a model or an embedder is to who only keeps it. */
interface Disposable {
  dispose(): void;
  [Symbol.asyncDispose]?(): Promise<void>;
}

/**
 * A model that the caller owns, or that is loaded when it is first asked for, once, however many ask. A load that failed is tried again by
 * the next who asks.
 */
export class OnceLoaded<T extends Disposable> {
  readonly #name: string;
  readonly #owned: T | undefined;
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;
  #isDisposed = false;

  /** `name` is what errors call the adapter. */
  constructor(name: string, owned: T | undefined, load: () => Promise<T>) {
    this.#name = name;
    this.#owned = owned;
    this.#load = load;
  }

  /** Errors: DISPOSED, the signal's reason (who else waits goes on waiting), those of the load. */
  async get(signal?: AbortSignal): Promise<T> {
    this.#requireOpen();
    signal?.throwIfAborted();
    if (this.#owned !== undefined) return this.#owned;
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    const loaded = await (signal === undefined ? this.#loading : unlessAborted(this.#loading, signal));
    this.#requireOpen();
    return loaded;
  }

  /** Whether `dispose` was called. */
  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /**
   * Gives back what was loaded here, not what the caller owns; resolves when the calls that still run are finished. Later calls fail with
   * DISPOSED. Twice is once.
   */
  async dispose(): Promise<void> {
    const loading = this.#loading;
    this.#loading = undefined;
    this.#isDisposed = true;
    const loaded = await loading?.catch(() => undefined); // who asked for it has the error
    loaded?.dispose();
    await loaded?.[Symbol.asyncDispose]?.();
  }

  #requireOpen(): void {
    if (this.#isDisposed) throw unexpected('DISPOSED', `${this.#name} in use`, 'one that was disposed');
  }
}

/** The same promise, but rejected with the signal's reason as soon as that is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = onAbort(signal, () => reject(signal.reason as Error));
    void promise.then(resolve, reject).finally(leave);
  });
}
