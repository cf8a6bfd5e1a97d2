import { onAbort } from '../../runtime/abort.js';
import { loadAddon } from '../../runtime/addon.js';
import { callNative, toBerthaError } from '../../runtime/native-error.js';
import type {
  NativeAccumulated,
  NativeAccumulation,
  NativeMicroBatch,
  NativeProgram,
  NativeSnapshot,
  NativeTensorKind,
  NativeTrainer,
  NativeTrainerOptions,
  NativeTrainingProgram,
  NativeUpdate,
} from '../../runtime/native.js';
import type { NativeMemory } from '../../runtime/native-stats.js';
import { Session } from '../../runtime/session.js';
import { unexpected } from '../../expected.js';

/** How a call may be stopped. */
export interface Stoppable {
  readonly signal?: AbortSignal | undefined;
}

let nextCall = 1;

/** A program that learns, in native memory: weights, gradients and moments. Computes off the event loop, as bulk work of the process's pool. */
export class TrainerSession {
  #native: NativeTrainer | undefined;

  private constructor(native: NativeTrainer) {
    this.#native = native;
  }

  /** Errors: IO, NON_FINITE, OUT_OF_MEMORY (with the numbers), PRECISION, DEVICE, ADDON_LOAD. */
  static async load(program: NativeTrainingProgram, options: NativeTrainerOptions): Promise<TrainerSession> {
    const addon = loadAddon();
    try {
      return new TrainerSession(await addon.loadTrainer(program, options));
    } catch (error) {
      throw toBerthaError(error);
    }
  }

  /** Forward, backward and update of micro-batches: all weights change or none. Errors: NON_FINITE, ABORTED, OUT_OF_MEMORY, DISPOSED, INVALID_ARG. */
  step(
    batches: readonly NativeMicroBatch[],
    options: NativeAccumulation & NativeUpdate,
    { signal }: Stoppable = {},
  ): Promise<NativeAccumulated & { readonly gradNorm: number }> {
    return this.#run(signal, (native, id) => native.step(batches.map(withoutOutputs), options, id));
  }

  /** Adds to the gradients. Errors as `step`; the gradients are then zero. */
  accumulate(batches: readonly NativeMicroBatch[], options: NativeAccumulation, { signal }: Stoppable = {}): Promise<NativeAccumulated> {
    return this.#run(signal, (native, id) => native.accumulate(batches.map(withoutOutputs), options, id));
  }

  /** Changes the weights by the gradients so far. Errors: NON_FINITE, DISPOSED. */
  update(options: NativeUpdate): Promise<{ readonly gradNorm: number }> {
    return this.#run(undefined, (native, id) => native.update(options, id));
  }

  /** The norm of the gradients so far, each parameter counted once: what `update` would clip. */
  gradientNorm(): Promise<number> {
    return this.#run(undefined, (native) => native.gradientNorm());
  }

  /** Forgets the gradients so far. */
  zeroGradients(): void {
    callNative(() => this.#open().zeroGradients());
  }

  /** Rows of a weight [rowEnd - rowBegin, cols], row-major. */
  read(weight: number, kind: NativeTensorKind, rowBegin: number, rowEnd: number): Promise<Float32Array> {
    return this.#run(undefined, (native) => native.read(weight, kind, rowBegin, rowEnd));
  }

  /** Writes rows of a weight. */
  write(weight: number, kind: NativeTensorKind, rowBegin: number, values: Float32Array): Promise<void> {
    return this.#run(undefined, (native) => native.write(weight, kind, rowBegin, values));
  }

  /** A session that computes with the live weights between steps; `program` has the same weights by index. */
  live(program: NativeProgram): Session {
    return Session.of(callNative(() => this.#open().liveModel(program)));
  }

  /** A session with a copy of the weights as they are now, packed for its precision. Errors: DEVICE, PRECISION, NON_FINITE, OUT_OF_MEMORY, DISPOSED. */
  async snapshot(snapshot: NativeSnapshot): Promise<Session> {
    return Session.of(await this.#run(undefined, (native) => native.snapshot(snapshot)));
  }

  memoryUsage(): NativeMemory {
    return callNative(() => this.#open().memoryUsage());
  }

  /** Gives the memory back once calls in flight are done. A second call does nothing. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = undefined;
  }

  async #run<T>(signal: AbortSignal | undefined, call: (native: NativeTrainer, id: number) => Promise<T>): Promise<T> {
    const native = this.#open();
    signal?.throwIfAborted();
    const id = nextCall++;
    const unwatch = signal === undefined ? undefined : onAbort(signal, () => native.cancel(id));
    try {
      return await call(native, id);
    } catch (error) {
      signal?.throwIfAborted();
      throw toBerthaError(error);
    } finally {
      unwatch?.();
    }
  }

  #open(): NativeTrainer {
    if (this.#native === undefined) throw unexpected('DISPOSED', 'an open trainer', 'one that was disposed');
    return this.#native;
  }
}

/** A batch asks for no values of its own: the step's options say which are wanted of each. */
function withoutOutputs(batch: NativeMicroBatch): NativeMicroBatch & { readonly outputs: Int32Array } {
  return { ...batch, outputs: new Int32Array(0) };
}
