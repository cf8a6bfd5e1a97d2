import { BerthaError } from 'bertha-encoder';
import { withoutCredentials } from '../shared/failures.js';
import type { Unit } from '../source/source.js';
import { loadEngine, type BullJob, type BullQueue } from './engine.js';
import { messageOf, withPatience } from '../shared/patience.js';
import { readQueueUrl } from './queue-url.js';
import { jobIdOf, type RunDefinition, type UnitJob } from './unit-job.js';

/** How many units are in which state. */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  /** They failed, and wait for their next attempt. */
  readonly delayed: number;
  /** Parked: their attempts are used up, or their workers died too often. */
  readonly failed: number;
}

/** A parked unit. */
export interface FailedUnit {
  readonly unit: Unit;
  readonly definition: RunDefinition;
  /** What its last attempt ended with. */
  readonly reason: string;
  readonly attempts: number;
}

/** Units that workers have done: in all and in the last whole minute. */
export interface CompletedUnits {
  readonly total: number;
  readonly lastMinute: number;
}

/** How a queue is opened. */
export interface QueueOptions {
  /** Several queues can be on one service. Default `bertha-index`. */
  readonly name?: string | undefined;
  /** How long a call waits for a service that cannot be reached, in milliseconds. Default 30,000. */
  readonly patienceMs?: number | undefined;
  /** Whether the service's tables are made where there are none. Default false. */
  readonly isProducer?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when a call begins to wait for the service. */
  readonly onWait?: ((problem: string) => void) | undefined;
}

/** Attempts of a unit whose work throws, and the pause before the second one, which doubles with each. */
export const attempts = 5;
const firstBackoffMs = 1000;
/** As many as go to the service in one round trip. */
const jobsAtOnce = 500;

/**
 * A queue of units. Every call waits for a service that cannot be reached as long as `patienceMs`. Errors of all methods: QUEUE (it could not be
 * reached, or it refused), the signal's reason.
 */
export class UnitQueue {
  /** Where it is, without user and password. */
  readonly shown: string;
  readonly #queue: BullQueue;
  readonly #options: QueueOptions;

  private constructor(shown: string, queue: BullQueue, options: QueueOptions) {
    this.shown = shown;
    this.#queue = queue;
    this.#options = options;
  }

  /** Errors: QUEUE, USAGE for a package that is not installed, INVALID_OPTION for a URL that is none. */
  static async open(url: string, options: QueueOptions = {}): Promise<UnitQueue> {
    const address = readQueueUrl(url);
    const { name = 'bertha-index', isProducer = false } = options;
    const engine = await loadEngine(address);
    const queue = await patiently(address.shown, options, () => connected(engine.queue(name, isProducer)));
    return new UnitQueue(address.shown, queue, options);
  }

  /** Adds units; those that are in the queue already, parked ones too, stay as they are. */
  async add(definition: RunDefinition, units: readonly Unit[]): Promise<void> {
    for (let start = 0; start < units.length; start += jobsAtOnce) {
      const jobs = units.slice(start, start + jobsAtOnce).map((unit) => jobOf({ definition, unit }));
      await this.#call(() => this.#queue.addBulk(jobs));
    }
  }

  /** How many units are in which state, those of all runs. */
  async counts(): Promise<QueueCounts> {
    const counts = await this.#call(() => this.#queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'prioritized'));
    const of = (state: string): number => counts[state] ?? 0;
    return { waiting: of('waiting') + of('prioritized'), active: of('active'), delayed: of('delayed'), failed: of('failed') };
  }

  /** Units that wait, run or will be tried again. */
  async outstanding(): Promise<number> {
    const { waiting, active, delayed } = await this.counts();
    return waiting + active + delayed;
  }

  /** Which of `units` are in no state (lost, or done), and which are parked. */
  async lookUp(definition: RunDefinition, units: readonly Unit[]): Promise<{ readonly absent: readonly Unit[]; readonly failed: number }> {
    const absent: Unit[] = [];
    let failed = 0;
    for (let start = 0; start < units.length; start += jobsAtOnce) {
      const slice = units.slice(start, start + jobsAtOnce);
      const states = await this.#call(() => Promise.all(slice.map((unit) => this.#queue.getJobState(jobIdOf(definition, unit)))));
      slice.forEach((unit, i) => {
        if (states[i] === 'unknown') absent.push(unit);
        if (states[i] === 'failed') failed++;
      });
    }
    return { absent, failed };
  }

