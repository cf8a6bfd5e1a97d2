import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { BerthaError } from 'bertha-encoder';
import type { QueueCounts } from './unit-queue.js';
import type { UnitReport, WorkEvents } from './worker.js';

/** Seconds: a unit is meant to take 1 to 5. */
const buckets = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** How units end. */
const outcomes = ['done', 'failed', 'parked', 'handed_back', 'lost'] as const;

/** A worker's Prometheus metrics. Label values come from fixed sets: nothing of a source becomes one. */
export class WorkMetrics {
  readonly #registry = new Registry();
  readonly #units: Counter;
  readonly #seconds: Histogram;
  readonly #active: Gauge;
  readonly #stalled: Counter;
  readonly #sums: Readonly<Record<keyof UnitReport, Counter>>;

  /** `counts` is asked for whenever the metrics are read. */
  constructor(counts: () => Promise<QueueCounts>) {
    const registers = [this.#registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#units = new Counter({ name: 'bertha_index_units_total', help: 'Units by how they ended', labelNames: ['outcome'], registers });
    for (const outcome of outcomes) this.#units.labels(outcome).inc(0);
    this.#seconds = new Histogram({ name: 'bertha_index_unit_seconds', help: 'Seconds of the units that were done', buckets, registers });
    this.#active = new Gauge({ name: 'bertha_index_units_active', help: 'Units that this worker has', registers });
    this.#stalled = counter('bertha_index_units_stalled_total', 'Units of dead workers that this one put back');
    this.#sums = {
      documents: counter('bertha_index_documents_total', 'Documents that were read'),
      documentsUnchanged: counter('bertha_index_documents_unchanged_total', 'Documents that the store had already'),
      embedded: counter('bertha_index_chunks_embedded_total', 'Chunks whose vectors were computed'),
      rowsWritten: counter('bertha_index_rows_written_total', 'Rows that were written'),
      rowsDeleted: counter('bertha_index_rows_deleted_total', 'Rows that were deleted'),
      bad: counter('bertha_index_bad_rows_total', 'Rows and files that could not be used'),
    };
    const help = 'Units in the queue, of all runs';
    new Gauge({
      name: 'bertha_index_queue_units',
      help,
      labelNames: ['state'],
      registers,
      async collect() {
        // A queue that cannot be reached gives no numbers; the worker's own stay readable.
        const found = await counts().catch(() => undefined);
        this.reset();
        for (const [state, count] of Object.entries(found ?? {})) this.labels(state).set(count as number);
      },
    });
  }

  /** What a worker calls. */
  readonly events: Required<Pick<WorkEvents, 'onBegin' | 'onDone' | 'onFailed' | 'onHandedBack' | 'onLost' | 'onStalled'>> = {
    onBegin: () => this.#active.inc(),
    onDone: (_unit, report, seconds) => {
      this.#end('done');
      this.#seconds.observe(seconds);
      for (const key of Object.keys(this.#sums) as (keyof UnitReport)[]) this.#sums[key].inc(report[key]);
    },
    onFailed: (_unit, _reason, isFinal) => this.#end(isFinal ? 'parked' : 'failed'),
    onHandedBack: () => this.#end('handed_back'),
    onLost: () => this.#end('lost'),
    onStalled: () => this.#stalled.inc(),
  };

  /** The metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Serves them at `/metrics`, and `/livez`. Errors: IO for a port that cannot be listened on. */
  async serve(port: number, host = '127.0.0.1'): Promise<Server> {
    const server = createServer((request, response) => {
      const path = request.url?.split('?')[0];
      if (path === '/livez') return void response.end('ok\n');
      if (path !== '/metrics') return void response.writeHead(404).end('Not found: /metrics and /livez are here\n');
      this.text().then(
        (text) => response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    });
    server.listen(port, host);
    await once(server, 'listening').catch((cause: unknown) => {
      throw new BerthaError('IO', `The metrics cannot be served at ${host}:${port}: ${(cause as Error).message}`, { cause });
    });
    return server;
  }

  #end(outcome: (typeof outcomes)[number]): void {
    this.#units.labels(outcome).inc();
    this.#active.dec();
  }
}
