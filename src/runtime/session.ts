import { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { onAbort } from './abort.js';
import { loadAddon } from './addon.js';
import { toBerthaError } from './native-error.js';
import type { BatchInputs } from './batch.js';
import { generateText, type GenerateOptions } from './generation/generate.js';
import type { NativeGenerated, NativeText } from './generation/native-generation.js';
import type { NativeModel, NativeProgram, NativeResult } from './native.js';
import type { NativeMemory } from './native-stats.js';
import { isCallObserved, publishCall } from './observe.js';
import { reportWeightCache, type WeightCacheReport } from './options/weight-cache.js';

/** Where and how a model computes. */
export interface SessionOptions {
  /** Most threads of the process-wide pool that work for this model at once; all of them when absent. */
  readonly threads?: number;
  readonly precision?: string;
  readonly device?: string;
  /** Keeps packed weights in files there, those of `model`, a path. */
  readonly weightCache?: { readonly directory: string; readonly model: string } | undefined;
}

/** How one call is scheduled. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** `interactive` (default) goes before `bulk`, also before bulk work that has started. */
  readonly priority?: 'interactive' | 'bulk' | undefined;
  /** From `newGroup`: the runs of one call take one turn among the others of their priority, and are started in order. */
  readonly group?: number | undefined;
  /** Milliseconds the call may wait in the queue; then it fails with DEADLINE and is never computed. */
  readonly deadlineMs?: number | undefined;
}

/** A value of the program that a call wants. */
export interface Wanted {
  readonly id: number;
}

let nextCall = 1;
let nextGroup = 1;
let numInteractive = 0;
const waitingForIdle = new Set<() => void>();

/** A number for the runs of one call. */
export function newGroup(): number {
  return nextGroup++;
}

/** Calls `resume` in a later turn of the event loop: when no interactive call of this thread waits or runs, or `limitMs` from now. */
export function afterInteractive(resume: () => void, limitMs: number): void {
  if (numInteractive === 0) {
    setImmediate(resume);
    return;
  }
  const wait = (): void => {
    clearTimeout(timer);
    waitingForIdle.delete(wait);
    setImmediate(resume);
  };
  const timer = setTimeout(wait, limitMs);
  waitingForIdle.add(wait);
}

function endInteractive(): void {
  if (--numInteractive === 0) for (const resume of waitingForIdle) resume();
}

/** A program with its weights in native memory. Runs off the event loop, on the process's own pool. */
export class Session {
  #native: NativeModel | undefined;
  /** What the cache did, where `load` was asked for one. */
  readonly weightCache: WeightCacheReport | undefined;

  private constructor(native: NativeModel, weightCache?: WeightCacheReport) {
    this.#native = native;
    this.weightCache = weightCache;
  }

  /**
   * Takes what `toNativeProgram` made and reads the weights on native threads.
   *
   * Errors: IO, NON_FINITE, OUT_OF_MEMORY, DEVICE, PRECISION, ISA, ADDON_LOAD.
   *
   * @internal
   */
  static async load(program: NativeProgram, options: SessionOptions = {}): Promise<Session> {
    const spec = {
      ...program,
      device: options.device ?? 'cpu',
      precision: options.precision ?? 'fp32',
      threads: options.threads,
      cacheDirectory: options.weightCache?.directory,
      cacheModel: options.weightCache?.model,
    };
    const addon = loadAddon();
    try {
      const native = await addon.load(spec);
      return new Session(native, options.weightCache && reportWeightCache(native.weightCache));
    } catch (error) {
      throw toBerthaError(error);
    }
  }

