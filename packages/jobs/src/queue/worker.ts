import { hostname } from 'node:os';
import { BerthaError } from 'bertha-encoder';
import type { UnitCounts } from '../indexing/index-unit.js';
import { withoutCredentials } from '../shared/failures.js';
import type { Unit } from '../source/source.js';
import { loadEngine, type BullJob, type BullWorker } from './engine.js';
import { messageOf } from '../shared/patience.js';
import { readQueueUrl } from './queue-url.js';
import { UnitQueue, type QueueOptions } from './unit-queue.js';
import { unitsAtOnce } from './units-at-once.js';
import type { RunDefinition } from './unit-job.js';

/** What became of a unit. */
export type UnitReport = UnitCounts;

/** A run as a worker sees it: its store, its source and its model, opened. */
export interface OpenRun {
  /** Does a unit, unless it is done: what it writes and the mark that it is done are one transaction. Done twice it leaves the same rows. */
  work(unit: Unit, signal: AbortSignal): Promise<UnitReport>;
  close(): Promise<void>;
}

/** What happens to a worker, for whoever prints or counts it. */
export interface WorkEvents {
  readonly onBegin?: (unit: Unit) => void;
  readonly onDone?: (unit: Unit, report: UnitReport, seconds: number) => void;
  /** `isFinal`: it is parked; else it will be tried again. */
  readonly onFailed?: (unit: Unit, reason: string, isFinal: boolean) => void;
  /** Back in the queue, for another worker. */
  readonly onHandedBack?: (unit: Unit) => void;
  /** This worker did not renew its lock in time, and another one has the unit. */
  readonly onLost?: (unit: Unit) => void;
  /** Units of workers that died, which this one has put back. */
  readonly onStalled?: (jobId: string) => void;
  /** Of the connection, which is tried again for ever. */
  readonly onProblem?: (problem: string) => void;
}

/** How a worker works. */
export interface WorkOptions extends Omit<QueueOptions, 'isProducer'>, WorkEvents {
  /** Opens a run's store, source and model; called once for each run that has units here. */
  readonly openRun: (definition: RunDefinition) => Promise<OpenRun>;
  /** Units at the same time. Default `unitsAtOnce()`. */
  readonly concurrency?: number | undefined;
  /** After which time without a sign of life a unit goes to another worker, in milliseconds. Default 30,000. */
  readonly lockMs?: number | undefined;
  /** How often workers look for units of dead workers, in milliseconds. Default 15,000. */
  readonly stalledMs?: number | undefined;
}

/** A unit whose workers died more often than this is parked: the fourth death does it. */
const maxStalledCount = 3;
/** Runs that stay open: a worker meets few of them at a time. */
const maxOpenRuns = 4;

/** Takes units from a queue and does them until it is stopped. `startWorker` makes it. */
export class UnitWorker {
  readonly #worker: BullWorker;
  readonly #options: WorkOptions;
  readonly #runs: Map<string, Promise<OpenRun>>;
  readonly #handBack: AbortController;

