import { evaluateModel, type ColumnNames } from '../../../training/index.js';
import type { ModelFlags } from '../../flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf, type DataFlags } from './data-flags.js';
import { metricsTable } from './metrics-table.js';
import { trainingTasks, type TrainingTaskName } from './tasks.js';

/** The flags of `bertha evaluate`, as commander hands them over. */
export interface EvaluateFlags extends ModelFlags, DataFlags {
  readonly file: string;
  readonly column?: ColumnNames;
  readonly batchSize?: number;
  readonly json?: boolean;
}

/** Prints the scores of a model on a file of labelled rows. */
export async function evaluate(name: TrainingTaskName, flags: EvaluateFlags): Promise<void> {
  const { file, column: columns, batchSize } = flags;
  const { task } = trainingTasks[name];
  const collator = { columns, ...collatorOptionsOf(name, flags) };
  const output = await openOutput(undefined, { patchable: false });
  const model = await loadForTask(flags, task);
  try {
    const { metrics, rows } = await evaluateModel(model, task, file, { batchSize, collator });
    await output.write(
      flags.json === true
        ? `${JSON.stringify(metrics)}\n`
        : `${metricsTable(metrics)}\n${rows === 1 ? '1 row' : `${rows} rows`} of ${file}\n`,
    );
    await output.finish();
  } finally {
    model.dispose();
  }
}
