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
