import { BerthaError } from '../errors.js';
import { loadAddon } from './addon.js';
import type { PackedBatch } from './batch.js';
import type { NativeModel, NativeResult } from './native.js';

/** Where and how a model computes. */
export interface SessionOptions {
  /** Most threads of the process-wide pool that work for this model at once; all of them when absent. */
  readonly threads?: number;
  readonly precision?: string;
  readonly device?: string;
}

/** How one call is scheduled. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** `interactive` (default) goes before `bulk`, also before bulk work that has started. */
  readonly priority?: 'interactive' | 'bulk' | undefined;
  /** Milliseconds the call may wait in the queue; then it fails with DEADLINE and is never computed. */
  readonly deadlineMs?: number | undefined;
}

/** Milliseconds a call spent waiting and computing. */
export interface RunTimings {
  readonly queuedMs: number;
  readonly computeMs: number;
}

/** A value of the program that a call wants. */
interface Wanted {
  readonly id: number;
}

let nextCall = 1;

/** A program with its weights in native memory. Runs off the event loop, on the process's own pool. */
export class Session {
  #native: NativeModel | undefined;

  private constructor(native: NativeModel) {
    this.#native = native;
  }

  /** Takes what `toNativeProgram` made and reads the weights on native threads. Errors: IO, NON_FINITE, OUT_OF_MEMORY, DEVICE, PRECISION, ISA, ADDON_LOAD. */
  static async load(program: object, options: SessionOptions = {}): Promise<Session> {
    const spec = {
      ...program,
      device: options.device ?? 'cpu',
      precision: options.precision ?? 'fp32',
      threads: options.threads,
    };
    const addon = loadAddon();
    return new Session(await typed(() => addon.load(spec)));
  }

  get disposed(): boolean {
    return this.#native === undefined;
  }

  /**
   * Computes the wanted values of a batch: one array each, rows in order of the sequences; attention scores are ragged, [heads, s, s]
   * per sequence.
   *
   * Errors: DISPOSED, INVALID_IDS, INVALID_ARG, QUEUE_FULL, DEADLINE, OUT_OF_MEMORY, NON_FINITE; with an aborted signal, its reason.
   */
  async run(batch: PackedBatch, outputs: readonly Wanted[], options: RunOptions = {}): Promise<Float32Array[]> {
    return (await this.runTimed(batch, outputs, options)).outputs;
  }

  /** Like `run`, with the time the call spent in the queue and computing. */
  async runTimed(batch: PackedBatch, outputs: readonly Wanted[], options: RunOptions = {}): Promise<NativeResult> {
    const native = this.#open();
    const { signal } = options;
    signal?.throwIfAborted();
    const id = nextCall++;
    const abort = (): void => native.cancel(id);
    const call = typed(() =>
      native.run(
        {
          ...batch,
          outputs: Int32Array.from(outputs, (value) => value.id),
          bulk: options.priority === 'bulk',
          deadlineMs: options.deadlineMs,
        },
        id,
      ),
    );
    if (signal === undefined) return call;
    signal.addEventListener('abort', abort, { once: true });
    try {
      const result = await call;
      signal.throwIfAborted();
      return result;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Computes on the caller's thread, with the pool's help: the lowest latency, at the price of blocking. Errors as `run`. */
  runSync(batch: PackedBatch, outputs: readonly Wanted[]): Float32Array[] {
    const native = this.#open();
    return typedSync(() => native.runSync({ ...batch, outputs: Int32Array.from(outputs, (value) => value.id) })).outputs;
  }

  /** Bytes of native memory. Errors: DISPOSED. */
  memoryUsage(): { weights: number; workspaces: number } {
    return this.#open().memoryUsage();
  }

  /** Gives the weights back once calls in flight are done. A second call does nothing. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  #open(): NativeModel {
    if (this.#native === undefined) throw new BerthaError('DISPOSED', 'Expected an open model but received one that was disposed.');
    return this.#native;
  }
}

/** Native errors carry a code and no JavaScript stack: they become BerthaErrors with the caller's. */
function toBerthaError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof BerthaError) return error;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'string' ? new BerthaError(code, error.message, { cause: error }) : error;
}

async function typed<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toBerthaError(error);
  }
}

function typedSync<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toBerthaError(error);
  }
}
