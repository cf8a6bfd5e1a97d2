import { Argument, type Command, InvalidArgumentError } from 'commander';
import { addArgumentFlags, argumentsOf } from './commands/training/argument-flags.js';
import type { EvaluateFlags } from './commands/training/evaluate.js';
import type { TrainFlags } from './commands/training/train.js';
import { taskLines, trainingTaskNames, type TrainingTaskName } from './commands/training/tasks.js';
import { path, positive, withCompute } from './flags.js';

/** Adds the commands about learning: `train` and `evaluate`. */
export function addTrainingCommands(program: Command, setExitCode: (code: number) => void): void {
  const training = taskCommand(program, 'train')
    .description('Fine-tune a model on a file of labelled rows.')
    .requiredOption('--train <path>', 'rows to learn from: .jsonl, .csv, .tsv, .conll, .txt, or SQuAD .json', path)
    .option('--eval <path>', 'rows to score the model on', path)
    .requiredOption('-o, --output <directory>', 'where the model and its checkpoints go', path)
    .option('--max-length <n>', "longest input in tokens (default: the model's limit)", positive)
    .option('--resume', 'go on from the newest checkpoint of --output')
    .option('--json', 'print the metrics as JSON');
  addArgumentFlags(training).action(async (name: TrainingTaskName, flags: TrainFlags & Record<string, unknown>, command: Command) => {
    setExitCode(await (await import('./commands/training/train.js')).trainModel(name, flags, argumentsOf(flags, command)));
  });

  withCompute(taskCommand(program, 'evaluate'))
    .description('Score a model on a file of labelled rows.')
    .requiredOption('-f, --file <path>', 'labelled rows: .jsonl, .csv, .tsv, .conll, or SQuAD .json', path)
    .option('--max-length <n>', "longest input in tokens (default: the model's limit)", positive)
    .option('--batch-size <n>', 'rows that are computed at once (default: 8)', positive)
    .option('--json', 'print JSON')
    .action(async (name: TrainingTaskName, flags: EvaluateFlags) =>
      (await import('./commands/training/evaluate.js')).evaluate(name, flags),
    );
}

function taskCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .addArgument(new Argument('<task>', 'what the rows are about').choices(trainingTaskNames))
    .option('-m, --model <model>', 'model directory, or id on the Hub (default: the bundled all-MiniLM-L6-v2)')
    .option('--column <role=name>', 'which column holds what, such as text=review; may be given several times', column)
    .addHelpText('after', `\nTasks:\n${taskLines()}`);
}

function column(value: string, all: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [role, name, ...rest] = value.split('=');
  if (!role || !name || rest.length > 0) throw new InvalidArgumentError('Expected role=name, such as text=review.');
  return { ...all, [role]: name };
}
