import { channel } from 'node:diagnostics_channel';
import { loadAddon } from './addon.js';
import type { GenerationStats } from './generation/native-generation.js';

/**
 * One native call that ended, as published on the diagnostics channel `bertha:call`. Holds no text and no ids.
 */
export interface CallEvent {
  readonly sequences: number;
  readonly tokens: number;
  readonly priority: 'interactive' | 'bulk';
  /** Milliseconds before the first batch of the call started, and from then to the end; 0 where the call failed. */
  readonly queuedMs: number;
  readonly computeMs: number;
  /** The error's `code`, or `ABORTED`, where the call failed. */
  readonly error?: string;
}

/** What a call of `embed` or of a task spent its time on, in milliseconds. */
export interface CallTimings {
  /** On the event loop, reading texts. */
  readonly tokenizeMs: number;
  /** Waiting for a thread, summed over the jobs a long call is cut into. */
  readonly queuedMs: number;
  /** From a job's first batch to its last, summed over jobs. */
  readonly computeMs: number;
  /** From the call to its result. */
  readonly totalMs: number;
}

/** What a call tells at its end: its times, and how much the model read. */
export interface CallReport extends CallTimings {
  /** Texts, or pairs, that the model read one by one. */
  readonly texts: number;
  /** Their tokens, special ones included. */
  readonly tokens: number;
}

/** What a call of `embed` spent its time on. */
export type EmbedTimings = CallTimings;

/** One call of `embed` that ended well, as published on the diagnostics channel `bertha:embed`. Holds no text. */
export interface EmbedEvent extends CallTimings {
  readonly texts: number;
  readonly tokens: number;
  readonly priority: 'interactive' | 'bulk';
}

/** One call of a task that ended well, as published on the diagnostics channel `bertha:task`. Holds no text. */
export interface TaskEvent extends EmbedEvent {
  /** The function's name, such as `classifyText`; `texts` counts what the model read one by one: texts, or pairs. */
  readonly task: string;
}

/** Counters of the whole process since it started, and what is going on now. */
export interface Stats {
  /** Threads of the pool that have been started. */
  readonly workers: number;
  /** Sets of weights in memory. */
  readonly models: number;
  /** The same by the device that holds them: `cpu`, `cuda:0`; none for a device without. */
  readonly modelsByDevice: Readonly<Record<string, number>>;
  /** What waits: calls in each lane, their tokens, and how many tokens may wait before calls fail with QUEUE_FULL. */
  readonly queue: { readonly interactive: number; readonly bulk: number; readonly tokens: number; readonly limit: number };
  /** Batches that are being computed. */
  readonly running: number;
  readonly calls: { readonly completed: number; readonly failed: number };
  /** Batches computed, those that served several calls, what they held; `sizes[i]` counts those of 2^i to 2^(i+1) - 1 tokens. */
  readonly batches: {
    readonly count: number;
    readonly shared: number;
    readonly sequences: number;
    readonly tokens: number;
    readonly sizes: readonly number[];
  };
  /** Tokens computed per second of wall time since the previous `stats()` of this thread, or since the library was loaded. */
  readonly tokensPerSecond: number;
  /** `tokenize`: on this thread's event loop; `queue`: summed over calls; `compute`: summed over pool threads. */
  readonly seconds: { readonly tokenize: number; readonly queue: number; readonly compute: number };
  /** Forwards that went on alone because another program took the processor of a helping thread. */
  readonly lateHelpers: number;
  /** Native memory in use, in bytes, weights included. */
  readonly allocatedBytes: number;
  /** What trainers do; all zero where nothing has been trained. */
  readonly training: TrainingStats;
  /** What is being generated. */
  readonly generation: GenerationStats;
}

/** Counters of all trainers of the process since it started, and what they do now. */
export interface TrainingStats {
  /** Trainers in memory. */
  readonly trainers: number;
  /** Trainers that are being computed: a step, or the reading of weights. */
  readonly running: number;
  /** Calls of trainers that have not begun. */
  readonly waiting: number;
  /** Updates of weights. */
  readonly steps: number;
  /** Tokens of these steps. */
  readonly tokens: number;
  /** Tokens learned from per second of wall time since the previous `stats()` of this thread, or since the library was loaded. */
  readonly tokensPerSecond: number;
  /** Weights, gradients, moments and workspaces of the trainers in memory. */
  readonly bytes: number;
  /** The longest time that a trainer kept a thread without looking for interactive work, in milliseconds. */
  readonly longestSliceMs: number;
}

const calls = channel('bertha:call');
const embeds = channel('bertha:embed');
const tasks = channel('bertha:task');
let tokenizeMs = 0;
let previous = { tokens: 0, learned: 0, at: performance.now() };

/** Whether anybody listens to `bertha:call`: an event that nobody hears is not made. */
export function isCallObserved(): boolean {
  return calls.hasSubscribers;
}

/** Publishes on `bertha:call`. */
export function publishCall(event: CallEvent): void {
  calls.publish(event);
}

/** Counts the time a call tokenized, and publishes it: `embed` on `bertha:embed`, what has another name on `bertha:task`. */
export function noteCall(name: string, event: EmbedEvent): void {
  tokenizeMs += event.tokenizeMs;
  if (name === 'embed') {
    if (embeds.hasSubscribers) embeds.publish(event);
  } else if (tasks.hasSubscribers) {
    tasks.publish({ task: name, ...event } satisfies TaskEvent);
  }
}

/**
 * A snapshot of the process-wide counters: cheap enough to be read on every scrape of a metrics endpoint.
 *
 * Errors: ADDON_LOAD.
 */
export function stats(): Stats {
  const addon = loadAddon();
  const native = addon.stats();
  const now = performance.now();
  const { training } = native;
  const perSecond = (tokens: number): number => (tokens * 1000) / Math.max(1, now - previous.at);
  const tokensPerSecond = perSecond(native.tokens - previous.tokens);
  const learnedPerSecond = perSecond(training.tokens - previous.learned);
  previous = { tokens: native.tokens, learned: training.tokens, at: now };
  return {
    workers: native.workers,
    models: Object.values(native.modelsByDevice).reduce((sum, count) => sum + count, 0),
    modelsByDevice: native.modelsByDevice,
    queue: {
      interactive: native.queuedInteractive,
      bulk: native.queuedBulk,
      tokens: native.queuedTokens,
      limit: native.queueLimit,
    },
    running: native.runningBatches,
    calls: { completed: native.completedCalls, failed: native.failedCalls },
    batches: {
      count: native.batches,
      shared: native.sharedBatches,
      sequences: native.sequences,
      tokens: native.tokens,
      sizes: native.batchSizes,
    },
    tokensPerSecond,
    seconds: { tokenize: tokenizeMs / 1000, queue: native.queueSeconds, compute: native.computeSeconds },
    lateHelpers: native.lateHelpers,
    allocatedBytes: addon.allocatedBytes(),
    training: { ...training, tokensPerSecond: learnedPerSecond },
    generation: native.generation,
  };
}
