import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { stats } from 'bertha-encoder';
import type { WorkReport } from '../work/report.js';
import type { Admission } from '../work/admission.js';

/** Seconds, as text-embeddings-inference has its buckets: each half as long again as the one before. */
const kBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** What failed requests are counted by: nothing of a request can become a label. */
const kFailures = [
  'overloaded',
  'validation',
  'tokenization',
  'backend',
  'unhealthy',
  'not_found',
  'unauthorized',
  'disconnected',
] as const;
type FailureLabel = (typeof kFailures)[number];

const labelsOfStatus: Readonly<Record<number, FailureLabel>> = {
  401: 'unauthorized',
  404: 'not_found',
  405: 'not_found',
  424: 'backend',
  429: 'overloaded',
  499: 'disconnected',
  500: 'backend',
  503: 'unhealthy',
  504: 'overloaded',
};

/** What text-embeddings-inference counts for itself: vectors, and scores of classifiers and rerankers. */
export type Work = 'embed' | 'predict';

/** Seconds of a request, in all and by what they were spent on. */
type Durations = Readonly<Record<'total' | 'tokenization' | 'queue' | 'inference', Histogram>>;

/** Prometheus metrics: text-embeddings-inference's names, and Bertha's own beside them. Label values come from fixed sets. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Readonly<Record<'single' | 'batch', { readonly count: Counter.Internal; readonly success: Counter.Internal }>>;
  readonly #failures: Readonly<Record<FailureLabel, Counter.Internal>>;
  readonly #durations: Durations;
  readonly #works: Readonly<Record<Work, { readonly count: Counter; readonly success: Counter; readonly durations: Durations }>>;
  readonly #tokens: Counter;
  readonly #inputs: Counter;

  constructor(admission: Admission, isReady: () => boolean) {
    const registers = [this.#registry];
    const counter = (name: string, help: string, label: string): Counter => new Counter({ name, help, registers, labelNames: [label] });
    const seconds = (name: string, help: string): Histogram => new Histogram({ name, help, registers, buckets: kBuckets });
    const durations = (prefix: string): Durations => ({
      total: seconds(`${prefix}_duration`, 'Seconds from a request to its answer'),
      tokenization: seconds(`${prefix}_tokenization_duration`, 'Seconds of reading texts'),
      queue: seconds(`${prefix}_queue_duration`, 'Seconds of waiting for a thread'),
      inference: seconds(`${prefix}_inference_duration`, 'Seconds of computing'),
    });
    const work = (prefix: string, what: string) => ({
      count: new Counter({ name: `${prefix}_count`, help: `${what} that were taken`, registers }),
      success: new Counter({ name: `${prefix}_success`, help: `${what} that were answered`, registers }),
      durations: durations(prefix),
    });
    const count = counter('te_request_count', 'Requests that were taken', 'method');
    const success = counter('te_request_success', 'Requests that were answered', 'method');
    const failure = counter('te_request_failure', 'Requests that failed', 'err');
    const of = (method: 'single' | 'batch') => ({ count: count.labels(method), success: success.labels(method) });
    this.#requests = { single: of('single'), batch: of('batch') };
    this.#failures = Object.fromEntries(kFailures.map((label) => [label, failure.labels(label)])) as Record<FailureLabel, Counter.Internal>;
    this.#durations = durations('te_request');
    this.#works = { embed: work('te_embed', 'Texts to embed'), predict: work('te_predict', 'Texts and pairs to score') };
    this.#tokens = new Counter({ name: 'bertha_tokens_total', help: 'Tokens that were read', registers });
    this.#inputs = new Counter({ name: 'bertha_inputs_total', help: 'Texts that were read', registers });
    this.#gauge('bertha_ready', 'Whether the server answers: 1 or 0', () => (isReady() ? 1 : 0));
    this.#gauge('bertha_requests_in_flight', 'Requests that wait or run', () => admission.requests);
    this.#gauge('bertha_admitted_tokens', 'Tokens of them, estimated', () => admission.tokens);
    this.#gauge('bertha_tokens_per_second', 'Tokens a second while there is work', () => admission.tokensPerSecond);
    this.#ofLibrary();
  }

  /** Counts an answered request; `work` is what its route computes, where text-embeddings-inference has a name for it. */
  note(report: WorkReport | undefined, status: number, elapsedMs: number, work?: Work): void {
    if (status >= 400) this.#failures[labelsOfStatus[status] ?? 'validation'].inc();
    if (report === undefined) return;
    const { count, success } = this.#requests[report.inputs === 1 ? 'single' : 'batch'];
    const own = work === undefined ? undefined : this.#works[work];
    count.inc();
    own?.count.inc(report.inputs);
    if (status >= 400) return;
    success.inc();
    own?.success.inc(report.inputs);
    this.#tokens.inc(report.tokens);
    this.#inputs.inc(report.inputs);
    observe(this.#durations, report, elapsedMs);
    if (own !== undefined) observe(own.durations, report, elapsedMs);
  }

  /** The text of `/metrics`. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Counters of the process's scheduler, read when somebody asks for them. */
  #ofLibrary(): void {
    this.#gauge('te_queue_size', 'Calls that wait in the scheduler', () => {
      const { queue } = stats();
      return queue.interactive + queue.bulk;
    });
    this.#gauge('te_batch_next_size', 'Sequences of a batch, on average', () => perBatch('sequences'));
    this.#gauge('te_batch_next_tokens', 'Tokens of a batch, on average', () => perBatch('tokens'));
    this.#gauge('bertha_batches_total', 'Batches that were computed', () => stats().batches.count);
    this.#gauge('bertha_shared_batches_total', 'Batches that served several requests', () => stats().batches.shared);
    this.#gauge('bertha_queued_tokens', 'Tokens that wait in the scheduler', () => stats().queue.tokens);
    this.#gauge('bertha_native_bytes', 'Native memory, weights included', () => stats().allocatedBytes);
    this.#gauge('bertha_resident_bytes', 'Memory of the process', () => process.memoryUsage.rss());
  }
}

function observe({ total, tokenization, queue, inference }: Durations, report: WorkReport, elapsedMs: number): void {
  total.observe(elapsedMs / 1000);
  tokenization.observe(report.tokenizeMs / 1000);
  queue.observe(report.queuedMs / 1000);
  inference.observe(report.computeMs / 1000);
}

function perBatch(what: 'sequences' | 'tokens'): number {
  const { batches } = stats();
  return batches.count === 0 ? 0 : batches[what] / batches.count;
}
