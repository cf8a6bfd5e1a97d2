import type { Job, Processor, Queue, Worker, WorkerOptions } from 'bullmq';
import type { QueueAddress } from './queue-url.js';
import type { UnitJob } from './unit-job.js';

/** BullMQ's queue, whatever service it is on. */
export type BullQueue = Queue<UnitJob, unknown, 'unit'>;
/** BullMQ's worker, whatever service its queue is on. */
export type BullWorker = Worker<UnitJob, unknown, 'unit'>;
/** A unit in BullMQ's queue. */
export type BullJob = Job<UnitJob, unknown, 'unit'>;

type WorkerSettings = Omit<WorkerOptions, 'connection'>;

/** BullMQ on one service. Its module is loaded when a queue is opened for the first time. */
export interface Engine {
  /** `isProducer` makes PostgreSQL's tables where there are none; two that do it at the same moment wait for each other. */
  queue(name: string, isProducer: boolean): BullQueue;
  worker(name: string, processor: Processor<UnitJob, unknown, 'unit'>, settings: WorkerSettings): BullWorker;
}

/** A driver that tries again for ever, each second at first, then every 5 s: BullMQ's own pause grows to 20 s. */
const retryStrategy = (times: number): number => Math.min(1000 * times, 5000);

/** Errors: those of the import, where bullmq, ioredis or pg is not installed. */
export async function loadEngine({ engine, url }: QueueAddress): Promise<Engine> {
  const { Queue, Worker, createPostgresBackend } = await import('bullmq');
  if (engine === 'redis') {
    // Calls of a queue wait for the connection for as long as `withPatience` lets them.
    const connection = { url, retryStrategy, maxRetriesPerRequest: null };
    return {
      queue: (name) => new Queue(name, { connection }),
      worker: (name, processor, settings) => new Worker(name, processor, { ...settings, connection }),
    };
  }
  // The types name the backend; every method that is called here is the same on both.
  const connection = { connectionString: url, connectionTimeoutMillis: 10_000, keepAlive: true };
  return {
    queue: (name, isProducer) =>
      new Queue(name, { connection: { ...connection, migrate: isProducer } }, createPostgresBackend) as unknown as BullQueue,
    worker: (name, processor, settings) =>
      new Worker(name, processor, { ...settings, connection }, createPostgresBackend) as unknown as BullWorker,
  };
}