  /** @internal */
  constructor(worker: BullWorker, options: WorkOptions, runs: Map<string, Promise<OpenRun>>, handBack: AbortController) {
    [this.#worker, this.#options, this.#runs, this.#handBack] = [worker, options, runs, handBack];
  }

  /** Takes no more units, finishes those it has within `graceMs`, hands back the rest, and closes what it has opened. */
  async stop(graceMs = 25_000): Promise<void> {
    const timer = setTimeout(() => this.#handBack.abort(handedBack), graceMs);
    // What a service that is gone does not answer is left to the locks, which run out.
    const force = setTimeout(() => void this.#worker.close(true), graceMs + 5000);
    try {
      await this.#worker.close();
    } finally {
      clearTimeout(timer);
      clearTimeout(force);
    }
    for (const opened of this.#runs.values()) await opened.then((run) => run.close()).catch((error: unknown) => this.#tell(error));
    this.#runs.clear();
  }

  #tell(error: unknown): void {
    this.#options.onProblem?.(withoutCredentials(messageOf(error)));
  }
}

const handedBack = new BerthaError('ABORTED', 'The worker is being stopped: its unit goes back to the queue.');

/**
 * Starts a worker: it waits for units, and for the service whenever that is gone. A queue that no producer has made yet is waited for as long as
 * `patienceMs`.
 *
 * Errors: QUEUE, INVALID_OPTION, USAGE for a package that is not installed, the signal's reason.
 */
export async function startWorker(url: string, options: WorkOptions): Promise<UnitWorker> {
  const { name = 'bertha-index', concurrency = unitsAtOnce(), lockMs = 30_000, stalledMs = 15_000, onProblem } = options;
  // The worker's own connection would be tried for ever, without a word to its caller.
  await (await UnitQueue.open(url, { ...options, isProducer: false })).close();
  const [engine, { UnrecoverableError, WaitingError }] = await Promise.all([loadEngine(readQueueUrl(url)), import('bullmq')]);
  const runs = new Map<string, Promise<OpenRun>>();
  const handBack = new AbortController();

  // BullMQ gives a signal to a processor of three parameters.
  const process = async (job: BullJob, token: string | undefined, lost: AbortSignal | undefined): Promise<void> => {
    const { unit, definition } = job.data;
    const begin = performance.now();
    options.onBegin?.(unit);
    try {
      const run = await openOnce(runs, definition, options);
      const report = await run.work(unit, lost === undefined ? handBack.signal : AbortSignal.any([lost, handBack.signal]));
      options.onDone?.(unit, report, (performance.now() - begin) / 1000);
    } catch (error) {
      if (lost?.aborted === true) {
        options.onLost?.(unit);
        throw error;
      }
      if (handBack.signal.aborted) {
        await job.moveToWait(token);
        options.onHandedBack?.(unit);
        throw new WaitingError();
      }
      const reason = withoutCredentials(messageOf(error));
      const isFinal = isBeyondRetries(error) || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
      options.onFailed?.(unit, reason, isFinal);
      // What is kept in the queue is this message, and no stack.
      throw isBeyondRetries(error) ? new UnrecoverableError(reason) : Object.assign(new Error(reason), { stack: '' });
    }
  };

  const worker = engine.worker(name, process, {
    name: `${hostname()}-${globalThis.process.pid}`,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledMs,
    maxStalledCount,
    drainDelay: 5,
    runRetryDelay: 2000,
    // Completions by the minute, of a week: what `status` counts.
    metrics: { maxDataPoints: 10_080 },
  });
  worker.on('error', (error) => onProblem?.(withoutCredentials(messageOf(error))));
  worker.on('stalled', (jobId) => options.onStalled?.(jobId));
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) worker.cancelJob(jobId, 'another worker has this unit');
  });
  return new UnitWorker(worker, options, runs, handBack);
}

/** Opens a run when its first unit comes. One that cannot be opened is tried anew with its next unit. */
async function openOnce(
  runs: Map<string, Promise<OpenRun>>,
  definition: RunDefinition,
  { openRun, onProblem }: WorkOptions,
): Promise<OpenRun> {
  const key = JSON.stringify(definition);
  const known = runs.get(key);
  const opened = known ?? openRun(definition);
  // The last one that was used comes last.
  runs.delete(key);
  runs.set(key, opened);
  if (known === undefined) {
    opened.catch(() => runs.delete(key));
    const [oldest] = runs;
    if (runs.size > maxOpenRuns && oldest !== undefined) {
      runs.delete(oldest[0]);
      void oldest[1].then((run) => run.close()).catch((error: unknown) => onProblem?.(withoutCredentials(messageOf(error))));
    }
  }
  return opened;
}

/** A wrong call, another model's vectors, a table of another shape, a changed source: the next attempt would end in the same way. */
function isBeyondRetries(error: unknown): boolean {
  return error instanceof BerthaError && (error.kind === 'usage' || error.kind === 'model');
}
