import { train, type ColumnNames, type TrainerCallback, type TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf, type DataFlags } from './data-flags.js';
import { metricsTable } from './metrics-table.js';
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

/** The exit code of a command that an interrupt ended. */
const kInterrupted = 130;

/** Trains, saves the result, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainModel(name: TrainingTaskName, flags: TrainFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { model: directory, train: file, eval: evalDataset, column: columns, resume, classWeights } = flags;
  const outputDir = flags.output ?? flags.outputDir!;
  const collator = collatorOptionsOf(name, flags);
  const own = trainingTasks[name];
  const output = await openOutput(undefined, { patchable: false });
  const interrupts = new Interrupts();
  try {
    const { model, metrics, newlyInitialized, replaced } = await train(directory, file, {
      ...args,
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
    return interrupts.count === 0 ? 0 : kInterrupted;
  } catch (error) {
    if (interrupts.count > 1) return kInterrupted;
    throw error;
  } finally {
    interrupts.restore();
  }
}

/** The first interrupt ends training after the step that is computed, with a checkpoint; the second aborts it. */
class Interrupts {
  count = 0;
  readonly #abort = new AbortController();
  readonly #others = process.listeners('SIGINT');
  readonly #hear = (): void => {
    if (++this.count > 1) this.#abort.abort();
    else process.stderr.write('bertha: stopping after this step, with a checkpoint; interrupt again to abort\n');
  };

  constructor() {
    // What ends the process at once would lose the run.
    for (const listener of this.#others) process.removeListener('SIGINT', listener);
    process.on('SIGINT', this.#hear);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the run after a step once an interrupt came. */
  get callback(): TrainerCallback {
    return {
      onStepEnd: ({ control }) => {
        if (this.count === 0) return;
        control.shouldSave = true;
        control.shouldTrainingStop = true;
      },
    };
  }

  restore(): void {
    process.removeListener('SIGINT', this.#hear);
    for (const listener of this.#others) process.on('SIGINT', listener);
  }
}
