import { evaluateModel, type ColumnNames } from '../../../training/index.js';
import { unexpected } from '../../../expected.js';
import type { ModelFlags } from '../../flags.js';
import { writingFlags } from '../../flags/generation-flags.js';
import { loadForTask } from '../../flags/load-for-task.js';
import { openOutput } from '../../output.js';
import { kebabCase } from './argument-flags.js';
import { collatorOptionsOf, type DataFlags } from './data-flags.js';
import { metricsTable } from './metrics-table.js';
import {
  isPairTask,
  isTextTask,
  pairTasks,
  textTasks,
  trainingTasks,
  type PairTaskName,
  type TextTaskName,
  type TrainingTaskName,
} from './tasks.js';

/** The flags of `bertha evaluate`, as commander hands them over. */
export interface EvaluateFlags extends ModelFlags, DataFlags {
  readonly file: string;
  readonly column?: ColumnNames;
  readonly batchSize?: number;
  readonly json?: boolean;
  /** Of texts that are written: a second file, line by line what they should be. */
  readonly target?: string;
}

/** Prints the scores of a model on a file of labelled rows. */
export async function evaluate(name: TrainingTaskName | PairTaskName | TextTaskName, flags: EvaluateFlags): Promise<void> {
  const { file, column: columns, batchSize, target } = flags;
  const { task } = isPairTask(name) ? pairTasks[name] : isTextTask(name) ? textTasks[name] : trainingTasks[name];
  const collator = { columns, ...collatorOptionsOf(name, flags) };
  const generation = writingFlags.read(flags);
  const [stray] = [
    ...Object.keys(generation).map((option) => (option === 'numBeams' ? 'beams' : option)),
    ...(target === undefined ? [] : ['target']),
  ];
  if (stray !== undefined && !isPairTask(name)) {
    throw unexpected('INVALID_OPTION', `flags of ${name}`, `--${kebabCase(stray)}, which is for ${Object.keys(pairTasks).join(', ')}`);
  }
  const output = await openOutput(undefined, { patchable: false });
  const model = await loadForTask(flags, task);
  try {
    const { metrics, rows } = await evaluateModel(model, task, target === undefined ? file : { source: file, target }, {
      batchSize,
      collator,
      ...(isPairTask(name) && { generation }),
    });
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
