import type { FastifyRequest } from 'fastify';

/** What a request was: for the headers of its answer, its line in the log, the metrics. */
export interface WorkReport {
  readonly model: string;
  readonly inputs: number;
  readonly units: number;
  tokens: number;
  tokenizeMs: number;
  queuedMs: number;
  computeMs: number;
}

/** Reports of requests, from when they begin to compute. */
const reports = new WeakMap<FastifyRequest, WorkReport>();

/** Writes down what a request computes. */
export function setReport(request: FastifyRequest, report: WorkReport): void {
  reports.set(request, report);
}

/** What a request computed; undefined for one that computed nothing. */
export function reportOf(request: FastifyRequest): WorkReport | undefined {
  return reports.get(request);
}
