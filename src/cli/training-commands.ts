import { Argument, type Command, InvalidArgumentError } from 'commander';
import { addArgumentFlags, argumentsOf } from './commands/training/argument-flags.js';
import { addDataFlags } from './commands/training/data-flags.js';
import type { EvaluateFlags } from './commands/training/evaluate.js';
import type { TrainFlags } from './commands/training/train.js';
import { addSentenceFlags, sentenceTasks, type SentenceTaskName } from './commands/training/sentence-flags.js';
import { addSetFitFlags, type SetFitFlags } from './commands/training/setfit-flags.js';
import { setFitTasks, taskLines, trainingTasks, type TrainingTaskName } from './commands/training/tasks.js';
import { path, positive, withCompute } from './flags.js';

type AllTrainFlags = TrainFlags & SetFitFlags & Record<string, unknown>;

/** Adds the commands about learning: `train` and `evaluate`. */
export function addTrainingCommands(program: Command, setExitCode: (code: number) => void): void {
  const training = taskCommand(program, 'train', { ...trainingTasks, ...sentenceTasks, ...setFitTasks })
    .description('Fine-tune a model on a file of labelled rows.')
    .requiredOption('--train <path>', 'rows to learn from: .jsonl, .csv, .tsv, .conll, .txt, or SQuAD .json', path)
    .option('--eval <path>', 'rows to score the model on', path)
    .option('-o, --output <directory>', 'where the model and its checkpoints go; needed', path)
    .option('--resume', 'go on from the newest checkpoint of --output')
    .option('--json', 'print the metrics as JSON')
    .option('--class-weights <numbers>', 'a factor for the loss of each label, with commas between, in the order of their ids', numbers);
  addArgumentFlags(addSetFitFlags(addSentenceFlags(addDataFlags(training)))).action(
    async (name: TrainingTaskName | SentenceTaskName | 'setfit', flags: AllTrainFlags, command: Command) => {
      if (flags.output === undefined && flags.outputDir === undefined) {
        command.error("error: required option '-o, --output <directory>' not specified", {
          exitCode: 2,
          code: 'commander.missingMandatoryOptionValue',
        });
      }
      const args = argumentsOf(flags, command);
      if (name === 'setfit') setExitCode(await (await import('./commands/training/setfit.js')).trainFewTexts(flags, args));
      else setExitCode(await (await import('./commands/training/train.js')).trainModel(name, flags, args));
    },
  );

  const evaluating = withCompute(taskCommand(program, 'evaluate', trainingTasks))
    .description('Score a model on a file of labelled rows.')
    .requiredOption('-f, --file <path>', 'labelled rows: .jsonl, .csv, .tsv, .conll, or SQuAD .json', path)
    .option('--batch-size <n>', 'rows that are computed at once (default: 8)', positive)
    .option('--json', 'print JSON');
  addDataFlags(evaluating).action(async (name: TrainingTaskName, flags: EvaluateFlags) =>
    (await import('./commands/training/evaluate.js')).evaluate(name, flags),
  );
}

function taskCommand(program: Command, name: string, tasks: Readonly<Record<string, { readonly about: string }>>): Command {
  return program
    .command(name)
    .addArgument(new Argument('<task>', 'what the rows are about').choices(Object.keys(tasks)))
    .option('-m, --model <model>', 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)')
    .option('--column <role=name>', 'which column holds what, such as text=review; may be given several times', column)
    .addHelpText('after', `\nTasks:\n${taskLines(tasks)}`);
}

/** Reads role=name, one of several. */
export function column(value: string, all: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [role, name, ...rest] = value.split('=');
  if (!role || !name || rest.length > 0) throw new InvalidArgumentError('Expected role=name, such as text=review.');
  return { ...all, [role]: name };
}

function numbers(value: string): number[] {
  const read = value.split(',').map((each) => (each.trim() === '' ? Number.NaN : Number(each)));
  if (!read.every(Number.isFinite)) throw new InvalidArgumentError('Expected numbers with commas between them, such as 1,2.5.');
  return read;
}
