/** What the addon counts, as native/addon/exports.cc makes it. Nothing here is public. */
import type { GenerationStats } from './generation/native-generation.js';

/** Counters of the process-wide scheduler since the process started. */
export interface SchedulerStats {
  readonly workers: number;
  readonly queuedInteractive: number;
  readonly queuedBulk: number;
  readonly queuedTokens: number;
  readonly queueLimit: number;
  readonly runningBatches: number;
  readonly completedCalls: number;
  readonly failedCalls: number;
  readonly batches: number;
  readonly sequences: number;
  readonly tokens: number;
  /** Batches of several calls. */
  readonly sharedBatches: number;
  /** How many batches had 2^i to 2^(i+1) - 1 tokens; the last entry counts all larger ones. */
  readonly batchSizes: readonly number[];
  /** Summed over calls. */
  readonly queueSeconds: number;
  /** Summed over threads. */
  readonly computeSeconds: number;
  /** Forwards whose team had a straggler, a thread whose processor another program used: the caller went on alone. */
  readonly lateHelpers: number;
  /** Sets of weights in memory, by device: `cpu`, `cuda:0`. */
  readonly modelsByDevice: Readonly<Record<string, number>>;
  readonly training: NativeTrainingStats;
  readonly generation: GenerationStats;
}

/** Counters of all trainers of the process. */
export interface NativeTrainingStats {
  readonly trainers: number;
  readonly running: number;
  readonly waiting: number;
  readonly steps: number;
  readonly tokens: number;
  readonly bytes: number;
  readonly longestSliceMs: number;
}

/** Which instruction set the kernels use. */
export interface IsaReport {
  readonly chosen: string;
  readonly available: readonly string[];
  readonly features: readonly string[];
  /** By the environment variable BERTHA_ISA. */
  readonly forced: boolean;
  /** Precisions that the chosen set has kernels for. */
  readonly precisions: readonly string[];
}

/** How many threads the pool gets, and why. */
export interface ThreadsReport {
  /** Threads that may compute at once. */
  readonly pool: number;
  /** Threads started so far. */
  readonly running: number;
  readonly affinity: number;
  /** Processors' worth of cgroup quota, or null. */
  readonly quota: number | null;
  readonly physical: number;
  readonly reason: string;
}

/** Bytes; weights may be shared by several models. */
export interface NativeMemory {
  readonly weights: number;
  /** Of `weights`, what models with other weights of their own hold as well; a trainer shares none. */
  readonly sharedWeights?: number;
  readonly workspaces: number;
  /** Models in this process that use these weights, this one included. */
  readonly users: number;
}
