import type { Model, Value } from '../models/index.js';
import { readOptions, type Options, type Schema } from '../options.js';
import type { BatchInputs } from '../runtime/batch.js';
import { noteCall } from '../runtime/observe.js';
import { newGroup } from '../runtime/session.js';
import { Budget } from '../runtime/event-loop-budget.js';
import { Job, type Computing, type Sequence } from './job.js';
import type { CallSettings } from './options.js';
import type { Source } from './source.js';

/** Jobs of one call that may wait or run at once; the next is read while they compute. */
const kJobsInFlight = 4;

/** Hears what a job became: its values in the order they were asked for. */
type Take<S extends Sequence> = (job: Job<S>, outputs: readonly Float32Array[], batch: BatchInputs) => void;

/** How much of a call is computed at once: tokens a job carries, jobs that may wait or run. */
interface JobLimits {
  readonly jobTokens?: number;
  readonly jobsInFlight?: number;
}

/** A text that was computed: its tokens, and how long it waited and took. */
interface Computed {
  readonly tokens: number;
  readonly queuedMs: number;
  readonly computeMs: number;
}

/**
 * One call of a function that computes, from its options to its report: reads inputs in slices of the event loop, computes them in jobs
 * while the next are read, counts its deadline from its beginning, and tells what it spent its time on.
 */
export class Call<M extends Computing = Model> {
  /** What errors and events name. */
  readonly name: string;
  readonly model: M;
  readonly #settings: CallSettings;
  readonly #budget: Budget;
  readonly #group = newGroup();
  readonly #began = performance.now();
  readonly #spent = { tokenizeMs: 0, queuedMs: 0, computeMs: 0 };
  #numTexts = 0;
  #numTokens = 0;

  constructor(name: string, model: M, settings: CallSettings) {
    this.name = name;
    this.model = model;
    this.#settings = settings;
    this.#budget = new Budget(settings.signal, settings.priority);
  }

  /**
   * Reads inputs, and computes `values` of their sequences; `take` hears of each job. The sequences of a call are numbered from 0.
   *
   * Errors: those of `source`; as `Session.run`; DEADLINE, the signal's reason. The first one is thrown when nothing runs any more.
   */
  async compute<S extends Sequence>(source: Source<S>, values: readonly Value[], take: Take<S>, limits: JobLimits = {}): Promise<void> {
    this.#settings.signal?.throwIfAborted();
    const inFlight = new Set<Promise<void>>();
    let first = 0;
    this.#numTexts += source.count;
    try {
      while (!source.isAtEnd) {
        const job = new Job<S>(first, limits.jobTokens);
        await this.read(this.#fill(job, source));
        first += job.sequences.length;
        const running = this.#run(job, source.poolSkip, values, take);
        if (source.isAtEnd && inFlight.size === 0) return await running;
        // It may fail while nobody waits for it; the next wait below finds it then.
        running.then(
          () => inFlight.delete(running),
          () => undefined,
        );
        inFlight.add(running);
        if (inFlight.size >= (limits.jobsInFlight ?? kJobsInFlight)) await Promise.race(inFlight);
      }
      await Promise.all(inFlight);
    } finally {
      await Promise.allSettled(inFlight);
    }
  }

  /** Reads something in slices of the event loop; the time counts as tokenization. Errors: those of `slices`, DEADLINE, the signal's reason. */
  async read<T>(slices: Generator<void, T>): Promise<T> {
    let began = performance.now();
    for (;;) {
      if (this.#budget.isSpent) {
        this.#spent.tokenizeMs += performance.now() - began;
        await this.#budget.yield();
        this.#settings.deadlineMs?.check();
        began = performance.now();
      }
      const { done, value } = slices.next();
      if (done !== true) continue;
      this.#spent.tokenizeMs += performance.now() - began;
      return value;
    }
  }

  /** Counts what was computed otherwise than by `compute`. */
  count({ tokens, queuedMs, computeMs }: Computed): void {
    this.#numTexts++;
    this.#numTokens += tokens;
    this.#spent.queuedMs += queuedMs;
    this.#spent.computeMs += computeMs;
  }

  /** Tells what the call spent its time on, to its `onTimings` and to whoever listens on the diagnostics channels. */
  finish(): void {
    const { priority = 'interactive', onTimings } = this.#settings;
    const { tokenizeMs, queuedMs, computeMs } = this.#spent;
    const [texts, tokens, totalMs] = [this.#numTexts, this.#numTokens, performance.now() - this.#began];
    noteCall(this.name, { texts, tokens, priority, tokenizeMs, queuedMs, computeMs, totalMs });
    onTimings?.({ texts, tokens, tokenizeMs, queuedMs, computeMs, totalMs });
  }

  *#fill<S extends Sequence>(job: Job<S>, source: Source<S>): Generator<void, void> {
    while (!source.isAtEnd && job.hasRoom) {
      yield* source.readNext(job);
      yield;
    }
  }

  async #run<S extends Sequence>(job: Job<S>, poolSkip: number, values: readonly Value[], take: Take<S>): Promise<void> {
    const { signal, priority, deadlineMs: deadline } = this.#settings;
    const batch = job.pack(this.model, poolSkip);
    const options = { signal, priority, group: this.#group, deadlineMs: deadline?.left };
    const { outputs, queuedMs, computeMs } = await this.model.session.runTimed(batch, values, options);
    this.#spent.queuedMs += queuedMs;
    this.#spent.computeMs += computeMs;
    this.#numTokens += job.tokens;
    take(job, outputs, batch);
  }
}

/** Begins a call: reads its options, `CallOptions` among them. Errors: INVALID_OPTION, MAX_LENGTH. */
export function startCall<M extends Computing, S extends Schema>(
  name: string,
  model: M,
  options: unknown,
  schema: S,
): [call: Call<M>, settings: Options<S>] {
  const settings = readOptions(name, options, schema);
  return [new Call(name, model, settings as CallSettings), settings];
}
