import { distill, type ColumnNames, type DistillReport, type TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf, type DataFlags } from '../training/data-flags.js';
import { interruptibly } from '../training/interrupts.js';
import { comparison } from './comparison.js';
import { distillTaskOf, type DistillTaskName } from '../training/tasks.js';

/** The flags of `bertha distill` beside the training arguments, as commander hands them over. */
export interface DistillFlags extends DataFlags {
  readonly teacher: string;
  readonly layers?: readonly number[];
  readonly student?: string;
  readonly train: string;
  readonly eval?: string;
  readonly output: string;
  readonly column?: ColumnNames;
  readonly alpha?: number;
  readonly temperature?: number;
  readonly hiddenWeight?: number;
  readonly embeddingWeight?: number;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Teaches a student, saves it, and prints how well and how fast both are. Returns the exit code: 130 where an interrupt ended it. */
export async function distillModel(name: DistillTaskName, flags: DistillFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { teacher, layers, student, train, eval: evalDataset, output: outputDir, column: columns, resume } = flags;
  const task = distillTaskOf(name);
  const collator = name === 'embed' ? { maxLength: flags.maxLength as number | undefined } : collatorOptionsOf(name, flags);
  const output = await openOutput(undefined, { patchable: false });
  const { alpha, temperature, hiddenWeight, embeddingWeight } = flags;
  return interruptibly(async (interrupts) => {
    const { model, report, metrics } = await distill({
      ...args,
      ...Object.fromEntries(
        Object.entries({ alpha, temperature, hiddenWeight, embeddingWeight, evalDataset, columns }).filter(
          ([, value]) => value !== undefined,
        ),
      ),
      ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
      collator,
      teacher,
      student: layers === undefined ? student! : { layers },
      task,
      trainDataset: train,
      outputDir,
      callbacks: [interrupts.callback],
      signal: interrupts.signal,
    });
    model.dispose();
    await output.write(flags.json === true ? `${JSON.stringify({ metrics, report })}\n` : reportTable(report));
    await output.finish();
  });
}

function reportTable({ teacher, student }: DistillReport): string {
  return comparison(teacher, student, ['teacher', 'student', 'kept']);
}
