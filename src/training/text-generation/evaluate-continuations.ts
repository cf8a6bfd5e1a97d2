import type { Call } from '../../calls/call.js';
import { requireWriter } from '../../generation/prepare.js';
import type { Model } from '../../models/index.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { readInTurns } from '../collators/collator.js';
import type { Metrics } from '../collators/task-metrics.js';
import { rowsOf, type Dataset } from '../datasets/dataset.js';
import type { Row } from '../datasets/row.js';
import { evaluateLosses } from '../evaluation/evaluate-losses.js';
import { wordMetrics } from '../seq2seq/metrics.js';
import { TextGenerationCollator, type ContinuedExample, type TextGenerationOptions } from './collator.js';

/** What `evaluateContinuations` is told. */
export interface EvaluateContinuationsOptions {
  readonly rows: TextGenerationOptions;
  /** Rows that are computed at once. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
  readonly priority?: 'interactive' | 'bulk' | undefined;
}

/**
 * How a decoder alone does on texts: `loss` (the mean of -log p of the words that count), `perplexity` (e to its power) and `accuracy` (the share of words that
 * are the likeliest), the words before them given.
 *
 * Errors: NO_HEAD, CONFIG, DATASET, EMPTY_INPUT, those of `forward`.
 */
export async function evaluateContinuations(
  call: Call,
  model: Model,
  dataset: Dataset<Row>,
  { rows, batchSize, signal, priority }: EvaluateContinuationsOptions,
): Promise<{ readonly metrics: Metrics; readonly rows: number; readonly skipped: number }> {
  const logits = requireWriter(model, call.name);
  const collator = new TextGenerationCollator(model, rows);
  const [predictions, labels]: [unknown[], unknown[]] = [[], []];
  let [sum, items, skipped, index] = [0, 0, 0, 0];
  let waiting: ContinuedExample[] = [];
  const compute = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const batch = collator.collate(waiting);
    waiting = [];
    const outputs = await model.session.run(batch.batch, [logits], { signal, priority });
    const budget = new Budget(signal, priority);
    const read = await readInTurns(batch, budget, outputs[0]!);
    predictions.push(...read.predictions);
    labels.push(...read.labels);
    const [loss] = await evaluateLosses([logits], outputs, batch.batch, model.config, { task: 'causal-lm' }, budget);
    sum += loss!;
    items += batch.numItems[0]!;
  };
  for await (const row of rowsOf(dataset)) {
    const example = await call.read(collator.encode(row, index++));
    if (example === undefined) skipped++;
    else waiting.push(example);
    if (waiting.length >= batchSize) await compute();
  }
  await compute();
  collator.warn();
  const metrics = wordMetrics({ predictions, labels });
  return { metrics: { loss: sum / items, perplexity: Math.exp(sum / items), ...metrics }, rows: labels.length, skipped };
}
