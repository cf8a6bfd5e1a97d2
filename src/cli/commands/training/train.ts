import { train, type ColumnNames, type TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf, type DataFlags } from './data-flags.js';
import { interruptibly } from './interrupts.js';
import { metricsTable } from './metrics-table.js';
import { isSentenceTask, sentenceOptionsOf, type SentenceTaskName } from './sentence-flags.js';
import { setFitOptionsOf, type SetFitFlags } from './setfit-flags.js';
import { trainingTasks, type TrainingTaskName } from './tasks.js';

/** The flags of `bertha train` beside the training arguments, as commander hands them over. */
export interface TrainFlags extends DataFlags {
  readonly model?: string;
  readonly train: string;
  readonly eval?: string;
  readonly output?: string;
  readonly outputDir?: string;
  readonly column?: ColumnNames;
  readonly classWeights?: readonly number[];
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Trains, saves the result, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainModel(
  name: TrainingTaskName | SentenceTaskName,
  flags: TrainFlags & SetFitFlags,
  args: TrainingArgumentsOptions,
): Promise<number> {
  const { model: directory, train: file, eval: evalDataset, column: columns, resume, classWeights } = flags;
  const outputDir = flags.output ?? flags.outputDir!;
  const collator = collatorOptionsOf(name, flags);
  const own = isSentenceTask(name) ? { task: 'sentence-embedding' as const } : trainingTasks[name];
  const sentence = sentenceOptionsOf(name, flags);
  setFitOptionsOf(name, flags);
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly(async (interrupts) => {
    const { model, metrics, newlyInitialized, replaced } = await train(directory, file, {
      ...args,
      ...sentence,
      ...('problemType' in own ? { problemType: own.problemType } : {}),
      ...(evalDataset === undefined ? {} : { evalDataset }),
      ...(columns === undefined ? {} : { columns }),
      ...(classWeights === undefined ? {} : { classWeights }),
      collator,
      ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
      task: own.task,
      outputDir,
      callbacks: [interrupts.callback],
      signal: interrupts.signal,
    });
    model.dispose();
    if (newlyInitialized.length > 0) process.stderr.write(`bertha: newly initialized: ${newlyInitialized.join(', ')}\n`);
    if (replaced.length > 0) process.stderr.write(`bertha: replaced, of another size in the checkpoint: ${replaced.join(', ')}\n`);
    await output.write(flags.json === true ? `${JSON.stringify(metrics)}\n` : metricsTable(metrics));
    await output.finish();
  });
}
