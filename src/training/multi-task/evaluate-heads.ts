import { Budget } from '../../runtime/event-loop-budget.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { Collator } from '../collators/collator.js';
import type { Dataset, Row } from '../datasets/index.js';
import { evaluateExamples, type ComputeMetrics } from '../trainer/evaluation.js';
import { readExamples, type Examples } from '../trainer/examples.js';
import type { TrainableModel } from '../trainer/trainable-model.js';

/** A head, and what it is scored on. */
export interface EvaluatedHead {
  readonly name: string;
  readonly model: TrainableModel;
  readonly rows: Dataset<Row>;
  readonly collator: Collator<Row>;
  readonly computeMetrics: ComputeMetrics;
}

/**
 * What scores all heads with the live weights, each as `eval_NAME_…`; `loss` is the mean of their losses, and runtimes are those of all. Rows are read once.
 */
export function headsEvaluator(
  heads: readonly EvaluatedHead[],
  { perDeviceEvalBatchSize: batchSize, seed }: TrainingArguments,
  signal: AbortSignal | undefined,
): () => Promise<Record<string, number>> {
  const read = new Map<EvaluatedHead, Examples>();
  return async () => {
    const scores: Record<string, number> = {};
    const losses: number[] = [];
    let [runtime, rows, steps] = [0, 0, 0];
    for (const head of heads) {
      const { name, model, collator, computeMetrics } = head;
      const budget = new Budget(signal, 'bulk');
      const examples = read.get(head) ?? (await readExamples(head.rows, collator, budget));
      read.set(head, examples);
      const prefix = `eval_${name}`;
      const { metrics } = await evaluateExamples({ model, examples, collator, batchSize, seed, budget, computeMetrics, prefix, signal });
      const seconds = metrics[`${prefix}_runtime`]!;
      runtime += seconds;
      rows += metrics[`${prefix}_samples_per_second`]! * seconds;
      steps += metrics[`${prefix}_steps_per_second`]! * seconds;
      if (metrics[`${prefix}_loss`] !== undefined) losses.push(metrics[`${prefix}_loss`]!);
      for (const [key, value] of Object.entries(metrics))
        if (!key.endsWith('_runtime') && !key.endsWith('_per_second')) scores[key] = value;
    }
    return {
      ...(losses.length > 0 && { loss: losses.reduce((sum, each) => sum + each, 0) / losses.length }),
      ...scores,
      runtime,
      samples_per_second: rows / Math.max(runtime, 1e-9),
      steps_per_second: steps / Math.max(runtime, 1e-9),
    };
  };
}