  /** A session of a model that is there already. @internal */
  static of(native: NativeModel): Session {
    return new Session(native);
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
  async run(batch: BatchInputs, outputs: readonly Wanted[], options: RunOptions = {}): Promise<Float32Array[]> {
    return (await this.runTimed(batch, outputs, options)).outputs;
  }

  /** Like `run`, with the time the call spent in the queue and computing. @internal */
  async runTimed(batch: BatchInputs, outputs: readonly Wanted[], options: RunOptions = {}): Promise<NativeResult> {
    const native = this.#open();
    const { signal, priority = 'interactive', group, deadlineMs } = options;
    signal?.throwIfAborted();
    const id = nextCall++;
    if (priority === 'interactive') numInteractive++;
    const unwatch = signal === undefined ? undefined : onAbort(signal, () => native.cancel(id));
    try {
      const wanted = Int32Array.from(outputs, (value) => value.id);
      const result = await native.run({ ...batch, outputs: wanted, bulk: priority === 'bulk', group, deadlineMs }, id);
      signal?.throwIfAborted();
      result.outputs = result.outputs.map(ofThisRealm);
      if (isCallObserved()) publishCall({ ...sizeOf(batch), priority, queuedMs: result.queuedMs, computeMs: result.computeMs });
      return result;
    } catch (failure) {
      const error = toBerthaError(failure);
      if (isCallObserved()) publishCall({ ...sizeOf(batch), priority, queuedMs: 0, computeMs: 0, error: codeOf(error, signal) });
      signal?.throwIfAborted();
      throw error;
    } finally {
      if (priority === 'interactive') endInteractive();
      unwatch?.();
    }
  }

  /**
   * Generates one text: the source through the encoder once, then a token of each hypothesis a step, which the texts of all calls share.
   *
   * Errors: DISPOSED, DEVICE, INVALID_IDS, INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE (its state never fits), QUEUE_FULL, DEADLINE (it passed
   * before the first token; a later one ends the text), OUT_OF_MEMORY, NON_FINITE; with an aborted signal, its reason.
   *
   * @internal
   */
  async generate(
    text: Omit<NativeText, 'bulk'>,
    { priority = 'interactive', ...options }: GenerateOptions & Pick<RunOptions, 'priority'> = {},
  ): Promise<NativeGenerated> {
    const native = this.#open();
    const read = (text.source?.inputIds.length ?? 0) + text.prompt.length;
    if (priority === 'interactive') numInteractive++;
    try {
      const found = await generateText(native, nextCall++, { ...text, bulk: priority === 'bulk' }, options);
      const { sequences, queuedMs, computeMs } = found;
      const written = sequences.reduce((sum, { logProbabilities }) => sum + logProbabilities.length, 0);
      if (isCallObserved()) publishCall({ sequences: sequences.length, tokens: read + written, priority, queuedMs, computeMs });
      return found;
    } catch (error) {
      if (isCallObserved())
        publishCall({ sequences: 1, tokens: read, priority, queuedMs: 0, computeMs: 0, error: codeOf(error, options.signal) });
      throw error;
    } finally {
      if (priority === 'interactive') endInteractive();
    }
  }

  /** Computes on the caller's thread, with the pool's help: the lowest latency, at the price of blocking. Errors as `run`. */
  runSync(batch: BatchInputs, outputs: readonly Wanted[]): Float32Array[] {
    const native = this.#open();
    try {
      return native.runSync({ ...batch, outputs: Int32Array.from(outputs, (value) => value.id) }).outputs.map(ofThisRealm);
    } catch (error) {
      throw toBerthaError(error);
    }
  }

  /** Bytes of native memory: the weights, shared by `users` models of the process, and this model's idle workspaces. Errors: DISPOSED. */
  memoryUsage(): NativeMemory {
    return this.#open().memoryUsage();
  }

  /** Gives the weights back once calls in flight are done. A second call does nothing. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  #open(): NativeModel {
    if (this.#native === undefined) throw unexpected('DISPOSED', 'an open model', 'one that was disposed');
    return this.#native;
  }
}

/** The addon makes arrays of Node's own realm: in a vm context, the same memory as an array that is `instanceof Float32Array` there. */
function ofThisRealm(array: Float32Array): Float32Array {
  if (Object.getPrototypeOf(array) === Float32Array.prototype) return array;
  return new Float32Array(array.buffer, array.byteOffset, array.length);
}

function sizeOf({ inputIds, cuSeqlens }: BatchInputs): { sequences: number; tokens: number } {
  return { sequences: cuSeqlens.length - 1, tokens: inputIds.length };
}

function codeOf(error: unknown, signal: AbortSignal | undefined): string {
  return signal?.aborted === true ? 'ABORTED' : error instanceof BerthaError ? error.code : 'INTERNAL';
}
