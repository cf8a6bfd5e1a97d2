import { unexpected } from '../../expected.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';

/** The metric that the best checkpoint is chosen by. Errors: INVALID_OPTION for one that an evaluation did not give. */
export function metricOf({ metricForBestModel }: TrainingArguments, metrics: Readonly<Record<string, number>>): number {
  const name = metricForBestModel!.startsWith('eval_') ? metricForBestModel! : `eval_${metricForBestModel!}`;
  const value = metrics[name];
  if (value === undefined) {
    throw unexpected(
      'INVALID_OPTION',
      `metricForBestModel to be one of ${Object.keys(metrics).join(', ')}`,
      JSON.stringify(metricForBestModel),
    );
  }
  return value;
}
