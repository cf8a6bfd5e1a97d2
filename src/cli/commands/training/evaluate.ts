import { loadModel, type LoadModelOptions } from '../../../index.js';
import { evaluateModel, type ColumnNames } from '../../../training/index.js';
import type { ModelFlags } from '../../flags.js';
import { openOutput } from '../../output.js';
import { showDownload } from '../../terminal/download-progress.js';
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
  const { threads, precision, device, weightCache, file, column: columns, batchSize, adapter } = flags;
  const collator = { columns, ...collatorOptionsOf(name, flags) };
  const loading = { heads: true, threads, precision, device, weightCache, adapter, onProgress: showDownload() } as LoadModelOptions;
  const output = await openOutput(undefined, { patchable: false });
  const model = await loadModel(flags.model, loading);
  try {
    const { metrics, rows } = await evaluateModel(model, trainingTasks[name].task, file, { batchSize, collator });
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
