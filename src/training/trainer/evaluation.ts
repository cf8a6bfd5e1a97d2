import type { CollatedBatch, Collator } from '../collators/collator.js';
import type { TrainableModel } from './trainable-model.js';
import type { Examples } from './examples.js';
import type { Budget } from '../../runtime/event-loop-budget.js';

/** What `computeMetrics` gets: one entry a row. */
export interface EvalPrediction {
  readonly predictions: readonly unknown[];
  readonly labels: readonly unknown[];
}

/** What metrics are made of predictions; may be asynchronous. Names without `eval_` get it. */
export type ComputeMetrics = (evaluation: EvalPrediction) => Readonly<Record<string, number>> | Promise<Readonly<Record<string, number>>>;

/** What `predict` gives. */
export interface PredictionOutput extends EvalPrediction {
  readonly metrics: Readonly<Record<string, number>>;
}

/** Writes what a model answers to rows, where that is not read off its logits; open for one evaluation. */
export interface BatchWriter {
  /** An answer for each row of a batch, in order. Errors: the signal's reason, those of the model. */
  write(batch: CollatedBatch, options: { readonly signal?: AbortSignal | undefined }): Promise<readonly unknown[]>;
  close(): void;
}

/** Opens one. */
export type OpenBatchWriter = () => Promise<BatchWriter>;

interface EvaluationOptions {
  readonly model: TrainableModel;
  readonly examples: Examples;
  readonly collator: Pick<Collator, 'collate'>;
  readonly batchSize: number;
  readonly seed: number;
  readonly budget: Budget;
  readonly computeMetrics?: ComputeMetrics | undefined;
  /** Writes the predictions, where the collator does not read them off logits. */
  readonly openWriter?: OpenBatchWriter | undefined;
  /** What the names of metrics begin with: `eval` or `test`. */
  readonly prefix: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes all rows with the live weights, without dropout. The loss is the mean over all that counts (of several losses, the sum of
 * their means); it is left out where nothing has a label.
 */
export async function evaluateExamples(options: EvaluationOptions): Promise<PredictionOutput> {
  const writer = await options.openWriter?.();
  try {
    return await evaluateAll(options, writer);
  } finally {
    writer?.close();
  }
}

async function evaluateAll(options: EvaluationOptions, writer: BatchWriter | undefined): Promise<PredictionOutput> {
  const { model, examples, collator, batchSize, seed, budget, computeMetrics, prefix, signal } = options;
  const begun = performance.now();
  const predictions: unknown[] = [];
  const labels: unknown[] = [];
  const losses: number[] = [];
  const items: number[] = [];
  let rows = 0;
  let steps = 0;
  let isScored = false;
  for await (const chosen of inBatches(examples.stream(budget), batchSize)) {
    if (budget.isSpent) await budget.yield();
    const batch = collator.collate(chosen, { seed, epoch: 0 });
    const result = await model.evaluate(batch, signal === undefined ? {} : { signal });
    for (const [index, loss] of result.losses.entries()) {
      losses[index] = (losses[index] ?? 0) + loss;
      items[index] = (items[index] ?? 0) + (result.numItems[index] ?? 0);
    }
    for (const each of (await writer?.write(batch, { signal })) ?? result.predictions) predictions.push(each);
    for (const each of result.labels) labels.push(each);
    rows += batch.rows;
    isScored ||= batch.isOnlyScored === true && result.labels.length > 0;
    steps++;
  }
  const seconds = (performance.now() - begun) / 1000;
  const hasLabels = items.some((count) => count > 0);
  const loss = losses.reduce((sum, each, index) => sum + (items[index]! > 0 ? each / items[index]! : 0), 0);
  const computed = (hasLabels || isScored) && computeMetrics !== undefined ? await computeMetrics({ predictions, labels }) : {};
  const metrics = {
    ...(hasLabels ? { [`${prefix}_loss`]: loss } : {}),
    ...named(computed, prefix),
    [`${prefix}_runtime`]: seconds,
    [`${prefix}_samples_per_second`]: rows / Math.max(seconds, 1e-9),
    [`${prefix}_steps_per_second`]: steps / Math.max(seconds, 1e-9),
  };
  return { predictions, labels, metrics };
}

/** Metrics under names that begin with a prefix. */
export function named(metrics: Readonly<Record<string, number>>, prefix: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name.startsWith(`${prefix}_`) ? name : `${prefix}_${name}`, value]),
  );
}

/** Items in lists of `size`, the last one shorter. */
export async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