  /** The parked units, the latest first, `limit` at most. */
  async failed(limit = 1000): Promise<readonly FailedUnit[]> {
    const jobs = await this.#failedJobs(limit);
    return jobs.map(({ data, failedReason, attemptsMade }) => ({ ...data, reason: failedReason, attempts: attemptsMade }));
  }

  /** Takes parked units up again, with all their attempts before them; of one run, or of all. Returns how many. */
  async retry(definition?: RunDefinition): Promise<number> {
    const parked = await this.#failedJobs(Number.MAX_SAFE_INTEGER);
    const jobs = parked.filter(({ id, data }) => definition === undefined || id === jobIdOf(definition, data.unit));
    // BullMQ's own `retry` keeps the mark of a job that has stalled too often, which fails it again at once. What is lost between the two calls its
    // producer adds again.
    for (const job of jobs) {
      await this.#call(() => job.remove());
      await this.#call(() => this.#queue.addBulk([jobOf(job.data)]));
    }
    return jobs.length;
  }

  /** Units that workers have done since the queue was made. */
  async completed(): Promise<CompletedUnits> {
    const { meta, data } = await this.#call(() => this.#queue.getMetrics('completed', 0, 0));
    return { total: Number(meta.count), lastMinute: Number(data[0] ?? 0) };
  }

  /** The names of the workers that are connected. */
  async workers(): Promise<readonly string[]> {
    const workers = await this.#call(() => this.#queue.getWorkers());
    return workers.map(({ rawname }) => rawname?.split(':w:')[1] ?? '').sort();
  }

  /** Closes the connection; also one that has none. */
  async close(): Promise<void> {
    await closeQuietly(this.#queue);
  }

  #call<T>(act: () => Promise<T>): Promise<T> {
    return patiently(this.shown, this.#options, act);
  }

  async #failedJobs(limit: number): Promise<readonly BullJob[]> {
    const found: BullJob[] = [];
    while (found.length < limit) {
      const end = Math.min(limit, found.length + jobsAtOnce) - 1;
      const jobs = (await this.#call(() => this.#queue.getFailed(found.length, end))) as readonly (BullJob | undefined)[];
      // A job that another process has just removed comes as undefined.
      found.push(...jobs.filter((job) => job !== undefined));
      if (jobs.length < jobsAtOnce) break;
    }
    return found;
  }
}

function jobOf(data: UnitJob): { name: 'unit'; data: UnitJob; opts: object } {
  return {
    name: 'unit',
    data,
    opts: {
      jobId: jobIdOf(data.definition, data.unit),
      attempts,
      backoff: { type: 'exponential', delay: firstBackoffMs },
      // The store has its mark: a unit that is added once more after it was done costs a look at the store.
      removeOnComplete: true,
      stackTraceLimit: 0,
    },
  };
}

/** Rejects with the first error of its connection, which then is closed: the driver would go on trying, and say nothing. */
async function connected(queue: BullQueue): Promise<BullQueue> {
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  queue.on('error', (error: Error) => fail(error));
  try {
    await Promise.race([queue.waitUntilReady(), failed]);
    return queue;
  } catch (error) {
    await closeQuietly(queue);
    throw error;
  }
}

async function closeQuietly(queue: BullQueue): Promise<void> {
  await queue.close().catch(() => undefined);
}

async function patiently<T>(shown: string, { patienceMs = 30_000, signal, onWait }: QueueOptions, act: () => Promise<T>): Promise<T> {
  try {
    return await withPatience(act, { what: `The queue ${shown}`, totalMs: patienceMs, signal, onWait });
  } catch (cause) {
    if (cause instanceof BerthaError || signal?.aborted === true) throw cause;
    throw new BerthaError('QUEUE', `The queue ${shown} refused: ${withoutCredentials(messageOf(cause))}`, { cause });
  }
}
