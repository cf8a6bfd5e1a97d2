import { Argument, type Command, InvalidArgumentError } from 'commander';
import { addArgumentFlags, argumentsOf } from './commands/training/argument-flags.js';
import { addDataFlags } from './commands/training/data-flags.js';
import type { EvaluateFlags } from './commands/training/evaluate.js';
import type { TrainFlags } from './commands/training/train.js';
import { addPairFlags, pairFlagsOf, type PairFlags } from './commands/training/writers/pair-flags.js';
import { addSentenceFlags, sentenceTasks, type SentenceTaskName } from './commands/training/sentence-flags.js';
import { addSetFitFlags, type SetFitFlags } from './commands/training/setfit-flags.js';
import {
  isPairTask,
  isTextTask,
  multiTasks,
  pairTasks,
  setFitTasks,
  taskLines,
  textTasks,
  trainingTasks,
  type PairTaskName,
  type TextTaskName,
  type TrainingTaskName,
} from './commands/training/tasks.js';
import { writingFlags } from './flags/generation-flags.js';
import { unexpected } from '../expected.js';
import { path, positive, withCompute } from './flags.js';

type AllTrainFlags = TrainFlags & SetFitFlags & PairFlags & { readonly config?: string } & Record<string, unknown>;

/** Adds the commands about learning: `train` and `evaluate`. */
export function addTrainingCommands(program: Command, setExitCode: (code: number) => void): void {
  const all = { ...trainingTasks, ...pairTasks, ...textTasks, ...sentenceTasks, ...setFitTasks, ...multiTasks };
  const training = taskCommand(program, 'train', all)
    .description('Fine-tune a model on a file of labelled rows.')
    .option('--train <path>', 'rows to learn from: .jsonl, .csv, .tsv, .conll, .txt, or SQuAD .json; needed but for multi', path)
    .option(
      '--config <path>',
      'multi: JSON of heads, each with name, task, train, eval …; needed there. translate, summarize, generate: a new model, tiny, mini, small, medium, base or a config.json',
      path,
    )
    .option('--eval <path>', 'rows to score the model on', path)
    .option('-o, --output <directory>', 'where the model and its checkpoints go; needed', path)
    .option('--resume', 'go on from the newest checkpoint of --output')
    .option('--json', 'print the metrics as JSON')
    .option('--class-weights <numbers>', 'a factor for the loss of each label, with commas between, in the order of their ids', numbers);
  addArgumentFlags(addSetFitFlags(addSentenceFlags(addPairFlags(addDataFlags(training))))).action(
    async (
      name: TrainingTaskName | PairTaskName | TextTaskName | SentenceTaskName | 'setfit' | 'multi',
      flags: AllTrainFlags,
      command: Command,
    ) => {
      const isMulti = name === 'multi';
      if (!isMulti) requireFlag(command, flags.train, '--train <path>');
      if (isMulti) requireFlag(command, flags.config, '--config <path>');
      else if (flags.config !== undefined && !isPairTask(name) && !isTextTask(name)) {
        throw unexpected('INVALID_OPTION', `flags of ${name}`, '--config, which is for multi, translate, summarize and generate');
      }
      requireFlag(command, flags.output ?? flags.outputDir, '-o, --output <directory>');
      const args = argumentsOf(flags, command);
      pairFlagsOf(name, flags);
      if (isMulti) setExitCode(await (await import('./commands/training/multi.js')).trainHeads(flags.config!, flags, args));
      else if (isPairTask(name))
        setExitCode(await (await import('./commands/training/writers/train-pairs.js')).trainPairs(name, flags, args));
      else if (isTextTask(name))
        setExitCode(await (await import('./commands/training/writers/train-texts.js')).trainTexts(name, flags, args));
      else if (name === 'setfit') setExitCode(await (await import('./commands/training/setfit.js')).trainFewTexts(flags, args));
      else setExitCode(await (await import('./commands/training/train.js')).trainModel(name, flags, args));
    },
  );

  const evaluating = withCompute(taskCommand(program, 'evaluate', { ...trainingTasks, ...pairTasks, ...textTasks }))
    .description('Score a model on a file of labelled rows.')
    .requiredOption('-f, --file <path>', 'labelled rows: .jsonl, .csv, .tsv, .conll, .txt, or SQuAD .json', path)
    .option('--target <path>', 'translate, summarize: a second file, line by line what is to be written of --file', path)
    .option('--batch-size <n>', 'rows that are computed at once (default: 8, of texts to write 64, of generate 1)', positive)
    .option('--json', 'print JSON');
  writingFlags
    .addTo(addDataFlags(evaluating))
    .action(async (name: TrainingTaskName | PairTaskName | TextTaskName, flags: EvaluateFlags) =>
      (await import('./commands/training/evaluate.js')).evaluate(name, flags),
    );
}

/** Ends the command as commander does where a required option is missing. */
function requireFlag(command: Command, value: unknown, flag: string): void {
  if (value !== undefined) return;
  command.error(`error: required option '${flag}' not specified`, { exitCode: 2, code: 'commander.missingMandatoryOptionValue' });
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
